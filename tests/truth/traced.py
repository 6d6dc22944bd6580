"""The library's own system calls, as strace sees them."""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
from collections import Counter

from program import Place, Run, Skip

# What the report counts, and the calls that are in it.
BOOKED = {"mlock2": ("mlock", "mlock2"), "munlock": ("munlock", "munlockall"), "mlockall": ("mlockall",),
          "madvise": ("madvise",), "msync": ("msync",)}

_WATCHED = "?open,openat,execve," + ",".join(call for calls in BOOKED.values() for call in calls)
# What the program opens when it has said what it knows, and the report when it begins to look.
_OPENED = {"comm": "said", "status": "status"}
_LINE = re.compile(r"(\d+) +(\w+)\((.*)")


def need() -> None:
    if not shutil.which("strace"):
        raise Skip("strace is not installed")
    done = subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Skip(f"strace does not work here: {done.stderr.strip()[-300:]}")


def run(place: Place, arguments: list, user: str, settings: dict) -> tuple:
    """(the run, {pid: the calls made between a process's two reports})."""
    log = place.path / "reports" / "calls"
    log.unlink(missing_ok=True)
    done = place.run(arguments, user, settings,
                     before=["strace", "-f", "-qq", "-e", f"trace={_WATCHED}", "-e", "signal=none", "-o", str(log)])
    return done, _between_reports(log, done)


def _between_reports(log: pathlib.Path, done: Run) -> dict:
    """
    Behind the exec that fails, before which the first report is made, and before the last report first looks into
    its status in /proc: behind that it makes calls of its own.
    """
    calls: dict = {said.pid: [] for said in done.said}
    for line in log.read_text(errors="replace").splitlines():
        found = _LINE.match(line)
        if not found or int(found[1]) not in calls:
            continue
        pid, name, rest = int(found[1]), found[2], found[3]
        if "MADV_FREE" in rest:
            continue  # of musl's allocator itself
        if name == "execve":
            calls[pid] = []
        else:
            calls[pid].append(_OPENED.get(_file_of_process(rest), name) if name.startswith("open") else name)
    return {pid: Counter(names[:_report(names)]) for pid, names in calls.items()}


def _file_of_process(arguments: str) -> str:
    return arguments.split('"')[1].rpartition("self/")[2]


def _report(names: list) -> int:
    """Where the last report begins."""
    said = len(names) - 1 - names[::-1].index("said")
    return names.index("status", said)


def check(done: Run, calls: dict) -> list:
    wrong = []
    for (first_said, first), (said, report) in done.ends():
        own = {"madvise": said.calls["madvise"] - first_said.calls["madvise"]}
        for booked, names in BOOKED.items():
            traced = sum(calls[said.pid][name] for name in names) - own.get(booked, 0)
            told = report["syscalls"][booked]["count"] - first["syscalls"][booked]["count"]
            if traced != told:
                wrong.append(f"process {said.pid}: syscalls.{booked}.count is {told}, strace has {traced}")
    return wrong
