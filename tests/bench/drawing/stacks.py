"""Bars of parts, one a row."""

from __future__ import annotations

from drawing.scale import Linear, short
from drawing.svg import Drawing, text_width

_WIDTH = 860
_LINE = 28


def draw(title: str, axis: str, rows: dict, parts: list) -> str:
    """`rows`: {row: [value of each part]}; `parts`: their names."""
    drawing = Drawing(_WIDTH, title, f"{axis}. " + "; ".join(
        f"{row}: " + ", ".join(f"{part} {value:,.0f}" for part, value in zip(parts, values))
        for row, values in rows.items()))
    top = drawing.legend(54, list(enumerate(parts, 1)))
    left = 24 + max(text_width(row) for row in rows)
    scale = Linear(0, max(sum(values) for values in rows.values()), left, _WIDTH - 32)
    bottom = top + _LINE * len(rows)
    for tick in scale.ticks():
        drawing.line(scale.at(tick), top - 8, scale.at(tick), bottom)
        drawing.text(scale.at(tick), bottom + 16, short(tick), "dim", "middle", 12)
    for index, (row, values) in enumerate(rows.items()):
        y = top + _LINE * index
        drawing.text(left - 12, y + 14, row, anchor="end")
        begin = 0.0
        for number, (part, value) in enumerate(zip(parts, values), 1):
            x = scale.at(begin)
            drawing.bar(x, y + 2, scale.at(begin + value) - x, _LINE - 10, number, f"{row}, {part}: {value:,.0f}")
            begin += value
    drawing.text((left + _WIDTH - 32) / 2, bottom + 36, axis, "dim", "middle", 12)
    return drawing.render()
