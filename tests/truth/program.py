"""Runs the program of random operations, and reads what it says and what the library reports of it."""

from __future__ import annotations

import json
import os
import pathlib
import resource
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field

PATIENCE_S = 200  # a hang ends here; no result depends on it
NOBODY = 65534
LIMIT = 8 << 20
PAGE = 4096

# Set by main(): the library, and the directory of the programs.
library = ""
programs = pathlib.Path()


class Skip(Exception):
    """The reason why it cannot be told here."""


@dataclass
class Mapping:
    start: int
    end: int
    resident: int
    locked: bool
    name: str

    @property
    def is_kernels(self) -> bool:
        return self.name.startswith("[v")


@dataclass
class Said:
    """What a process has said of itself at one time."""

    pid: int
    parent: int
    calls: dict = field(default_factory=dict)
    counted: dict = field(default_factory=dict)
    journal: list = field(default_factory=list)
    maps: list = field(default_factory=list)
    status: dict = field(default_factory=dict)  # bytes
    limit: int = 0
    faults: tuple = ()

    def bytes_of(self, locked: bool, resident: bool = False) -> int:
        return sum(at.resident if resident else at.end - at.start
                   for at in self.maps if at.locked == locked and not at.is_kernels)


def _parse_line(said: Said, words: list) -> None:
    kind = words[0]
    if kind == "call":
        said.calls[words[1]] = int(words[2])
    elif kind == "counted":
        said.counted[words[1]] = int(words[2])
    elif kind == "journal":
        said.journal.append((words[1], int(words[2]), int(words[3]), int(words[4]), words[5]))
    elif kind == "map":
        start, end = (int(part, 16) for part in words[4].split("-"))
        name = words[9] if len(words) > 9 else ""
        said.maps.append(Mapping(start, end, int(words[3]) * 1024, words[1] == "locked", name))
    elif kind == "status":
        said.status[words[1][:-1]] = int(words[2]) * 1024
    elif kind == "limit":
        said.limit = int(words[1])
    elif kind == "faults":
        said.faults = (int(words[1]), int(words[2]))


def parse(text: str) -> list:
    """What all processes have said, in its order."""
    all_said: list = []
    for line in text.splitlines():
        words = line.split()
        if words[0] == "process":
            all_said.append(Said(int(words[1]), int(words[2])))
        else:
            _parse_line(all_said[-1], words)
    return all_said


@dataclass
class Run:
    said: list
    reports: list
    command: str

    def ends(self) -> list:
        """Of each process what it said and had reported at its beginning and at its end: two pairs."""
        result = []
        for pid in dict.fromkeys(said.pid for said in self.said):
            said = [each for each in self.said if each.pid == pid]
            reports = [each for each in self.reports if each["pid"] == pid]
            ended = [report["ended"] for report in reports]
            assert len(said) == 2 and ended == ["exec", "_exit"], f"process {pid}: reports {ended}\n{self.command}"
            result.append(tuple(zip(said, reports)))
        return result


def as_user(user: str) -> list:
    """What stands before a command so that it is run by this user: root, limited (root without the right), nobody."""
    if user == "root":
        return []
    if not shutil.which("setpriv"):
        raise Skip("setpriv is not installed")
    rights = ["setpriv", "--bounding-set", "-ipc_lock,-sys_resource", "--inh-caps", "-ipc_lock,-sys_resource"]
    if user == "nobody":
        rights += ["--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
    return rights


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (LIMIT, LIMIT))


class Place:
    """A directory that every user can read, with what is run in it."""

    def __enter__(self) -> "Place":
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="autolock-truth-"))
        self.path.chmod(0o755)
        for file in (programs / "operations", programs / "module.so", programs / "counted.so", pathlib.Path(library)):
            shutil.copy2(file, self.path / file.name)
            (self.path / file.name).chmod(0o755)
        self.preload = str(self.path / pathlib.Path(library).name)
        (self.path / "reports").mkdir()
        (self.path / "reports").chmod(0o777)
        return self

    def __exit__(self, *ignored) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def run(self, arguments: list, user: str, settings: dict, before: list = (), counted: bool = False) -> Run:
        """`before`: a command that runs the command, strace for one."""
        report = self.path / "reports" / "report.jsonl"
        report.unlink(missing_ok=True)
        if counted:
            variables = {"LD_PRELOAD": str(self.path / "counted.so"), "COUNTED": "1"}
        else:
            variables = {"LD_PRELOAD": self.preload, "AUTOLOCK_STATS": "json", "AUTOLOCK_STATS_FILE": str(report),
                         "AUTOLOCK_ON_FAILURE": "ignore",
                         **{"AUTOLOCK_" + name: value for name, value in settings.items()}}
        # Only the program has the library, none of those that run it.
        command = [*as_user(user), *before, "env", *(f"{name}={value}" for name, value in variables.items()),
                   str(self.path / "operations"), *map(str, arguments), str(self.path / "module.so")]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                              env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}, timeout=PATIENCE_S,
                              preexec_fn=_limit, check=False)
        shown = " ".join(command)
        assert done.returncode == 0 and not done.stderr, f"status {done.returncode}: {done.stderr[-1000:]}\n{shown}"
        reports = [json.loads(line) for line in report.read_text().splitlines()] if report.exists() else []
        return Run(parse(done.stdout), reports, shown)
