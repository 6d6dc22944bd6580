"""The programs, and the settings of the library under which they run."""

from __future__ import annotations

import os
from typing import NamedTuple

import injected

EVERY_KIND = "heap,anon,file,shared,stack,image"


class Setting(NamedTuple):
    name: str
    variables: dict  # without their prefix
    user: int | None = None
    memlock: int | None = None

    @property
    def environment(self) -> dict:
        return {f"AUTOLOCK_{name}": value for name, value in self.variables.items()}


def _setting(name: str, *, user: int | None = None, memlock: int | None = None, **variables: str) -> Setting:
    return Setting(name, variables, user, memlock)


JSON = {"STATS": "json", "STATS_FILE": "BESIDE/report.jsonl"}
LARGE = {"HEAP_RESERVE": "4M", "STACK_RESERVE": "512K", "HUGEPAGES": "1", "POPULATE_THREADS": "2"}

# The first ones are the key modes.
SETTINGS = (
    _setting("all", MODE="all", **JSON),
    _setting("alloc", MODE="alloc", KINDS=EVERY_KIND, **JSON),
    _setting("all, a memlock limit", user=injected.NOBODY, memlock=8 * injected.MIB, MODE="all", **JSON),
    _setting("all, everything", MODE="all", LIVE_DIR="BESIDE", **LARGE, **JSON),
    _setting("off", MODE="off"),
    _setting("observe", MODE="observe"),
    _setting("observe, json", MODE="observe", **JSON),
    _setting("all, text", MODE="all", LOG="debug"),
    _setting("all, onfault", MODE="all", FLAGS="current,future,onfault", **JSON),
    _setting("all, future", MODE="all", FLAGS="future", FORK="relock", **JSON),
    _setting("all, a budget", MODE="all", BUDGET="24M", FORK="relock", **JSON),
    _setting("all, unlimited", MODE="all", BUDGET="unlimited", FORK="none", **JSON),
    _setting("all, no limit to lock", user=injected.NOBODY, memlock=0, MODE="all"),
    _setting("alloc, onfault", MODE="alloc", FLAGS="current,future,onfault", **JSON),
    _setting("alloc, 64K", MODE="alloc", MIN_SIZE="64K", STATS="prometheus", STATS_FILE="BESIDE/%n.%p.prom"),
    _setting("alloc, everything", MODE="alloc", KINDS=EVERY_KIND, LIVE_DIR="BESIDE", ARENAS="2",
             THREAD_STACK="1M", **LARGE, **JSON),
    _setting("alloc, a memlock limit", user=injected.NOBODY, memlock=8 * injected.MIB, MODE="alloc",
             KINDS=EVERY_KIND, FORK="relock", **JSON),
    _setting("all, by paths", MODE="all", PROGRAMS="*/*", LIVE_DIR="beside", **JSON),
    _setting("alloc, in memory", MODE="alloc", MIN_SIZE="4K", LIVE_DIR="MEMORY", **JSON),
    _setting("alloc, prometheus", MODE="alloc", STATS="prometheus", LOG="info"),
)
KEY = SETTINGS[:4]
# Those of the real programs.
REAL = SETTINGS[:8]


# What was wrong once: (setting, the call and its errno, when).
FOUND = (
    # The limit was taken for 0, and who may lock a page for one whom no limit holds: malloc failed.
    ("all, a memlock limit", "prlimit64", "EPERM", "each"),
    # What is locked in parts could not grow.
    ("all, a memlock limit", "munlock", "EAGAIN", "other"),
    *(("all, a memlock limit", "read", "ENOMEM", str(nth)) for nth in range(15, 21)),
    ("all, a memlock limit", "openat", "EMFILE", "other"),
    # Advice that the kernel refused otherwise than by EINVAL.
    ("alloc", "madvise", "EPERM", "3"),
    # Without the list of mappings, the end of the heap was not known: more was tracked than locked.
    ("all, a memlock limit", "read", "ENOMEM", "7"),
    ("all, a memlock limit", "read", "ENOMEM", "8"),
    # More faults when locked than there were in the end, of which the kernel did not tell.
    ("all", "getrusage", "ENOSYS", "18"),
)


class Program(NamedTuple):
    name: str
    command: list
    stdin: bytes = b""


_PYTHON = """
import subprocess, sys, threading, mmap, os
box = []
def work(): box.append(sum(len(bytes(n * 1009)) for n in range(60)))
threads = [threading.Thread(target=work) for _ in range(3)]
[t.start() for t in threads]; [t.join() for t in threads]
print(box)
with mmap.mmap(-1, 1 << 20) as area:
    area[5000:5005] = b"hello"
    area.resize(1 << 21)
    print(area[5000:5005])
print(subprocess.run(["sh", "-c", "echo from a shell; exit 3"], stdout=subprocess.PIPE))
if os.fork() == 0:
    print("child"); sys.stdout.flush(); os._exit(0)
os.wait()
print("to standard error", file=sys.stderr)
sys.exit(5)
"""

_SHELL = "printf '3\\n1\\n2\\n' | sort | tr 1 x; (exit 4); echo $?; exec sh -c 'echo executed >&2; exit 9'"

_PERL = "my %h = map { $_ => $_ x 50 } 1 .. 2000; print length(join q(), values %h), qq(\\n); exit 2"


def programs(place: injected.Place) -> list:
    """Our own first: it uses every family of functions."""
    found = [Program("families", [place.take(str(place.tools.programs / "families"))]),
             Program("abort", [place.take(str(place.tools.programs / "families")), "abort"])]
    for name, command, stdin in (
            ("python", ["/usr/bin/python3", "-I", "-S", "-c", _PYTHON], b""),
            ("shell", ["/bin/sh", "-c", _SHELL], b""),
            ("perl", ["/usr/bin/perl", "-e", _PERL], b""),
            ("sort", ["/usr/bin/sort", "-n", "--parallel=2"],
             b"".join(b"%d\n" % (n * 7919 % 100003) for n in range(20000))),
            ("sqlite", ["/usr/bin/sqlite3", ":memory:"],
             b"create table t(a, b); with recursive n(i) as (values(1) union all select i + 1 from n where i < 5000)"
             b" insert into t select i, hex(i * i) from n; select count(*), sum(length(b)) from t;")):
        if os.access(command[0], os.X_OK):
            found.append(Program(name, command, stdin))
    return found
