"""A drawing as SVG text, readable on light and on dark pages, with its text alternative."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

# Of a series: its colour on a light page and on a dark one. The order is that of SERIES in chart.py; shapes differ too,
# for those who see no colours.
COLOURS = (
    ("#57606a", "#9da7b1"), ("#0969da", "#58a6ff"), ("#bc4c00", "#f0883e"), ("#1a7f37", "#3fb950"),
    ("#8250df", "#bc8cff"), ("#bf3989", "#f778ba"), ("#9a6700", "#d4a72c"), ("#cf222e", "#ff7b72"),
    ("#1b7c83", "#39c5cf"),
)

_PLAIN = {"page": ("#ffffff", "#0d1117"), "ink": ("#1f2328", "#e6edf3"), "dim": ("#59636e", "#9198a1"),
          "grid": ("#d8dee4", "#2f353d")}
_FONT = 'system-ui, "Segoe UI", "DejaVu Sans", sans-serif'
SIZE = 13  # of letters
_WIDTH = 0.6  # of a letter, of its size, at the most


def text_width(text: str, size: int = SIZE) -> float:
    return len(text) * size * _WIDTH


class Drawing:
    def __init__(self, width: int, title: str, description: str):
        self.width = width
        self.height = 0
        self.title = title
        self.description = description
        self.parts: list = []
        self.text(16, 26, title, size=16, weight=600)

    def text(self, x: float, y: float, text: str, colour: str = "ink", anchor: str = "start", size: int = SIZE,
             weight: int = 400) -> None:
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{colour}" text-anchor="{anchor}" font-size="{size}"'
                          f' font-weight="{weight}">{escape(text)}</text>')
        self.height = max(self.height, int(y) + 14)

    def line(self, x1: float, y1: float, x2: float, y2: float, colour: str = "grid", dashes: str = "") -> None:
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="line {colour}"'
                          f'{dashed}/>')
        self.height = max(self.height, int(max(y1, y2)) + 8)

    def path(self, points: list, series: int) -> None:
        if len(points) > 1:
            along = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            self.parts.append(f'<polyline points="{along}" class="path s{series}"/>')

    def bar(self, x: float, y: float, width: float, height: float, series: int, hint: str) -> None:
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" height="{height:.1f}"'
                          f' class="s{series}"><title>{escape(hint)}</title></rect>')
        self.height = max(self.height, int(y + height) + 8)

    def mark(self, x: float, y: float, series: int, hint: str) -> None:
        """The shape of a series, about ten points across. The hint shows when it is pointed at."""
        shapes = (
            lambda: f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.6"',
            lambda: f'<rect x="{x - 4.2:.1f}" y="{y - 4.2:.1f}" width="8.4" height="8.4"',
            lambda: f'<path d="M{x:.1f} {y - 5.4:.1f} l5.2 9.4 h-10.4 z"',
            lambda: f'<path d="M{x:.1f} {y - 5.8:.1f} l5.8 5.8 l-5.8 5.8 l-5.8 -5.8 z"',
            lambda: f'<path d="M{x:.1f} {y + 5.4:.1f} l5.2 -9.4 h-10.4 z"',
        )
        shape = shapes[series % len(shapes)]()
        self.parts.append(f'{shape} class="s{series} edge"><title>{escape(hint)}</title></path>'
                          .replace("</path>", f"</{shape[1:].split()[0]}>"))

    def legend(self, y: float, names: list) -> float:
        """Names with the shapes of their series, in as many lines as it takes. Returns where the next thing may be."""
        x = 24.0
        for series, name in names:
            width = 34 + text_width(name)
            if x > 24 and x + width > self.width - 16:
                x, y = 24.0, y + 22
            self.mark(x, y - 4, series, name)
            self.text(x + 11, y, name)
            x += width
        return y + 26

    def render(self) -> str:
        height = self.height + 8
        return "\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{height}"'
            f' viewBox="0 0 {self.width} {height}" role="img" aria-labelledby="title description"'
            f' font-family={quoteattr(_FONT)}>',
            f'<title id="title">{escape(self.title)}</title>',
            f'<desc id="description">{escape(self.description)}</desc>',
            f"<style>{_style()}</style>",
            f'<rect width="{self.width}" height="{height}" rx="6" class="page"/>',
            *self.parts, "</svg>", ""])


def _rules(dark: int) -> str:
    rules = [f".{name} {{ fill: {colours[dark]} }}" for name, colours in _PLAIN.items()]
    rules += [f".line.{name} {{ stroke: {colours[dark]} }}" for name, colours in _PLAIN.items()]
    rules += [f".s{series} {{ fill: {colours[dark]}; stroke: {colours[dark]} }}"
              for series, colours in enumerate(COLOURS)]
    # What lies over something else keeps its outline.
    return " ".join([*rules, f".edge {{ stroke: {_PLAIN['page'][dark]} }}"])


def _style() -> str:
    return (f"{_rules(0)} .path {{ fill: none; stroke-width: 2 }} .line {{ stroke-width: 1 }} "
            f"@media (prefers-color-scheme: dark) {{ {_rules(1)} .path {{ fill: none }} }}")
