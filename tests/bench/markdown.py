"""Tables of docs/performance.md, each from what a run has found."""

from __future__ import annotations

from typing import Optional

import bars
from configurations import BARE, CONFIGURATIONS, REFERENCE
from figures import Figures


def _table(head: list, rows: list) -> list:
    """The first column is words, the others are numbers."""
    return ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)] + [
        "| " + " | ".join(row) + " |" for row in rows]


def number(value: Optional[float]) -> str:
    if value is None:
        return "–"
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _spread(figures: Figures, section: str, case: str, rows: list, metric: str = "time") -> str:
    """The largest of a case: how much of a difference is none."""
    return f"{max((figures.spread(section, case, row, metric) or 0) for row in rows):.0%}".replace("%", " %")


def _rows_of(figures: Figures, section: str, names: list, metric: str = "time") -> list:
    """Those of the names that the section has."""
    return [name for name in names if any(name in figures.rows(section, case, metric)
                                          for case in figures.cases(section))]


def _ratios(figures: Figures, section: str, names: list, columns: Optional[dict] = None) -> list:
    """A case a line: the bare program's median, what the others take of that, and `columns` of the section's own."""
    rows = _rows_of(figures, section, names)
    columns = columns or {}
    lines = []
    for case in figures.cases(section):
        bare = figures.median(section, case, BARE)
        unit = figures.unit(section, case).replace("us", "µs")
        lines.append([case, f"{number(bare)} {unit}",
                      *(number(figures.ratio(section, case, row, BARE)) for row in rows),
                      *(column(case) for column in columns.values()),
                      _spread(figures, section, case, [BARE, *rows])])
    return _table(["", BARE, *rows, *columns, "spread"], lines)


# --- one function a table ------------------------------------------------------------------------


def machine(figures: Figures) -> list:
    described, run = figures.result["machine"], figures.result["run"]
    limit = described["memlock_limit_bytes"]
    lines = [
        f"- {described['cpu']}, {described['cores']} cores, {described['memory_bytes'] / (1 << 30):.0f} GiB, "
        f"{described['architecture']}; Linux {described['kernel']}, {described['libc']}; transparent huge pages: "
        f"{described['huge_pages'] or 'none'}",
        f"- memlock limit {'none' if limit is None else f'{limit >> 10} KiB'}, "
        f"{'which does not hold' if described['may_lock_64M'] else 'which holds'} for who ran it; what locks: "
        + ", ".join(f"{found} (`{name}`)" for name, found in run["backends"].items()),
        f"- {described['date'][:10]}, {run['commit']}, built as {run['build_type'] or 'unknown'}; "
        f"{run['seconds'] / 60:.0f} minutes, load {described['load']} at the start; meanwhile others had "
        f"{run['disturbed']['others']:.1%} of the processors' time, and {run['disturbed']['stolen']:.1%} was stolen",
    ]
    left_out = [f"{name} ({reason})" for name, reason in figures.result["left_out"].items()]
    return lines + ([f"- left out: {', '.join(left_out)}"] if left_out else [])


def bars_reached(figures: Figures) -> list:
    rows = [[bar["bar"], bars.wanted_text(bar).rstrip(), bars.reached_text(bar), bars.verdict(bar), bar["where"]]
            for bar in bars.reached(figures)]
    return _table(["", "wanted", "reached", "", "at its worst"], rows)


def patterns(figures: Figures) -> list:
    return _ratios(figures, "patterns", [row.name for row in CONFIGURATIONS if row.name not in (BARE, "empty")])


def programs(figures: Figures) -> list:
    def over(row: str, other: str, metric: str):
        def column(case: str) -> str:
            ratio = figures.ratio("programs", case, row, other, metric)
            return "–" if ratio is None else f"{100 * (ratio - 1):+.1f} %"
        return column

    columns = {f"all over {REFERENCE}": over("all", REFERENCE, "time"),
               "alloc's locking, ms": lambda case: number(figures.median("programs", case, "alloc", "locking ms")),
               "alloc less its locking": over("alloc", BARE, "rest ms")}
    return _ratios(figures, "programs", [REFERENCE, "off", "all", "alloc", "alloc 64K"], columns)


def locking(figures: Figures) -> list:
    cases = figures.cases("locking")
    rows = list(dict.fromkeys(row for case in cases for row in figures.rows("locking", case, "GB/s")))
    lines = [[row, *(number(figures.median("locking", case, row, "GB/s")) for case in cases)] for row in rows]
    lines.append(["spread", *(_spread(figures, "locking", case, rows) for case in cases)])
    return _table(["GB/s", *cases], lines)


def pressure(figures: Figures) -> list:
    metrics = {"p50 µs": "time", "p99 µs": "p99 us", "p99.9 µs": "p99.9 us", "longest µs": "max us",
               "major faults": "major faults", "locked MiB": "locked MiB"}
    lines = [[f"{case}: {row}", *(number(figures.median("pressure", case, row, metric)) for metric in metrics.values())]
             for case in figures.cases("pressure") for row in figures.rows("pressure", case)]
    return _table(["", *metrics], lines)


def growth(figures: Figures) -> list:
    return _ratios(figures, "growth", ["all", "alloc"])


def startup(figures: Figures) -> list:
    case = "exec to main, exit to gone"
    lines = [[row, *(number(figures.median("startup", case, row, metric))
                     for metric in ("to main us", "to gone us", "time")),
              *(number(figures.added("startup", case, row, other)) for other in (BARE, "empty", REFERENCE)),
              number(figures.median("startup", "true", row)),
              _spread(figures, "startup", case, [row])]
             for row in figures.rows("startup", case)]
    return _table(["µs", "exec to main", "exit to gone", case, f"over {BARE}", "over empty", f"over {REFERENCE}", "true",
                   "spread"], lines)


def report(figures: Figures) -> list:
    """What is added, since the bare program does something else."""
    cases = figures.cases("report")
    rows = _rows_of(figures, "report", list(figures.rows("report", cases[0])) if cases else [])
    lines = [[case, *(number((figures.added("report", case, row, BARE) or 0) / 1000) for row in rows if row != BARE),
              _spread(figures, "report", case, rows)] for case in cases]
    return _table(["µs", *(row for row in rows if row != BARE), "spread"], lines)


def own_memory(figures: Figures) -> list:
    lines = []
    for case in figures.cases("own_memory"):
        for metric in figures.metrics("own_memory", case):
            for row in figures.rows("own_memory", case, metric):
                lines.append([f"{case}: {row}", metric, number(figures.median("own_memory", case, row, metric))])
    return _table(["", "of what", "median"], lines)


# The sections of a run that a table is made of; an empty one: of the run itself.
TABLES: dict = {"machine": (machine, ""), "bars": (bars_reached, ""), "patterns": (patterns, "patterns"),
                "programs": (programs, "programs"), "locking": (locking, "locking"), "pressure": (pressure, "pressure"),
                "growth": (growth, "growth"), "startup": (startup, "startup"),
                "report": (report, "report"), "own_memory": (own_memory, "own_memory")}


def table(name: str, figures: Figures) -> list:
    make, section = TABLES[name]
    reason = figures.skipped(section) if section else None
    return [f"Not measured: {reason}."] if reason else make(figures)
