"""Runs containers by runc, and asks their cgroups what became of the memory."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import tempfile
from typing import Iterator

from bundle import LIBRARY, Surroundings, configuration
from rootfs import Root

# A container that takes longer hangs.
PATIENCE_S = 120

GIVEN_UP = 77
_numbers = itertools.count()


class Skip(Exception):
    """The reason why it cannot be told here."""


class Done:
    """A container that has ended."""

    def __init__(self, command: list, process: subprocess.CompletedProcess, folder: pathlib.Path, oom_kills: int):
        self.command = command
        self.status = process.returncode
        self.out = process.stdout
        self.err = process.stderr
        self.oom_kills = oom_kills
        self.reports = [json.loads(line) for path in sorted(folder.glob("*.json"))
                        for line in path.read_text().splitlines()]
        # Programs and their pids: PROGRAM.PID.TIME.live
        self.counters = {(path.name.split(".")[0], int(path.name.split(".")[1])) for path in folder.glob("*.live")}
        witness = folder / "VmLck"
        self.witness = witness.read_text() if witness.exists() else ""

    def __repr__(self) -> str:
        return (f"{' '.join(self.command)}: status {self.status}, {self.oom_kills} killed for memory\n"
                f"  out: {self.out[-1000:]!r}\n  err: {self.err[-1000:]!r}\n"
                f"  reports of: {[report['program'] for report in self.reports]}")

    def of(self, program: str) -> dict:
        """The report of a program at its end; of several the one of the container's first process."""
        own = [report for report in self.reports
               if report["program"] == program and report["ended"] not in ("exec", "running")]
        own = [report for report in own if report["pid"] == 1] or own
        assert len(own) == 1, f"{len(own)} reports of {program} instead of one\n{self}"
        return own[0]


def _oom_kills(name: str) -> int:
    """Of a cgroup of version 1 or 2, by the kernel's own count."""
    for path in (f"/sys/fs/cgroup/memory/{name}/memory.oom_control", f"/sys/fs/cgroup/{name}/memory.events"):
        with contextlib.suppress(FileNotFoundError):
            return int(re.search(r"^oom_kill (\d+)$", pathlib.Path(path).read_text(), re.MULTILINE)[1])
    raise Skip("no memory cgroup is seen here")


class Machine:
    """A root file system, and what is mounted into each container of it."""

    def __init__(self, folder: pathlib.Path, library: str, own: list):
        self.folder = folder
        self.root = Root(folder / "rootfs", own)
        self.library = shutil.copy(library, folder)
        os.chmod(self.library, 0o755)

    def can_have(self, memlock: int) -> bool:
        """Only who has CAP_SYS_RESOURCE can go above the hard limit of here."""
        hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)[1]
        if hard == resource.RLIM_INFINITY or memlock <= hard:
            return True
        try:
            return self.run(Surroundings(memlock=memlock), "true", loaded=False).status == 0
        except Skip:
            return False

    def run(self, here: Surroundings, *command: str, loaded: bool = True, also: dict | None = None,
            **settings: str) -> Done:
        """`settings` are the library's variables without their prefix, `also` others."""
        name = f"autolock-test-{os.getpid()}-{next(_numbers)}"
        bundle = self.folder / name
        reports = bundle / "reports"
        reports.mkdir(parents=True)
        reports.chmod(0o777)
        variables = dict(also or {})
        if loaded:
            settings = {"STATS": "json", "STATS_FILE": "/reports/%n.%p.json", "ON_FAILURE": "ignore", **settings}
            variables.update({"LD_PRELOAD": LIBRARY, **{f"AUTOLOCK_{key}": text for key, text in settings.items()}})
        binds = [(self.library, LIBRARY, "ro"), (str(reports), "/reports", "rw"),
                 *((path, path, "ro") for path in self.root.mounted)]
        made = configuration(here, str(self.root.folder), list(command), variables, binds, name)
        (bundle / "config.json").write_text(json.dumps(made))
        try:
            return self._run(name, bundle, list(command))
        finally:
            shutil.rmtree(bundle)

    def _run(self, name: str, bundle: pathlib.Path, command: list) -> Done:
        runc = ["runc", "--root", str(self.folder / "state"), "--log", str(bundle / "log")]
        try:
            process = subprocess.run([*runc, "run", "--keep", "--bundle", str(bundle), name], check=False,
                                     stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_S)
            log = bundle / "log"
            # What runc itself says is not the program's.
            if log.exists() and b"level=error" in log.read_bytes():
                raise Skip(f"runc makes no container here: {log.read_text().strip()[-300:]}")
            kills = _oom_kills(name)
        finally:
            subprocess.run([*runc, "delete", "--force", name], capture_output=True, check=False)
        return Done(command, process, bundle / "reports", kills)


@contextlib.contextmanager
def machine(arguments) -> Iterator[Machine]:
    """Raises Skip where no container can be made."""
    if not shutil.which("runc"):
        raise Skip("no runc here")
    if os.geteuid() != 0:
        raise Skip("needs root")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="autolock-containers-"))
    try:
        folder.chmod(0o755)
        own = [os.path.join(arguments.tools, name) for name in ("threads", "several") if arguments.tools]
        made = Machine(folder, arguments.library, [*own, arguments.command])
        done = made.run(Surroundings(), "true", loaded=False)
        if done.status:
            raise Skip(f"runc makes no container here: {done.err.decode(errors='replace').strip()[-300:]}")
        yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)
