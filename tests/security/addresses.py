"""Where a program's memory lies is worth something to who attacks it. No report that others may read tells it, in any
format and mode; what does tell it is its user's alone."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import subprocess
from typing import Iterator

import command
import harness
from harness import directory, program

MODES = ({"MODE": "all"}, {"MODE": "all", "FLAGS": "current,future,onfault"},
         {"MODE": "alloc", "KINDS": harness.EVERY_KIND}, {"MODE": "observe"})

# Hexadecimal or decimal, with what may stand before it: whatever is long enough for an address.
NUMBER = re.compile(rb"(?<![0-9a-zA-Z])(?:0x)?([0-9a-fA-F]{6,20})(?![0-9a-zA-Z])")


class Memory:
    """Of a process, as the kernel shows it."""

    def __init__(self, pid: int):
        self.ranges = []
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text(errors="replace").splitlines():
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            self.ranges.append((start, end))
        assert len(self.ranges) > 20, self.ranges

    def has(self, number: int) -> bool:
        return any(start <= number < end for start, end in self.ranges)

    def told_by(self, text: bytes) -> list:
        """The addresses in it."""
        found = []
        for word in NUMBER.findall(text):
            if self.has(int(word, 16)) or (word.isdigit() and self.has(int(word))):
                found.append(word)
        return found

    def told_by_words(self, data: bytes) -> list:
        """The same in binary."""
        words = (int.from_bytes(data[at:at + 8], "little") for at in range(0, len(data) - 7, 8))
        return [hex(word) for word in words if word > 1 << 20 and self.has(word)]


@contextlib.contextmanager
def _waiting(arguments: list, environment: dict) -> Iterator[subprocess.Popen]:
    """A program that has counted, and goes on when its standard input ends."""
    with subprocess.Popen(arguments, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None and process.stdout.readline()
            yield process
        finally:
            process.kill()


def _goes_on(process: subprocess.Popen) -> bytes:
    """To its end; what it says on standard error."""
    _, said = process.communicate(timeout=harness.PATIENCE_S)
    assert process.returncode == 0, (process.returncode, said)
    return said


def _live() -> list:
    """With threads enough for blocks that are found by their addresses."""
    return [program("live"), "threads", "64", "10"]


def test_addresses_would_be_found() -> None:
    with _waiting(_live(), harness.environment({"STATS": "off"}, harness.library)) as process:
        memory = Memory(process.pid)
        start, end = memory.ranges[3]
        for said in (f"at {start:x}-{end:x}", f"at 0x{start + 8:016X},", f'{{"at": {end - 1}}}'):
            assert memory.told_by(said.encode()), said
        assert not memory.told_by(f"{end + (1 << 45):x} 4096 1000000 1764000000000000000 deadbeef".encode())
        _goes_on(process)


def test_no_report_tells_one() -> None:
    """Nor what is said on standard error, where most is said."""
    for settings in MODES:
        for form in "json", "text", "prometheus":
            with directory() as place:
                settings = {**settings, "STATS": form, "STATS_FILE": f"{place}/report", "LOG": "debug", "NO_SUCH": "1"}
                with _waiting(_live(), harness.environment(settings, harness.library)) as process:
                    memory = Memory(process.pid)
                    said = _goes_on(process)
                report = (place / "report").read_bytes()
                assert b"threads 64 10" in report or form != "json", report
                assert len(report) > 300 and b"NO_SUCH" in said, (report, said)
                assert not memory.told_by(report), (form, settings, memory.told_by(report), report)
                assert not memory.told_by(said), (memory.told_by(said), said)


def test_no_file_of_the_command_tells_one() -> None:
    """A page with where faults came from, test cases, metrics."""
    with directory() as place:
        options = ["--expect", "minflt=0", f"--faults={place}/faults", "--json", f"{place}/json", "--junit", f"{place}/junit",
                   "--report", f"{place}/page", "--mode", "alloc", "--on-failure", "ignore"]
        environment = {"PATH": os.defpath, "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": f"{place}/summary"}
        with _waiting([command.path(), "run", *options, "--", *_live()], environment) as process:
            children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            memory = Memory(int(children[0]))
            command.autolock("export", "--textfile", str(place), "--once", children[0]).expect(0, b"", b"")
            _, said = process.communicate(timeout=harness.PATIENCE_S)
        assert process.returncode == 86 and b"minflt=0" in said, said
        assert not memory.told_by(said), (memory.told_by(said), said)
        files = sorted(path.name for path in place.iterdir())
        assert files == sorted([f"autolock.live.{children[0]}.prom", "faults", "json", "junit", "page", "summary"]), files
        for name in files:
            data = (place / name).read_bytes()
            assert len(data) > 100 and not memory.told_by(data), (name, memory.told_by(data))


def test_the_live_file_is_its_users_alone() -> None:
    """It has addresses in it, where further threads count: which is why nobody else may read it."""
    with directory() as place:
        settings = {"STATS": "off", "LIVE_DIR": str(place)}
        with _waiting(_live(), harness.environment(settings, harness.library)) as process:
            memory = Memory(process.pid)
            (path,) = place.iterdir()
            assert memory.told_by_words(path.read_bytes()) and path.stat().st_mode & 0o7777 == 0o600
            _goes_on(process)
