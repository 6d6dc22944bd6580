"""Panels with lines: how something changes along an axis."""

from __future__ import annotations

from dataclasses import dataclass

from drawing.scale import Log, Named, short
from drawing.svg import Drawing

_WIDTH = 860
_HEIGHT = 250
_LEFT, _RIGHT, _BELOW = 58, 18, 58


@dataclass(frozen=True)
class Panel:
    title: str
    along: str  # what the axis is
    lines: dict  # {row: {place: value}}; places are numbers, or names if `named`
    named: bool = False
    labels: tuple = ()  # of the places, where they are not written as numbers


def draw(title: str, axis: str, panels: list, series: dict) -> str:
    columns = min(2, len(panels))
    drawing = Drawing(_WIDTH, title, _words(axis, panels))
    rows = [row for row in series if any(row in panel.lines for panel in panels)]
    top = drawing.legend(54, [(series[row], row) for row in rows])
    for index, panel in enumerate(panels):
        width = _WIDTH / columns
        x = index % columns * width
        y = top + index // columns * (_HEIGHT + _BELOW + 24)
        _panel(drawing, panel, axis, series, (x + _LEFT, x + width - _RIGHT, y + 24, y + 24 + _HEIGHT))
    return drawing.render()


def _panel(drawing: Drawing, panel: Panel, axis: str, series: dict, box: tuple) -> None:
    left, right, top, bottom = box
    places = list(dict.fromkeys(place for line in panel.lines.values() for place in line))
    values = [value for line in panel.lines.values() for value in line.values() if value > 0]
    across = Named(places, left, right) if panel.named else Log(min(places), max(places), left + 8, right - 8)
    up = Log(min(values), max(values), bottom, top)
    drawing.text(left - 40, top - 12, f"{panel.title}, {axis}", weight=600)
    for tick in up.ticks():
        drawing.line(left, up.at(tick), right, up.at(tick))
        drawing.text(left - 6, up.at(tick) + 4, short(tick), "dim", "end", 12)
    labels = panel.labels or [place if panel.named else short(place) for place in places]
    for place, label in zip(places, labels):
        drawing.text(across.at(place), bottom + 18, label, "dim", "middle", 12)
    drawing.text((left + right) / 2, bottom + 38, panel.along, "dim", "middle", 12)
    for row, number in series.items():
        points = {place: value for place, value in panel.lines.get(row, {}).items() if value > 0}
        drawing.path([(across.at(place), up.at(value)) for place, value in points.items()], number)
        for place, value in points.items():
            drawing.mark(across.at(place), up.at(value), number, f"{row}, {place}: {value:,.4g}")


def _words(axis: str, panels: list) -> str:
    return f"{axis}. " + " ".join(
        f"{panel.title}, along {panel.along}: " + "; ".join(
            f"{row} " + ", ".join(f"{value:.3g} at {place}" for place, value in line.items())
            for row, line in panel.lines.items()) + "." for panel in panels)
