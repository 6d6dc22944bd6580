"""Latency where memory is short: a program that was idle while another one took the memory of their cgroup.

`idle` writes to random pages of its own 200 MB; redis-server is asked for random keys by a client outside. Both share a
cgroup of 300 MB with a hog that has taken 250 MB before, and stays. One row has no hog: less than that nothing can be.
"""

import contextlib
import os
import subprocess
from dataclasses import dataclass, replace
from typing import Optional

import cgroup
import redis_server
import swap
from configurations import BARE
from measure import TIMEOUT_S, Case, Failed, Skipped, numbers

TITLE = "latency under memory pressure, of one touch and of one GET"

MIB = 1 << 20
_ROUNDS = 3


@dataclass(frozen=True)
class Sizes:
    group: int
    hog: int
    idle: int
    keys: int  # of 1,000 bytes, and what redis-server adds to that
    swap: int
    touches: int
    gets: int


USUAL = Sizes(300 * MIB, 250 * MIB, 200 * MIB, 120_000, 512 * MIB, 20_000, 20_000)
QUICK = Sizes(60 * MIB, 50 * MIB, 32 * MIB, 2_000, 96 * MIB, 2_000, 500)


ALONE = "none, no hog"


def configurations(bench):
    rows = bench.rows(BARE, "all", "all onfault", "alloc", "alloc all kinds")
    return [replace(row, name=ALONE) for row in rows if row.name == BARE] + rows


def cases(bench):
    sizes = QUICK if bench.quick else USUAL
    # What cannot be had is known before anything is measured.
    with cgroup.limited_to(sizes.group):
        pass
    bench.section_end.enter_context(swap.at_least(sizes.swap))
    made = [Case("idle program, a touch", lambda row, _: _touches(bench, sizes, row), "us", 1, None, _ROUNDS)]
    try:
        redis_server.need("redis-server")
        made.append(Case("redis, a GET", lambda row, _: _gets(bench, sizes, row), "us", 1, None, _ROUNDS))
    except Skipped as reason:
        bench.leave_out("redis under pressure", str(reason))
    return made


def _result(latencies_ns: list, major_faults: int, locked_kib: int) -> dict:
    return {**{metric: ns / 1000 for metric, ns in zip(("time", "p99 us", "p99.9 us", "max us"), latencies_ns)},
            "major faults": major_faults, "locked MiB": locked_kib / 1024}


def _touches(bench, sizes: Sizes, row) -> dict:
    with cgroup.limited_to(sizes.group) as group, contextlib.ExitStack() as end:
        argv = [bench.path("idle"), str(sizes.touches), str(sizes.idle)]
        idle = end.enter_context(_running(argv, row.environment, group))
        if row.name != ALONE:
            end.enter_context(_running([bench.path("hog"), str(sizes.hog)], None, group))
        before, locked = _major_faults(idle.pid), _locked_kib(idle.pid)
        said, _ = idle.communicate("begin\n", timeout=TIMEOUT_S)
        if idle.returncode:
            raise Failed(f"idle, {row.name}: status {idle.returncode}")
        faults = int(said.split()[-1]) - before
    return _result([float(word) for word in said.split()[:-1]], faults, locked)


def _gets(bench, sizes: Sizes, row) -> dict:
    with cgroup.limited_to(sizes.group) as group, contextlib.ExitStack() as end:
        server = end.enter_context(redis_server.running(row.environment, bench.scratch, group.enter))
        server.fill(sizes.keys)
        if row.name != ALONE:
            end.enter_context(_running([bench.path("hog"), str(sizes.hog)], None, group))
        before, locked = _major_faults(server.pid), _locked_kib(server.pid)
        argv = [bench.path("gets"), str(sizes.gets), server.socket, str(sizes.keys)]
        latencies = numbers(argv, {}, 4)
        faults = _major_faults(server.pid) - before
    return _result(latencies, faults, locked)


@contextlib.contextmanager
def _running(argv: list, environment: Optional[dict], group):
    """A program in the cgroup that has said that it is ready."""
    with open(os.devnull, "wb") as nowhere, subprocess.Popen(
            argv, env=environment or {}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=nowhere, text=True,
            preexec_fn=group.enter) as process:
        try:
            if process.stdout.readline() != "ready\n":
                raise Failed(f"{argv[0]} does not get as far as to be ready: status {process.wait(TIMEOUT_S)}")
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def _major_faults(pid: int) -> int:
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        return int(file.read().rpartition(")")[2].split()[9])


def _locked_kib(pid: int) -> int:
    """What the kernel says: a row that locks nothing shows nothing."""
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmLck:"))
