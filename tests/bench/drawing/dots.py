"""Cases one below the other, in each a mark for every row: what is compared stands on one line."""

from __future__ import annotations

from drawing.scale import Linear, Log, short
from drawing.svg import Drawing, text_width

_WIDTH = 860
_LINE = 26


def draw(title: str, axis: str, cases: dict, series: dict, log: bool, marked: tuple = ()) -> str:
    """`cases`: {case: {row: value}}; `series`: {row: number of its colour}; `marked`: values that get a dashed line."""
    rows = [row for row in series if any(row in values for values in cases.values())]
    drawing = Drawing(_WIDTH, title, _words(axis, cases))
    top = drawing.legend(54, [(series[row], row) for row in rows])
    left = 24 + max(text_width(case) for case in cases)
    values = [value for found in cases.values() for value in found.values()] + list(marked)
    scale = (Log if log else Linear)(min(values), max(values), left, _WIDTH - 32)
    bottom = top + _LINE * len(cases)
    for tick in scale.ticks():
        drawing.line(scale.at(tick), top - 8, scale.at(tick), bottom)
        drawing.text(scale.at(tick), bottom + 16, short(tick), "dim", "middle", 12)
    for value in marked:
        drawing.line(scale.at(value), top - 8, scale.at(value), bottom, "dim", "4 3")
    for index, (case, found) in enumerate(cases.items()):
        y = top + _LINE * index + 8
        drawing.text(left - 12, y + 4, case, anchor="end")
        for row in rows:
            if row in found:
                drawing.mark(scale.at(found[row]), y, series[row], f"{case}, {row}: {found[row]:.3g}")
    drawing.text((left + _WIDTH - 32) / 2, bottom + 36, axis, "dim", "middle", 12)
    return drawing.render()


def _words(axis: str, cases: dict) -> str:
    return f"{axis}. " + ". ".join(
        f"{case}: " + ", ".join(f"{row} {value:.3g}" for row, value in found.items()) for case, found in cases.items())
