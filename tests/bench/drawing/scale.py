"""From values to places on paper, and the values that are written beside an axis."""

from __future__ import annotations

import math


def short(value: float) -> str:
    """A number as it is written beside an axis."""
    for limit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:g}{letter}"
    return f"{value:g}"


class Linear:
    def __init__(self, low: float, high: float, start: float, end: float):
        step = 10 ** math.floor(math.log10((high - low) / 4))
        while (high - low) / step > 8:
            step *= 2 if str(step).strip("0.")[:1] in ("1", "5") else 2.5
        self.step = step
        self.low, self.high = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
        self.start, self.end = start, end

    def at(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> list:
        count = round((self.high - self.low) / self.step)
        return [round(self.low + index * self.step, 10) for index in range(count + 1)]


class Log:
    """At least one power of ten, so that what hardly changes looks like it."""

    def __init__(self, low: float, high: float, start: float, end: float):
        self.low, self.high = math.log10(low) - 0.03, math.log10(high) + 0.03
        missing = max(0.0, 1 - (self.high - self.low))
        self.low, self.high = self.low - missing / 2, self.high + missing / 2
        self.start, self.end = start, end

    def at(self, value: float) -> float:
        return self.start + (math.log10(value) - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> list:
        factors = (1,) if self.high - self.low > 2.5 else (1, 2, 5)
        powers = range(math.floor(self.low), math.ceil(self.high) + 1)
        return [factor * 10.0 ** power for power in powers for factor in factors
                if self.low <= math.log10(factor * 10.0 ** power) <= self.high]


class Named:
    """Places side by side, each with its name."""

    def __init__(self, names: list, start: float, end: float):
        self.names = names
        self.start, self.step = start, (end - start) / max(len(names), 1)

    def at(self, name: str) -> float:
        return self.start + (self.names.index(name) + 0.5) * self.step
