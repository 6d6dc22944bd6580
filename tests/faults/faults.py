"""
Makes each system call of the library fail with each errno, one at a time and at random, and holds what the program
does against what it does without the library.

    faults.py LIBRARY COMMAND INJECTOR PROGRAMS COMPILER quick|whole [--only SETTING] [--program NAME] [--json FILE]
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import queue
import sys
import time
from typing import NamedTuple

import cases
import driver
import injected
import judge
import table

# How many times a call's Nth time is looked for, and how many seeds there are for each.
NTH_MOST = 4
SEEDS = 1
STORMS = 40
STORMS_QUICK = 2


class Job(NamedTuple):
    setting: cases.Setting
    program: str
    faults: tuple
    when: str

    @property
    def found(self) -> tuple:
        return self.setting.name, self.faults[0].call, self.faults[0].faults[0], self.when

    def __str__(self) -> str:
        what = "everything" if len(self.faults) > 1 else f"{self.faults[0].call} {'|'.join(self.faults[0].faults)}"
        return f"[{self.setting.name}] {self.program}: {what} {self.when}"


class Usual(NamedTuple):
    """A program's runs without faults: without the library and with it."""

    bare: injected.Run
    traced: injected.Run
    reports: list

    def times(self, call: str) -> int:
        return self.traced.seen.of(call)


class Judged(NamedTuple):
    job: Job
    failed: int
    wrong: list


class Bench:
    """Places to work in, one for each worker, and what is usual."""

    def __init__(self, tools: injected.Tools, workers: int):
        self.tools = tools
        self.rows = table.read(("library", "behind"))
        self.places: queue.Queue = queue.Queue()
        self.all_places = [injected.Place(tools) for _ in range(workers)]
        self.usual: dict = {}

    def __enter__(self) -> "Bench":
        for place in self.all_places:
            self.places.put(place.__enter__())
        self.programs = {program.name: program for program in cases.programs(self.all_places[0])}
        return self

    def __exit__(self, *arguments) -> None:
        for place in self.all_places:
            place.__exit__(*arguments)

    def judged_by(self, place: injected.Place, faults: tuple) -> list:
        options = place.of_library()
        behind = self.rows.get(("behind", faults[0].call)) if faults else None
        if behind:
            options.append("-b")
            if behind.inside:
                options += ["-i", injected.range_of(self.tools, behind.inside)]
        return options

    def run(self, setting: cases.Setting, name: str, faults: tuple = (), when: str = "each",
            judged: list | None = None, **more) -> injected.Run:
        place = self.places.get()
        try:
            program = [each for each in cases.programs(place) if each.name == name][0]
            return place.run(program.command, setting.environment, judged or self.judged_by(place, faults), list(faults),
                             when=when, user=setting.user, memlock=setting.memlock, stdin=program.stdin, **more)
        finally:
            self.places.put(place)

    def know(self, setting: cases.Setting, name: str) -> None:
        bare = self.run(setting, name, preload=False)
        traced = self.run(setting, name, trace=True)
        wrong = judge.as_bare(bare, traced)
        found = judge.reports(traced, wrong)
        wrong += judge.true_reports(found, found, traced.seen, set(traced.seen.calls) and {"mlock", "mlock2"})
        assert not wrong, f"[{setting.name}] {name}, nothing fails: {wrong}"
        if setting.variables.get("MODE") != "off":
            assert traced.seen.calls, f"[{setting.name}] {name}: the library was not loaded"
        self.usual[setting.name, name] = Usual(bare, traced, found)

    def as_its_own(self, job: Job, run: injected.Run) -> bool:
        """Against the program without the library where its own calls fail in the same way."""
        own = [(call, errno) for fault in job.faults if ("library", fault.call) in self.rows
               for call in self.rows["library", fault.call].instead for errno in fault.faults]
        for call, errno in own:
            failing = self.run(job.setting, job.program, (injected.Fault(call, (errno,)),), preload=False, judged=["-a"])
            if judge.in_stead(self.usual[job.setting.name, job.program].bare, failing, run):
                return True
        return False

    def judge(self, job: Job) -> Judged:
        usual = self.usual[job.setting.name, job.program]
        run = self.run(job.setting, job.program, job.faults, job.when)
        wrong = judge.as_bare(usual.bare, run)
        if run.hung:
            judge.show(job, wrong)
            return Judged(job, 0, wrong)
        if wrong and job.found not in cases.FOUND and self.as_its_own(job, run):
            wrong = []
        halves = job.faults[0].call == "write" and job.faults[0].faults == (table.SHORT,)
        if wrong and halves and judge.among_halves(usual.bare, run):
            wrong = []
        # What is written in halves mixes.
        found = judge.reports(run, [] if halves else wrong)
        # Of msync EBUSY is no failure, but the kernel's word that something of it is locked.
        misled = any(fault.call == "msync" and "EBUSY" in fault.faults for fault in job.faults)
        wrong += judge.true_reports(found, usual.reports, run.seen, {fault.call for fault in job.faults}, misled)
        if wrong:
            judge.show(job, wrong)
        return Judged(job, run.seen.failed, wrong)


# -- what is done ----------------------------------------------------------------------------------

def seen_rows(bench: Bench, setting: cases.Setting, name: str) -> list:
    """The rows of the calls that the library makes there."""
    made = {call for call, _ in bench.usual[setting.name, name].traced.seen.calls}
    return [row for (_, call), row in bench.rows.items() if row.fails and (call in made or row.unseen or row.who == "behind")]


def quick_jobs(bench: Bench, settings: tuple) -> list:
    """Each call with one errno, each time: another one in each setting."""
    jobs = []
    for turn, setting in enumerate(settings):
        for row in seen_rows(bench, setting, "families"):
            if row.unseen:
                continue
            fault = row.fails[turn % len(row.fails)]
            jobs.append(Job(setting, "families", (injected.Fault(row.call, (fault,)),), row.whens(fault)))
    jobs += [storm(bench, setting, "families", seed) for setting in settings for seed in range(STORMS_QUICK)]
    return jobs + found_jobs(settings)


def found_jobs(settings: tuple) -> list:
    by_name = {setting.name: setting for setting in settings}
    return [Job(by_name[name], "families", (injected.Fault(call, (fault,)),), when)
            for name, call, fault, when in cases.FOUND if name in by_name]


def storm(bench: Bench, setting: cases.Setting, name: str, seed: int) -> Job:
    """Everything at random. What is cut may lie anywhere between the program's words, so nothing is."""
    faults = tuple(injected.Fault(row.call, tuple(fault for fault in row.fails if fault != table.SHORT))
                   for row in bench.rows.values() if row.fails and row.who == "library" and not row.always)
    return Job(setting, name, faults, f"random:{seed}:{(20, 100, 300, 600)[seed % 4]}")


def whole_jobs(bench: Bench, settings: tuple, names: list) -> list:
    jobs = []
    for setting in settings:
        for name in names:
            own = name == "families"
            if not own and setting not in cases.REAL:
                continue
            for row in seen_rows(bench, setting, name):
                times = bench.usual[setting.name, name].times(row.call)
                for fault in row.fails:
                    faults = (injected.Fault(row.call, (fault,)),)
                    jobs.append(Job(setting, name, faults, row.whens(fault)))
                    if row.unseen or row.always or not own:
                        continue
                    jobs += [Job(setting, name, faults, str(nth)) for nth in some(times)]
                    jobs += [Job(setting, name, faults, f"random:{seed}:250") for seed in range(1, SEEDS + 1)]
            if setting.variables.get("STATS") == "json":
                jobs += [storm(bench, setting, name, seed) for seed in range(STORMS if own else STORMS // 4)]
    return jobs + (found_jobs(settings) if "families" in names else [])


def some(times: int) -> list:
    """The first ones, and some of the others up to the last."""
    first = list(range(1, min(times, NTH_MOST // 2) + 1))
    rest = [times - (times - len(first)) * turn // (NTH_MOST // 2) for turn in range(NTH_MOST // 2)]
    return sorted({*first, *(nth for nth in rest if nth > len(first))})


def show(results: list, began: float) -> dict:
    kinds = collections.Counter(result.job.when.split(":")[0] if not result.job.when.isdigit() else "Nth"
                                for result in results)
    counts = {
        **driver.counts_of(results, began),
        "calls": len({fault.call for result in results if result.failed for fault in result.job.faults}),
        "pairs": len({(result.job.faults[0].call, result.job.faults[0].faults[0]) for result in results
                      if result.failed and len(result.job.faults) == 1}),
        "settings": len({result.job.setting.name for result in results}),
        "programs": len({result.job.program for result in results}),
        **{f"runs_{kind}": count for kind, count in sorted(kinds.items())},
    }
    print(f"COUNT: {counts['runs']} runs in which calls fail")
    print(f"COUNT: {counts['faults']} faults injected")
    print(f"COUNT: {counts['pairs']} pairs of a call and an errno")
    return counts


def judge_all(options: argparse.Namespace, tools: injected.Tools) -> dict:
    began = time.monotonic()
    with Bench(tools, options.workers) as bench:
        settings = cases.KEY if options.part == "quick" else cases.SETTINGS
        settings = tuple(each for each in settings if options.only in (None, each.name))
        names = ["families"] if options.part == "quick" else list(bench.programs)
        names = [name for name in names if options.program in (None, name)]
        pairs = [(setting, name) for setting in settings for name in names
                 if name == "families" or setting in cases.REAL]
        with concurrent.futures.ThreadPoolExecutor(options.workers) as pool:
            list(pool.map(lambda pair: bench.know(*pair), pairs))
        jobs = quick_jobs(bench, settings) if options.part == "quick" else whole_jobs(bench, settings, names)
        if options.call:
            jobs = [job for job in jobs if len(job.faults) == 1 and job.faults[0].call == options.call]
        return show(driver.judged(bench.judge, jobs, options), began)


def main() -> int:
    parser = driver.arguments(__doc__)
    parser.add_argument("--only", help="settings whose name is this")
    parser.add_argument("--program", help="programs whose name is this")
    options = parser.parse_args()
    return driver.run(options, lambda tools: judge_all(options, tools))


if __name__ == "__main__":
    sys.exit(main())
