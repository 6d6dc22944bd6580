"""Cases, and how they are measured: side by side, interleaved, repeated."""

from __future__ import annotations

import contextlib
import math
import os
import statistics
import subprocess
from dataclasses import dataclass, field
from typing import Callable, Optional

from configurations import YARDSTICKS

TIMEOUT_S = 300  # a hang ends here; no result depends on it
ROUNDS = 7
MOST_AMOUNT = 1 << 40
UNIT_NS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


@dataclass
class Case:
    """Something to measure in every configuration.

    `measure(configuration, amount)` returns {metric: value}. With `amount` set it is called with that; otherwise the
    amount is chosen so that one run takes about as long as was asked for, given that the first metric is time per unit
    of it. The metric `time` is in `unit`; others have their unit in their name, and of what is per second (`…/s`) more
    is better.
    """

    name: str
    measure: Callable[[object, int], dict]
    unit: str = "ns"
    amount: Optional[int] = None
    rows: Optional[list] = None  # those of the section, unless it says others
    rounds: int = ROUNDS  # how many where nobody asks for a number of them
    yardsticks: tuple = YARDSTICKS


@dataclass
class Series:
    """The samples of one metric, in one configuration. Index r of all series was measured in the same round."""

    samples: list = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def spread(self) -> float:
        """The middle half of the samples, as a share of the median."""
        if len(self.samples) < 2 or not self.median:
            return 0.0
        low, _, high = statistics.quantiles(self.samples, n=4, method="inclusive")
        return (high - low) / self.median

    def ratio(self, yardstick: "Series") -> float:
        """The median of the ratios round by round: what disturbs a whole round cancels out."""
        ratios = [mine / other for mine, other in zip(self.samples, yardstick.samples) if other]
        return statistics.median(ratios) if ratios else math.nan


@dataclass(frozen=True)
class Bench:
    """What a section gets."""

    programs: str  # directory of the patterns
    scratch: str
    configurations: list  # the usual rows
    run_ns: float  # how long one run should take
    quick: bool
    long: bool
    prepare: Callable  # Configurations -> those that are here, ready: for rows that only one section has
    rows: Callable  # names -> rows of configurations.py that are here, ready
    leave_out: Callable  # what, why: something that cannot be measured here
    section_end: contextlib.ExitStack  # what has to be taken down when the section is over

    def path(self, program: str) -> str:
        return os.path.join(self.programs, program)

    def program(self, name: str, *argv: str, unit: str = "ns") -> Case:
        """A pattern that takes its iterations first and prints ns per operation."""
        path, rest = self.path(argv[0]), list(argv[1:])

        def measure(configuration, amount: int) -> dict:
            return {"time": number([path, str(amount), *rest], configuration.environment)}

        return Case(name, measure, unit)


class Failed(Exception):
    """A program that is measured did not do its work."""


class Skipped(Exception):
    """A section cannot be measured here; the text is the reason."""


def number(argv: list, environment: dict) -> float:
    """The number that a program prints."""
    return numbers(argv, environment, 1)[0]


def numbers(argv: list, environment: dict, count: int) -> list:
    """The numbers that a program prints in one line."""
    done = subprocess.run(argv, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", timeout=TIMEOUT_S, check=False)
    try:
        found = [float(word) for word in done.stdout.split()]
        if done.returncode or len(found) != count:
            raise ValueError
        return found
    except ValueError:
        raise Failed(f"{' '.join(argv)}: status {done.returncode}, printed {done.stdout.strip()!r}: "
                     f"{done.stderr.strip()[-500:]}") from None


def calibrate(case: Case, configuration, run_ns: float) -> int:
    """An amount that takes about as long as one run should. Costs less than one run itself."""
    amount = 16
    while True:
        per_unit = max(next(iter(case.measure(configuration, amount).values())) * UNIT_NS[case.unit], 0.01)
        wanted = max(1, min(MOST_AMOUNT, int(run_ns / per_unit)))
        # A short run says little about a long one: go there in steps.
        if wanted <= amount * 32:
            return wanted
        amount *= 32


def measure_together(cases: list, rounds: Callable, run_ns: float) -> list:
    """For each case {metric: {configuration name: Series}}. All are in each round, one after the other; `rounds` says
    for a case how many there are."""
    amounts = [{row.name: case.amount or calibrate(case, row, run_ns) for row in case.rows} for case in cases]
    results: list = [{} for _ in cases]
    for turn in range(max(rounds(case) for case in cases)):
        for case, amount, result in zip(cases, amounts, results):
            if turn >= rounds(case):
                continue
            for row in case.rows:
                for metric, value in case.measure(row, amount[row.name]).items():
                    result.setdefault(metric, {}).setdefault(row.name, Series()).samples.append(value)
    return results
