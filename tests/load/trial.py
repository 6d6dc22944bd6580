"""One server in several configurations side by side, each in a cgroup of its own with a hog of its own, all in the
same minutes: what disturbs the machine disturbs them alike.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field

import cgroup
import ending
import processes
import swap
from configurations import BARE, Ready
from judge import HELD
from measure import TIMEOUT_S, Failed
from own_memory import Library
from paced import Client, figures
from servers import Server

_POLL_S = 0.5
# What the hog goes round before the load begins, at the least and at the most.
_ROUNDS, _MOST_ROUNDS = 2, 30
_HOG_CHUNK, _HOG_PAUSE_MS = 1 << 20, 16


@dataclass
class Sample:
    seconds: float
    major: int  # since the load began; of all processes of the server
    swap_kib: int
    locked_kib: int
    rss_kib: int
    own: dict = field(default_factory=dict)  # {process: (who locks there, what the library has of it in KiB)}


@dataclass
class Side:
    """One configuration of the server."""

    row: Ready
    server: Server
    group: cgroup.Cgroup
    hog: subprocess.Popen | None = None
    traffic: object = None
    client: Client | None = None
    before: int = 0
    samples: list = field(default_factory=list)
    result: dict = field(default_factory=dict)
    wrong: list = field(default_factory=list)

    @property
    def is_bare(self) -> bool:
        return self.row.name == BARE

    def pids(self) -> list:
        """Of the server alone."""
        return [pid for pid in self.group.processes() if not self.hog or pid != self.hog.pid]

    def major(self) -> int:
        """Children that have ended are counted by who has waited for them."""
        return sum(_unless_gone(processes.major_faults, pid, 0) for pid in self.pids())

    def swapped(self) -> int:
        """In KiB: private memory of all its processes, and the memory that they share."""
        pids = self.pids()
        return sum(_unless_gone(processes.status, pid, processes.NOBODY).swap for pid in pids) + max(
            (_unless_gone(processes.shared_swap, pid, 0) for pid in pids), default=0)

    def sample(self, library: Library, begun: float) -> Sample:
        pids = self.pids()
        all_said = {pid: said for pid in pids if (said := _unless_gone(processes.status, pid, None))}
        own = {}
        if not self.is_bare:
            for pid, said in all_said.items():
                with contextlib.suppress(OSError, LookupError):
                    own[f"{said.name} {pid}"] = library.backend(pid), library.own_kib(pid)
        locked, rss = (sum(getattr(said, what) for said in all_said.values()) for what in ("locked", "rss"))
        seconds = round(time.monotonic() - begun, 1)
        sample = Sample(seconds, self.major() - self.before, self.swapped(), locked, rss, own)
        self.samples.append(sample)
        return sample


def _unless_gone(look, pid: int, otherwise):
    try:
        return look(pid)
    except (OSError, KeyError):
        return otherwise


@dataclass(frozen=True)
class Plan:
    operations: int  # of each client
    seconds: float | None  # when they end if they do not get that far
    sample_s: float
    library: Library
    hog: str


def run(server: type, rows: list, plan: Plan, say) -> list:
    """The sides, with what was measured, and what of it was wrong."""
    with contextlib.ExitStack() as end:
        sides = [_side(server, row, end) for row in rows]
        for side in sides:
            side.server.prepare()
            side.server.start()
            side.traffic = side.server.fill()
            side.result["filled"] = True
            side.before = side.major()
            say(f"{server.name}, {side.row.name}: filled")
        for side in sides:
            side.hog = end.enter_context(_hog(plan.hog, side))
        for side in sides:
            _press(side, side.is_bare)
        say(f"{server.name}: under pressure")
        _load(sides, plan, end)
        for side in sides:
            _guarded(side, "read back", lambda side=side: _read_back(side))
            side.result["major faults"] = side.major() - side.before
            # They have been pushed out and read in until here.
            side.hog.kill()
            side.hog.wait()
            side.hog = None
            side.result["killed for want of memory"] = side.group.killed()
        for side in sides:
            _guarded(side, "stop", lambda side=side: _stop(side))
            _guarded(side, "start again", lambda side=side: _again(side))
            say(f"{server.name}, {side.row.name}: stopped, and read again from its files")
        return sides


def _side(server: type, row: Ready, end: contextlib.ExitStack) -> Side:
    scratch = tempfile.mkdtemp(prefix="autolock-load.", dir=swap.DIRECTORY)
    end.callback(shutil.rmtree, scratch, True)
    os.chmod(scratch, 0o755)
    reports = os.path.join(scratch, "reports")
    os.mkdir(reports)
    os.chmod(reports, 0o1777)
    group = end.enter_context(cgroup.limited_to(server.limit))
    held = server.held if row.name == HELD else {}
    environment = {**row.environment, **held, "AUTOLOCK_STATS": "json",
                   "AUTOLOCK_STATS_FILE": os.path.join(reports, "%p")} if row.name != BARE else row.environment
    return Side(row, server(scratch, environment, group.enter), group)


def _guarded(side: Side, what: str, work) -> None:
    """What goes wrong in one configuration is told with all others."""
    try:
        work()
    except Failed as reason:
        side.wrong.append(f"{what}: {reason}")


@contextlib.contextmanager
def _hog(program: str, side: Side):
    with subprocess.Popen([program, str(side.server.hog), str(_HOG_CHUNK), str(_HOG_PAUSE_MS)], env={},
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=side.group.enter) as process:
        try:
            yield process
        finally:
            process.kill()


def _press(side: Side, until_out: bool) -> None:
    """The hog has gone round, and what has no locks is in swap."""
    for number in range(1, _MOST_ROUNDS + 1):
        if side.hog.stdout.readline() != b"round\n":
            raise Failed(f"{side.row.name}: the hog has ended: status {side.hog.wait(TIMEOUT_S)}")
        swapped = side.swapped() << 10
        if number >= _ROUNDS and (not until_out or swapped >= side.server.pushed_out):
            break
    else:
        raise Failed(f"{side.server.name} without locks is not pushed out: {swapped:,} bytes are in swap")
    # Nobody reads what it says from here on; a pipe's worth of rounds is hours.


def _load(sides: list, plan: Plan, end: contextlib.ExitStack) -> None:
    begun = time.monotonic()
    for side in sides:
        side.sample(plan.library, begun)
        side.client = Client(side.traffic, plan.operations, side.server.pace, plan.seconds)
        end.callback(side.client.kill)
    due = begun + plan.sample_s
    at_work = list(sides)
    while at_work:
        at_work = [side for side in at_work if not side.client.wait(_POLL_S / len(at_work))]
        if time.monotonic() >= due:
            for side in sides:
                side.sample(plan.library, begun)
            due = max(due + plan.sample_s, time.monotonic())
    for side in sides:
        side.sample(plan.library, begun)
        traffic, latencies, error = side.client.result()
        side.result.update({"seconds": round(time.monotonic() - begun, 1), "operations": len(latencies)})
        if error:
            side.wrong.append(f"client: {error.strip().splitlines()[-1]}; the server's log ends: {side.server.log_end()!r}")
        if traffic is not None:
            side.traffic = traffic
            side.result.update({"read": traffic.read, "written": traffic.written})
        if latencies:
            side.result["latency us"] = figures(latencies)


def _read_back(side: Side) -> None:
    side.traffic.connect()
    try:
        side.result["read back"] = side.traffic.read_back()
    finally:
        side.traffic.disconnect()


def _stop(side: Side) -> None:
    """Its end, what the kernel says of it then, and its reports held against that."""
    main = side.server.process
    end = ending.send(main, [pid for pid in side.pids() if pid != main.pid], side.server.stop_signal)
    side.result["status"] = end.status
    side.result["at the end"] = {f"{said.name} {pid}": said.locked for pid, said in sorted(end.last.items())}
    if side.is_bare:
        return
    told = _reports(side)
    side.result["reports"] = len(told)
    side.result["downgrades"] = sorted({entry["reason"] for report in told.values() for entry in report["downgrades"]})
    side.result["left unlocked"] = len(side.result["downgrades"]) + sum(
        report["skipped"]["budget"] for report in told.values())
    side.result["failures"] = sum(sum(report["failures"].values()) for report in told.values())
    side.result["major after the lock, as reported"] = sum(
        report["faults"]["major_after_lock"] for report in told.values())
    for pid, said in end.last.items():
        if pid not in told:
            side.wrong.append(f"report: process {pid}, {said.name}, has left none")
        elif told[pid]["locked"]["kernel_bytes"] != said.locked << 10:
            side.wrong.append(f"report: process {pid}, {said.name}, says {told[pid]['locked']['kernel_bytes']:,} bytes "
                              f"are locked, the kernel {said.locked << 10:,}")
    side.result["reports compared"] = len(end.last)


def _reports(side: Side) -> dict:
    """{pid: the last report}"""
    folder = os.path.join(side.server.scratch, "reports")
    found = {}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            for line in file:
                report = json.loads(line)
                found[report["pid"]] = report
        os.unlink(os.path.join(folder, name))
    return found


def _again(side: Side) -> None:
    side.server.start()
    _read_back(side)
    side.result["read back after a restart"] = side.result["read back"]
    crash = side.server.crash_signal()
    if crash is not None:
        # A last few, which only the log has.
        side.traffic.connect()
        for _ in range(100):
            request = side.traffic.request()
            side.traffic.check(request, side.traffic.ask(request))
        side.traffic.disconnect()
        side.server.process.send_signal(crash)
        side.server.process.wait(TIMEOUT_S)
        side.server.start()
        _read_back(side)
        side.result["read back after a crash"] = side.result["read back"]
    main = side.server.process
    status = ending.send(main, [pid for pid in side.pids() if pid != main.pid], side.server.stop_signal).status
    side.result["status again"] = status
