#!/usr/bin/env python3
"""Draws what a run has found: chart.py BENCH.JSON DIRECTORY writes one SVG file a section there."""

from __future__ import annotations

import json
import os
import sys
from typing import Optional

from configurations import BARE, REFERENCE
from drawing import dots, lines, stacks
from drawing.lines import Panel
from figures import Figures
from sections import growth, pressure

# A row has the same colour and shape in all charts.
SERIES = {BARE: 0, "all": 1, "alloc": 2, "off": 3, "heaptrack": 4, REFERENCE: 5, "observe": 6, "naive": 7,
          "forwarding": 5, "alloc 64K": 6, "all onfault": 4, "alloc all kinds": 6, pressure.ALONE: 3}
_MIB = 1 << 20


def _only(*rows: str) -> dict:
    return {row: SERIES[row] for row in rows}


def _ratios(figures: Figures, section: str, rows: dict) -> dict:
    """{case: {row: times the bare program}}"""
    result = {}
    for case in figures.cases(section):
        found = {row: ratio for row in rows if row != BARE
                 and (ratio := figures.ratio(section, case, row, BARE)) is not None}
        if found:
            result[case] = found
    return result


def patterns(figures: Figures) -> Optional[str]:
    rows = _only("forwarding", "off", "all", "alloc", "heaptrack", "naive")
    cases = _ratios(figures, "patterns", rows)
    return dots.draw("What malloc and free cost", "times as long as without any library (logarithmic)", cases, rows,
                     True, (1,)) if cases else None


def programs(figures: Figures) -> Optional[str]:
    rows = _only(REFERENCE, "off", "all", "alloc", "alloc 64K")
    cases = _ratios(figures, "programs", rows)
    return dots.draw("Real programs", "times as long as without any library", cases, rows, False,
                     (1, 1.03)) if cases else None


def _size(label: str) -> int:
    number, unit = label.split()
    return int(number) * (_MIB if unit == "MiB" else 1024 * _MIB)


def locking(figures: Figures) -> Optional[str]:
    names = ("touch", "mlock", "all", "alloc", "all huge", "all both", "alloc both", "memset", "memset, huge")
    series = dict(zip(names, (0, 5, 1, 2, 3, 4, 8, 6, 7)))
    found = {row: {_size(case): speed for case in figures.cases("locking")
                   if (speed := figures.median("locking", case, row, "GB/s")) is not None} for row in names}
    found = {row: line for row, line in found.items() if line}
    if not found:
        return None
    panel = Panel("How fast memory is there and locked", "size of the mapping", found,
                  labels=tuple(figures.cases("locking")))
    return lines.draw("Bringing memory in, by the size of the mapping", "GB/s", [panel], series)


def under_pressure(figures: Figures) -> Optional[str]:
    metrics = {"p50": "time", "p99": "p99 us", "p99.9": "p99.9 us", "longest": "max us"}
    series = _only(BARE, pressure.ALONE, "all", "all onfault", "alloc")
    panels = []
    for case in figures.cases("pressure"):
        found = {row: {name: figures.median("pressure", case, row, metric) for name, metric in metrics.items()}
                 for row in series if row in figures.rows("pressure", case)}
        panels.append(Panel(case, "of all operations", found, named=True))
    return lines.draw("Latency where memory is short", "µs", panels, series) if panels else None


def as_it_grows(figures: Figures) -> Optional[str]:
    series = _only(BARE, "all", "alloc")
    panels = []
    for title, along, beginning in (("malloc and free of one more", "live blocks", "pair beside"),
                                    ("mmap and munmap of one more", "mappings", "mmap and munmap"),
                                    ("malloc and free, each thread by itself", "threads", "pair, "),
                                    ("malloc here, free there", "threads", "handoff")):
        cases = figures.cases("growth", beginning)
        found = {row: {growth.count_of(case): figures.median("growth", case, row) for case in cases
                       if row in figures.rows("growth", case)} for row in series}
        if cases:
            panels.append(Panel(title, along, {row: line for row, line in found.items() if line}))
    return lines.draw("What an operation costs as the program grows", "ns", panels, series) if panels else None


def startup(figures: Figures) -> Optional[str]:
    case, metrics = "exec to main, exit to gone", ("to main us", "to gone us")
    rows = {row: [figures.median("startup", case, row, metric) for metric in metrics]
            for row in figures.rows("startup", case)}
    return stacks.draw("Start and end of a program that does nothing", "µs", rows,
                       ["from exec to main", "from exit to gone"]) if rows else None


CHARTS = {"patterns": patterns, "programs": programs, "locking": locking, "pressure": under_pressure,
          "growth": as_it_grows, "startup": startup}


def draw_all(figures: Figures) -> dict:
    """{file name: SVG} of what was measured."""
    drawn = {f"{name}.svg": draw(figures) for name, draw in CHARTS.items()}
    return {name: svg for name, svg in drawn.items() if svg}


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        figures = Figures(json.load(file))
    os.makedirs(sys.argv[2], exist_ok=True)
    for name, drawn in draw_all(figures).items():
        with open(os.path.join(sys.argv[2], name), "w", encoding="utf-8") as file:
            file.write(drawn)


if __name__ == "__main__":
    main()
