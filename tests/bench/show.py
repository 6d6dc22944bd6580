"""Tables for people, JSON for machines."""

from __future__ import annotations

import math

from configurations import BARE


def case_lines(case, metric: str, rows: dict) -> list:
    """One case: a line a configuration."""
    yardsticks = [name for name in case.yardsticks if name in rows]
    width = max(len(name) for name in rows)
    unit = case.unit if metric == "time" else metric
    out = [f"{case.name}" + ("" if metric == "time" else f": {metric}"),
           f"  {'':{width}}  {'median':>11} {unit:<4} {'best':>11} {'spread':>7}"
           + "".join(f" {'/' + name:>12}" for name in yardsticks) + (f" {'added':>11}" if BARE in rows else "")]
    for name, series in rows.items():
        line = (f"  {name:{width}}  {_number(series.median):>11} {'':4} {_number(best(metric, series)):>11} "
                f"{series.spread:>6.0%} ")
        line += "".join(f" {_ratio(series.ratio(rows[other])):>12}" for other in yardsticks)
        if BARE in rows:
            line += f" {'' if name == BARE else _number(series.median - rows[BARE].median):>11}"
        out.append(line.rstrip())
    return out


def best(metric: str, series) -> float:
    return max(series.samples) if metric.endswith("/s") else min(series.samples)


def overview_lines(cases: list) -> list:
    """All cases on one page: medians of ratios to the bare program."""
    compared = [(label, rows) for label, rows in cases if BARE in rows]
    if not compared:
        return []
    names = list(dict.fromkeys(name for _, rows in compared for name in rows))
    width = max(len(label) for label, _ in compared)
    out = [f"{'times ' + BARE:{width}}" + "".join(f" {name:>{max(10, len(name))}}" for name in names)]
    for label, rows in compared:
        cells = (_ratio(rows[name].ratio(rows[BARE])) if name in rows else "" for name in names)
        out.append(f"{label:{width}}" + "".join(f" {cell:>{max(10, len(name))}}" for cell, name in zip(cells, names)))
    return out


def case_json(case, result: dict) -> dict:
    return {
        "name": case.name,
        "unit": case.unit,
        "metrics": {metric: {name: _series_json(case, metric, series, rows) for name, series in rows.items()}
                    for metric, rows in result.items()},
    }


def _series_json(case, metric: str, series, rows: dict) -> dict:
    ratios = {name: series.ratio(rows[name]) for name in case.yardsticks if name in rows}
    return {
        "median": series.median,
        "best": best(metric, series),
        "spread": series.spread,
        "samples": series.samples,
        "ratios": {name: None if math.isnan(ratio) else ratio for name, ratio in ratios.items()},
    }


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.1f}" if abs(value) >= 10 else f"{value:,.2f}"


def _ratio(value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}" if value >= 0.1 else f"{value:.4f}"
