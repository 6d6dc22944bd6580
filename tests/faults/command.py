"""
Makes each system call of the command fail with each errno: the program that it runs does what it does by itself, or
the command ends with a status that it is known for, and says why.

    command.py LIBRARY COMMAND INJECTOR PROGRAMS COMPILER quick|whole [--only NAME] [--call CALL] [--json FILE]
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import contextlib
import queue
import re
import subprocess
import sys
import time
from typing import NamedTuple

import driver
import injected
import judge
import table

NTH_MOST = 16
SEEDS = 2

_RUN = {1, 78, 86, 125, 126, 127}


class Scenario(NamedTuple):
    name: str
    arguments: list  # PROGRAM, PID and REPORT are put in
    statuses: set  # that it has of its own
    program: list = []  # what it runs
    same: bool = False  # what it prints is what it always prints


_SH = ["/bin/sh", "-c", "echo one; echo two >&2; exit 0"]
_OWN = ["PROGRAM"]

SCENARIOS = (
    Scenario("run", ["run"], _RUN, _OWN),
    Scenario("run, an end with 0", ["run", "--mode", "observe"], _RUN, _SH),
    Scenario("run, required and expected",
             ["run", "--mode", "alloc", "--require", "--init", "--expect", "failures>=0",
              "--json", "BESIDE/gate.json", "--junit", "BESIDE/gate.xml"], _RUN, _SH),
    Scenario("run, a page", ["run", "--report", "BESIDE/page.html", "--sample-interval", "10ms", "--tree",
                             "--progress", "--pdeathsig", "KILL"], _RUN, _OWN),
    Scenario("run, faults", ["run", "--faults=BESIDE/faults.json", "--duration", "60s"], _RUN, _SH),
    Scenario("check", ["check", "/usr/bin/sort"], {0, 1, 2, 64, 74}),
    Scenario("check, json", ["check", "--format", "json", "/usr/bin/sort"], {0, 1, 2, 64, 74}),
    Scenario("status", ["status", "PID"], {0, 1, 64, 74}),
    Scenario("status, json", ["status", "--format", "json", "PID"], {0, 1, 64, 74}),
    Scenario("export", ["export", "--textfile", "BESIDE", "--once", "PID"], {0, 1, 64}),
    Scenario("report", ["report", "REPORT"], {0, 1, 64, 65}, same=True),
    Scenario("report, a page", ["report", "--html", "BESIDE/page.html", "REPORT"], {0, 1, 64, 65}, same=True),
    Scenario("help", ["--help"], {0, 1, 64, 74}, same=True),
)
QUICK = ("run", "run, required and expected", "check", "status", "report, a page")

# What has been found: in every run.
FOUND = (
    ("run, faults", injected.Fault("write", ("EBADF",))),  # waited for ever for its own thread
)

_OURS = re.compile(rb"^(?:autolock\b|libautolock\b|  ).*\n", re.M)


class Job(NamedTuple):
    scenario: Scenario
    fault: injected.Fault

    def __str__(self) -> str:
        return f"[{self.scenario.name}] {self.fault}"


class Usual(NamedTuple):
    bare: injected.Run | None  # of the program by itself
    traced: injected.Run


class Judged(NamedTuple):
    job: Job
    failed: int
    wrong: list


class Bench:
    def __init__(self, tools: injected.Tools, workers: int):
        self.tools = tools
        self.rows = table.read(("command",))
        self.places: queue.Queue = queue.Queue()
        self.workers = workers
        self.usual: dict = {}

    def __enter__(self) -> "Bench":
        with contextlib.ExitStack() as stack:
            for _ in range(self.workers):
                self.places.put(stack.enter_context(injected.Place(self.tools)))
            sleeper = stack.enter_context(subprocess.Popen(
                ["sleep", "100000"], env={"LD_PRELOAD": self.tools.library, "AUTOLOCK_STATS": "off",
                                          "PATH": "/usr/bin:/bin"}))
            stack.callback(sleeper.terminate)
            place = self.places.queue[0]
            self.words = {"PROGRAM": str(self.tools.programs / "families"), "PID": str(sleeper.pid),
                          "REPORT": str(place.path / "report.json")}
            subprocess.run(["true"], check=True, env={
                "LD_PRELOAD": self.tools.library, "AUTOLOCK_STATS": "json", "PATH": "/usr/bin:/bin",
                "AUTOLOCK_STATS_FILE": self.words["REPORT"]})
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *arguments) -> None:
        self.stack.close()

    def words_of(self, parts: list) -> list:
        return [self.words.get(part, part) for part in parts]

    def run(self, scenario: Scenario, fault: injected.Fault | None = None, trace: bool = False,
            by_itself: bool = False) -> injected.Run:
        place = self.places.get()
        try:
            command = self.words_of(scenario.program)
            if not by_itself:
                command = [self.tools.command, *self.words_of(scenario.arguments), *(["--"] if command else []),
                           *command]
            return place.run(command, {} if by_itself else {"AUTOLOCK_STATS": "off"}, ["-p", self.tools.command],
                             [fault] if fault else [], trace=trace, preload=False)
        finally:
            self.places.put(place)

    def know(self, scenario: Scenario) -> None:
        bare = self.run(scenario, by_itself=True) if scenario.program else None
        traced = self.run(scenario, trace=True)
        usual = Usual(bare, traced)
        wrong = self.wrong(scenario, usual, traced)
        assert not wrong and (bare is None or traced.status == bare.status), f"{scenario.name}: {wrong} {traced}"
        self.usual[scenario.name] = usual

    def wrong(self, scenario: Scenario, usual: Usual, run: injected.Run,
              fault: injected.Fault | None = None) -> list:
        if run.hung:
            return ["it hangs"]
        if run.status not in scenario.statuses | {usual.traced.status}:
            return [f"status {run.status}: {run.err[-400:]!r}"]
        said = bool(_OURS.search(run.err)) or (fault is not None and fault.call in ("write", "writev"))
        if run.status != usual.traced.status and not said and not (run.out and not scenario.program):
            return [f"status {run.status} without a word: {run.out[-200:]!r} {run.err[-200:]!r}"]
        if usual.bare is not None:
            return self.wrong_of_program(usual.bare, run)
        if scenario.same and run.status == usual.traced.status and run.out != usual.traced.out:
            return [f"output {run.out[-300:]!r}, and status {run.status}"]
        return []

    @staticmethod
    def wrong_of_program(bare: injected.Run, run: injected.Run) -> list:
        err = _OURS.sub(b"", judge.without_ours(run.err))
        if run.status == bare.status or run.status in (1, 86, 125):
            ran = run.out == bare.out and err == bare.err
            not_run = run.status == 125 and not run.out and not err
            if run.status == 1 and bare.status:
                return [f"status 1 instead of {bare.status}: {run.err[-300:]!r}"]
            return [] if ran or not_run else [f"status {run.status}, output {run.out[-300:]!r}, error {run.err[-300:]!r}"]
        return [f"status {run.status}, and it ran: {run.out[-300:]!r}"] if run.out else []

    def judge(self, job: Job) -> Judged:
        run = self.run(job.scenario, job.fault)
        wrong = self.wrong(job.scenario, self.usual[job.scenario.name], run, job.fault)
        if wrong:
            judge.show(job, wrong)
        return Judged(job, run.seen.failed, wrong)

    def calls_of(self, scenario: Scenario) -> dict:
        """{call: times}, in a run without faults."""
        times: collections.Counter = collections.Counter()
        for (call, _), (count, _) in self.usual[scenario.name].traced.seen.calls.items():
            times[call] += count
        return times

    def missing(self) -> set:
        made = {call for scenario in SCENARIOS if scenario.name in self.usual for call in self.calls_of(scenario)}
        return made - {call for _, call in self.rows}


def jobs_of(bench: Bench, scenario: Scenario, turn: int, whole: bool) -> list:
    jobs = []
    for call, times in sorted(bench.calls_of(scenario).items()):
        row = bench.rows["command", call]
        fails = row.fails if whole else row.fails[turn % len(row.fails):][:1] if row.fails else ()
        for fault in fails:
            jobs.append(Job(scenario, injected.Fault(call, (fault,), row.whens(fault))))
            if not whole or row.always:
                continue
            nths = sorted({*range(1, min(times, NTH_MOST) + 1), times})
            jobs += [Job(scenario, injected.Fault(call, (fault,), str(nth))) for nth in nths]
            jobs += [Job(scenario, injected.Fault(call, (fault,), f"random:{seed}:200"))
                     for seed in range(1, SEEDS + 1)]
    return jobs


def show(results: list, began: float) -> dict:
    counts = {
        **driver.counts_of(results, began),
        "pairs": len({(result.job.fault.call, result.job.fault.faults[0]) for result in results if result.failed}),
        "calls": len({result.job.fault.call for result in results if result.failed}),
        "scenarios": len({result.job.scenario.name for result in results}),
    }
    print(f"COUNT: {counts['runs']} runs of the command in which calls fail")
    print(f"COUNT: {counts['faults']} faults injected into the command")
    print(f"COUNT: {counts['pairs']} pairs of a call of the command and an errno")
    return counts


def judge_all(options: argparse.Namespace, tools: injected.Tools) -> dict:
    began = time.monotonic()
    whole = options.part == "whole"
    known = QUICK + tuple(name for name, _ in FOUND)
    scenarios = [each for each in SCENARIOS if (whole or each.name in known) and options.only in (None, each.name)]
    with Bench(tools, options.workers) as bench:
        with concurrent.futures.ThreadPoolExecutor(options.workers) as pool:
            list(pool.map(bench.know, scenarios))
        assert not bench.missing(), f"calls.table has no row for these of the command: {sorted(bench.missing())}"
        jobs = [job for turn, scenario in enumerate(scenarios) if whole or scenario.name in QUICK
                for job in jobs_of(bench, scenario, turn, whole)]
        jobs += [Job(scenario, fault) for scenario in scenarios for name, fault in FOUND if name == scenario.name]
        jobs = [job for job in jobs if options.call in (None, job.fault.call)]
        return show(driver.judged(bench.judge, jobs, options), began)


def main() -> int:
    parser = driver.arguments(__doc__)
    parser.add_argument("--only", help="the scenario of this name")
    options = parser.parse_args()
    return driver.run(options, lambda tools: judge_all(options, tools))


if __name__ == "__main__":
    sys.exit(main())
