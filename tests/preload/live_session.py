"""For tests of the live counters: programs that tell what they have counted and wait, and what is left of them."""

from __future__ import annotations

import collections
import fcntl
import json
import pathlib
import signal
import subprocess

import harness
import live_reader
from harness import environment, program
from live_reader import Area, File

# Under each of them counting takes another way.
MODES = ({"MODE": "observe"}, {"MODE": "all"}, {"MODE": "alloc", "KINDS": harness.EVERY_KIND})


def library_reads(what: object) -> dict:
    """By the library's own reader."""
    reader = harness.programs.parent / "support" / "read_live"
    done = subprocess.run([reader, "json", str(what)], capture_output=True, check=False)
    assert done.returncode == 0 and not done.stderr, (what, done)
    return json.loads(done.stdout)


def flat(report: dict, prefix: str = "") -> dict:
    """The numbers of a report by their full names."""
    found = {}
    for key, value in report.items():
        if isinstance(value, dict):
            found.update(flat(value, f"{prefix}{key}."))
        else:
            found[prefix + key] = value
    return {key: value for key, value in found.items() if key in dict(live_reader.FIELDS)}


def differences(one: dict, other: dict) -> dict:
    return {key: (one.get(key), other.get(key)) for key in {**one, **other} if one.get(key) != other.get(key)}


def look(path: object) -> Area:
    return Area(File(path))


def files(place: pathlib.Path) -> dict:
    """Of each process its files, in the order in which they were made. Only such files are there."""
    found = collections.defaultdict(list)
    for path in sorted(place.iterdir(), key=lambda path: path.name.rsplit(".", 2)[1]):
        name, pid, _, end = path.name.rsplit(".", 3)
        assert end == "live" and name, path
        assert path.stat().st_mode & 0o7777 == 0o600, oct(path.stat().st_mode)
        found[int(pid)].append(path)
    return found


def only(place: pathlib.Path, pid: int | None = None) -> pathlib.Path:
    found = files(place)
    paths = found[pid] if pid else [path for several in found.values() for path in several]
    assert len(paths) == 1, found
    return paths[0]


class Session:
    """A program that tells what it has counted, and waits."""

    def __init__(self, *command: str, lines: int = 1, place: pathlib.Path | None = None, prepare=None,
                 preload: str | None = None, **settings: str):
        self.place = place
        variables = {"STATS": "off", "MODE": "observe", "ON_FAILURE": "ignore", **settings}
        if place:
            variables["LIVE_DIR"] = str(place)
        self.process = subprocess.Popen([program(command[0]), *command[1:]], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=prepare,
                                        env=environment(variables, harness.library if preload is None else preload))
        self.pid = self.process.pid
        self.told = {}
        for _ in range(lines):
            line = self.process.stdout.readline().split()
            assert len(line) == 3, (command, line, self.process.stderr.read())
            self.told[line[0].decode()] = int(line[1]), int(line[2])

    def end(self) -> tuple:
        out, err = self.process.communicate(timeout=harness.PATIENCE_S)
        return self.process.returncode, out, err

    def kill(self) -> None:
        self.process.kill()
        assert self.end()[0] == -signal.SIGKILL

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def gone(path: pathlib.Path) -> None:
    """Waits until the process of this file is."""
    with open(path, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)


def expect_counted(area: Area, times: int) -> None:
    numbers = area.counters()
    assert area.complete
    assert numbers["calls.memalign"] == times, (numbers["calls.memalign"], times)
    area.close()
