"""What a run has found, looked up by section, case, row and metric."""

from __future__ import annotations

import statistics
from typing import Optional


class Figures:
    """Reads what bench.py writes. Everything that was not measured is None."""

    def __init__(self, result: dict):
        self.result = result
        self.sections = {section["name"]: section for section in result["sections"]}

    def skipped(self, section: str) -> Optional[str]:
        """Why there is nothing of it."""
        if section not in self.sections:
            return "not part of this run"
        return self.sections[section].get("skipped")

    def cases(self, section: str, beginning: str = "") -> list:
        return [case["name"] for case in self.sections.get(section, {}).get("cases", [])
                if case["name"].startswith(beginning)]

    def unit(self, section: str, case: str) -> str:
        return (self._case(section, case) or {}).get("unit", "")

    def metrics(self, section: str, case: str) -> list:
        return list((self._case(section, case) or {"metrics": {}})["metrics"])

    def rows(self, section: str, case: str, metric: str = "time") -> dict:
        return (self._case(section, case) or {"metrics": {}})["metrics"].get(metric, {})

    def median(self, section: str, case: str, row: str, metric: str = "time") -> Optional[float]:
        found = self.rows(section, case, metric).get(row)
        return found["median"] if found else None

    def spread(self, section: str, case: str, row: str, metric: str = "time") -> Optional[float]:
        found = self.rows(section, case, metric).get(row)
        return found["spread"] if found else None

    def ratio(self, section: str, case: str, row: str, other: str, metric: str = "time",
              other_metric: Optional[str] = None) -> Optional[float]:
        """The median of the ratios round by round."""
        mine = self.rows(section, case, metric).get(row)
        yardstick = self.rows(section, case, other_metric or metric).get(other)
        if not mine or not yardstick:
            return None
        ratios = [a / b for a, b in zip(mine["samples"], yardstick["samples"]) if b]
        return statistics.median(ratios) if ratios else None

    def added(self, section: str, case: str, row: str, other: str, metric: str = "time") -> Optional[float]:
        """The median of the differences round by round."""
        mine, yardstick = (self.rows(section, case, metric).get(name) for name in (row, other))
        if not mine or not yardstick:
            return None
        return statistics.median(a - b for a, b in zip(mine["samples"], yardstick["samples"]))

    def _case(self, section: str, name: str) -> Optional[dict]:
        for case in self.sections.get(section, {}).get("cases", []):
            if case["name"] == name:
                return case
        return None
