"""Cases, and how they are measured: side by side, interleaved, repeated."""

from __future__ import annotations

import math
import os
import statistics
import subprocess
from dataclasses import dataclass, field
from typing import Callable, Optional

TIMEOUT_S = 300  # a hang ends here; no result depends on it
MOST_AMOUNT = 1 << 40
UNIT_NS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


@dataclass(frozen=True)
class Case:
    """Something to measure in every configuration.

    `measure(configuration, amount)` returns {metric: value}. With `amount` set it is called with that; otherwise the
    amount is chosen so that one run takes about as long as was asked for, given that the first metric is time per unit
    of it. The metric `time` is in `unit`; others have their unit in their name.
    """

    name: str
    measure: Callable[[object, int], dict]
    unit: str = "ns"
    amount: Optional[int] = None


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
    configurations: list
    run_ns: float  # how long one run should take
    quick: bool
    prepare: Callable  # Configurations -> those that are here, ready: for rows that only one section has

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


def number(argv: list, environment: dict) -> float:
    """The number that a program prints."""
    done = subprocess.run(argv, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", timeout=TIMEOUT_S, check=False)
    try:
        if done.returncode:
            raise ValueError
        return float(done.stdout)
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


def measure_case(case: Case, configurations, rounds: int, run_ns: float) -> dict:
    """{metric: {configuration name: Series}}"""
    amounts = {each.name: case.amount or calibrate(case, each, run_ns) for each in configurations}
    result: dict = {}
    for _ in range(rounds):
        for each in configurations:
            for metric, value in case.measure(each, amounts[each.name]).items():
                result.setdefault(metric, {}).setdefault(each.name, Series()).samples.append(value)
    return result
