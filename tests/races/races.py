#!/usr/bin/env python3
"""Races: programs in which something comes between, and what their reports say afterwards.

    races.py --library LIBRARY --programs DIRECTORY [--long] [--counts FILE] [RACE…]

Each row is a program with its arguments and settings; --long does all of them, and more of each. A program
that does not end is shown with the stacks of its threads, and killed. Prints a line `COUNT: N what` for each
kind of count, and with --counts writes them to a file.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import platform
import resource
import shutil
import subprocess
import sys
from typing import Iterator

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "preload"))
# pylint: disable=wrong-import-position
import harness  # noqa: E402
from budget import cgroup, enter  # noqa: E402
from harness import EVERY_KIND, MIB, SKIP, Skip, parse_reports  # noqa: E402

# What takes longer hangs: the longest row is a tenth of it on a machine that does nothing else.
PATIENCE_S = 300

ALL = {"MODE": "all"}
ON_FAULT = {"MODE": "all", "FLAGS": "current,future,onfault"}
ALLOC = {"MODE": "alloc", "KINDS": "heap,anon"}
EVERY = {"MODE": "alloc", "KINDS": EVERY_KIND}
EVERY_ON_FAULT = {**EVERY, "FLAGS": "current,future,onfault"}
OBSERVE = {"MODE": "observe", "KINDS": EVERY_KIND}
OFF = {"MODE": "off"}
HUGE = {"MODE": "all", "HUGEPAGES": "1"}
MODES = (ALL, ON_FAULT, ALLOC, EVERY, EVERY_ON_FAULT, OBSERVE, OFF)

# Those of the short form; the others come with --long.
SHORT_MODES = (ALL, EVERY)


class Row:
    def __init__(self, arguments: list, settings: dict, ended: tuple = ("exit",), limit: int = 0, room: int = 0,
                 backend: str = ""):
        self.arguments = [str(argument) for argument in arguments]
        self.settings = settings
        self.ended = ended  # how the reports may say that a process ended
        self.limit = limit  # the memlock limit that it begins with; 0: as it is
        self.room = room  # the memory limit of a cgroup; 0: none
        self.backend = backend  # that mode all still has at the end; "": any

    def __str__(self) -> str:
        return " ".join(self.arguments) + " " + " ".join(f"{name}={value}" for name, value in self.settings.items())


def forks(long: bool) -> Iterator[Row]:
    for settings in MODES if long else SHORT_MODES:
        for how in ("onfault", "relock") if long else ("onfault",):
            yield Row(["forks", 600 if long else 24], {**settings, "FORK": how}, ("exit", "_exit", "exec"))


def loads(long: bool) -> Iterator[Row]:
    images = {"MODE": "alloc", "KINDS": "image"}
    for settings in (images, *MODES) if long else (images, EVERY):
        yield Row(["loads", 1500 if long else 60, harness.programs], settings, ("exit", "exec"))
    # Mapped on fault, and brought in.
    if os.geteuid() == 0:
        yield Row(["loads", 1500 if long else 60, harness.programs], ALL, ("exit", "exec"), room=1024 * MIB,
                  backend="kernel")


def threads(long: bool) -> Iterator[Row]:
    for settings in MODES if long else SHORT_MODES:
        yield Row(["threads", 12000 if long else 1000], settings, ("exit", "exec"))


def stepped(long: bool) -> Iterator[Row]:
    for settings in (*MODES, HUGE) if long else (ALL, ALLOC):
        for variant in "maps", "allocates", "jumps", "forks":
            # A fork is a hundred times of the others.
            each = (3 if variant == "forks" else 1) if long else (211 if variant == "forks" else 17)
            yield Row(["stepped", variant, each, len(variant)], settings, ("exit", "_exit"))


def ends(long: bool) -> Iterator[Row]:
    ways = {"exit": "exit", "_exit": "_exit", "quick_exit": "quick_exit", "return": "exit", "exec": "exec",
            "pthread_exit": "exit", "abort": "abort", "kill": ""}
    for settings in MODES if long else SHORT_MODES:
        for way, ended in ways.items():
            yield Row(["ends", way, 200 if long else 6], settings, ("exit", ended))


def limits(long: bool) -> Iterator[Row]:
    if os.geteuid() != 0:
        raise Skip("needs root")
    for settings in (ALL, ON_FAULT, ALLOC, EVERY, EVERY_ON_FAULT) if long else SHORT_MODES:
        for _ in range(20 if long else 1):
            for way in "setuid", "capset", "lower":
                yield Row(["limits", way, 100 if long else 12], settings, ("exit", "_exit"), limit=8 * MIB)
    # The kernel's locking ends once in a process: many of them.
    for settings in (ALL, HUGE, ON_FAULT, ALLOC, EVERY, EVERY_ON_FAULT) if long else (ALL, HUGE, EVERY):
        for rounds in (60, *[3] * 200) if long else [3] * 5:
            yield Row(["limits", "room", rounds], settings, room=96 * MIB)
        yield Row(["limits", "advance", 0], settings, room=96 * MIB)


def unasked(long: bool) -> Iterator[Row]:
    for settings in (ALL, HUGE, ON_FAULT, ALLOC, EVERY, EVERY_ON_FAULT) if long else (ALL, EVERY):
        for way in "steps", "pages", "read", "stack", "aligned", "ended", "refused", "fork":
            for _ in range(10 if long else 1):
                yield Row(["unasked", way], {**settings, "FORK": "relock"}, ("exit", "_exit"), room=64 * MIB,
                          backend="kernel" if way == "ended" else "")


def loaded(long: bool) -> Iterator[Row]:
    if os.geteuid() != 0:
        raise Skip("needs root")
    for settings in (ALL, HUGE, ON_FAULT, ALLOC, EVERY, EVERY_ON_FAULT) if long else (ALL, EVERY):
        for way in "needs", "takes", "locks", "child", "fails", "forks":
            for _ in range(10 if long else 1):
                yield Row(["loaded", way], {**settings, "FORK": "relock"}, ("exit", "_exit"), room=64 * MIB)


def unlocks(long: bool) -> Iterator[Row]:
    if os.geteuid() != 0:
        raise Skip("needs root")
    times = 1000 if long else 20
    for way in "program", "limit":
        # What does not fit is mapped while the kernel locks on fault.
        for settings, room in ((ALL, 64 * MIB), (HUGE, 64 * MIB), (ON_FAULT, 0)):
            yield Row(["unlocks", way, times], {**settings, "FORK": "relock"}, ("exit", "_exit"), limit=8 * MIB,
                      room=room)
    for way in "own", "reserved":
        yield Row(["unlocks", way, times], {**ALL, "FORK": "relock"}, ("exit", "_exit"), limit=8 * MIB,
                  room=1024 * MIB)


RACES = {race.__name__: race for race in (ends, forks, limits, loaded, loads, stepped, threads, unasked, unlocks)}


def show_stacks(pid: int) -> None:
    """Of all processes that have to do with it."""
    for process in [pid, *children(pid)]:
        print(f"-- process {process}", flush=True)
        if shutil.which("gdb"):
            subprocess.run(("gdb", "-p", str(process), "-batch", "-ex", "thread apply all bt 12"), check=False,
                           stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
            continue
        for task in pathlib.Path(f"/proc/{process}/task").iterdir():
            print(task.name, (task / "wchan").read_text(), (task / "syscall").read_text(), flush=True)


def children(pid: int) -> list:
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *children(int(child))]
    return found


def check_reports(row: Row, written: bytes) -> int:
    """Each one is whole, ended as it may, and holds what the kernel says. Returns how many there are."""
    reports = parse_reports(written)
    for report in reports:
        assert report["ended"] in row.ended, f"ended by {report['ended']}"
        if row.backend and row.settings["MODE"] == "all":
            assert report["backend"] == row.backend, report["downgrades"]
        locked = report["locked"]
        assert locked["kernel_bytes"] == report["memory"]["locked_bytes"], locked
        # Where threads run the two are read at two moments.
        if row.settings["MODE"] == "alloc" and row.arguments[0] != "ends":
            assert locked["tracked_bytes"] <= locked["kernel_bytes"], locked
        if row.limit and report["backend"] == "hooks":
            assert locked["kernel_bytes"] <= max(row.limit, report["memory"]["limit_bytes"]), locked
    if row.settings["MODE"] != "off":
        assert reports, "no report"
        # The exec that fails, by which books and kernel are made comparable.
        assert "exec" not in row.ended or "exec" in [report["ended"] for report in reports], "no report of an exec"
    return len(reports)


def prepare(row: Row, folder):
    def in_child() -> None:
        if folder:
            enter(folder)()
        if row.limit:
            resource.setrlimit(resource.RLIMIT_MEMLOCK, (row.limit, row.limit))

    return in_child if folder or row.limit else None


def run(row: Row, folder=None) -> list:
    """The counts of its output, and of its reports."""
    with harness.directory() as temporary:
        temporary.chmod(0o777)
        file = temporary / "report.jsonl"
        settings = {"STATS": "json", "STATS_FILE": str(file), "ON_FAILURE": "ignore", "LOG": "quiet", **row.settings}
        process = subprocess.Popen((harness.program(row.arguments[0]), *row.arguments[1:]), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=prepare(row, folder),
                                   env=harness.environment(settings, harness.library))
        try:
            out, err = process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            print(f"{row}: does not end", flush=True)
            show_stacks(process.pid)
            process.kill()
            process.communicate()
            raise AssertionError("does not end") from None
        if process.returncode == SKIP:
            raise Skip(err.decode().strip())
        assert process.returncode == 0, f"status {process.returncode}: {err.decode(errors='replace')[-1500:]}"
        written = file.read_bytes() if file.exists() else b""
        counts = [line.split(maxsplit=2)[1:] for line in out.decode().splitlines() if line.startswith("COUNT: ")]
        assert counts, "nothing was counted"
        return [(int(number), what) for number, what in counts] + [(check_reports(row, written), "reports of races read")]


def run_in_place(row: Row) -> list:
    if not row.room:
        return run(row)
    with cgroup(row.room) as folder:
        return run(row, folder)


def run_all(rows: list, say: bool) -> tuple:
    """({what: how many}, rows that failed, reasons of those that could not be told)."""
    counts: dict = {}
    failed = 0
    reasons = set()
    for row in rows:
        try:
            found = run_in_place(row)
        except Skip as reason:
            reasons.add(str(reason))
            continue
        except AssertionError as wrong:
            print(f"{row}: {wrong}", flush=True)
            failed += 1
            continue
        if say:
            print(f"{row}: " + ", ".join(f"{number} {what}" for number, what in found), flush=True)
        counts["races run"] = counts.get("races run", 0) + 1
        for number, what in found:
            counts[what] = counts.get(what, 0) + number
    return counts, failed, reasons


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", required=True)
    parser.add_argument("--programs", required=True)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--counts")
    parser.add_argument("races", nargs="*", metavar="RACE", help=", ".join(RACES))
    options = parser.parse_args()
    harness.library = os.path.abspath(options.library)
    harness.programs = pathlib.Path(options.programs).resolve()

    rows: list = []
    reasons = set()
    for race in options.races or RACES:
        try:
            rows += RACES[race](options.long)
        except Skip as reason:
            reasons.add(str(reason))
    counts, failed, more = run_all(rows, options.long)
    reasons |= more
    for reason in sorted(reasons):
        print(f"skipped: {reason}")
    for what, number in counts.items():
        print(f"COUNT: {number} {what}")
    if options.counts:
        path = pathlib.Path(options.counts)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"counts": counts, "failed": failed, "skipped": sorted(reasons),
                                    "kernel": platform.release()}) + "\n")
    if options.long:
        print(f"{len(rows)} races, {failed} failed")
    if failed:
        return 1
    return 0 if counts else SKIP


if __name__ == "__main__":
    sys.exit(main())
