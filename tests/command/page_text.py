"""A page of the command as it is written: whether its HTML is whole, what stands in it, and the data it carries."""

import html.parser
import json
import pathlib
import re

# Elements without an end, and those of SVG that end at once.
VOID = {"meta", "link", "br", "hr", "img", "input"}
# What may stand in what, as far as it is easily got wrong.
PARENTS = {"tr": {"thead", "tbody", "tfoot"}, "td": {"tr"}, "th": {"tr"}, "caption": {"table"}, "li": {"ul"},
           "figcaption": {"figure"}, "summary": {"details"}, "thead": {"table"}, "tbody": {"table"}, "tfoot": {"table"}}


class _Reader(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open: list = []
        self.ids: list = []
        self.named: list = []
        self.levels: list = []
        self.addresses: list = []
        self.scripts: list = []
        self.pictures: list = []
        self.tables: list = []
        self.figures: dict = {}
        self.words: list = []
        self.cell: list = []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        assert len(attributes) == len(attrs), f"<{tag}> has an attribute twice: {attrs}"
        if tag in PARENTS:
            assert self.open and self.open[-1] in PARENTS[tag], f"<{tag}> in {self.open}"
        if "id" in attributes:
            self.ids.append(attributes["id"])
        self.named += (attributes.get("aria-labelledby") or "").split()
        self.addresses += [attributes[name] for name in ("src", "href", "action", "data", "srcset") if name in attributes]
        assert not [name for name in attributes if name.startswith("on")], attributes
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag == "script":
            self.scripts.append(attributes)
        if tag == "svg":
            self.pictures.append(attributes)
        if tag == "table":
            self.tables.append({"caption": False, "heads": True})
        if tag == "caption":
            self.tables[-1]["caption"] = True
        if tag == "th" and attributes.get("scope") not in ("row", "col"):
            self.tables[-1]["heads"] = False
        if tag == "td" and "data-key" in attributes:
            self.cell = [attributes["data-key"], "", None]
        if tag == "data" and self.cell:
            self.cell[2] = int(attributes["value"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> in {self.open}"
        self.open.pop()
        if tag == "td" and self.cell:
            self.figures.setdefault(self.cell[0], []).append((self.cell[1].strip(), self.cell[2]))
            self.cell = []

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts[-1]["text"] = self.scripts[-1].get("text", "") + data
            return
        if self.open and self.open[-1] == "style":
            assert "url(" not in data and "@import" not in data, data
            return
        self.words.append(data)
        if self.cell:
            self.cell[1] += data


class Page:
    """What was read, after it was found to be whole."""

    def __init__(self, source: str, rendered: bool = False):
        reader = _Reader()
        assert source.startswith("<!DOCTYPE html>"), source[:100]
        reader.feed(source)
        reader.close()
        assert not reader.open, f"not closed: {reader.open}"
        assert len(reader.ids) == len(set(reader.ids)), "an id stands twice"
        assert set(reader.named) <= set(reader.ids), set(reader.named) - set(reader.ids)
        # Headings in order: one of the first, and no level left out.
        assert reader.levels[0] == 1 and reader.levels.count(1) == 1, reader.levels
        assert all(b <= a + 1 for a, b in zip(reader.levels, reader.levels[1:])), reader.levels
        assert all(table["caption"] and table["heads"] for table in reader.tables), reader.tables
        # A picture is described, or it is not there for who listens.
        for picture in reader.pictures:
            assert picture.get("aria-hidden") == "true" or picture.get("role") == "img" and picture["aria-labelledby"], picture
        # Nothing comes from elsewhere, and nothing is run.
        assert all(address.startswith("data:") for address in reader.addresses), reader.addresses
        assert [script.get("type") for script in reader.scripts] == ["application/json"], reader.scripts
        assert not re.search(r"(?<!http-)https?:", re.sub(r"<script.*", "", source)), "an address"
        self.text = " ".join(" ".join(reader.words).split())
        self.tables = len(reader.tables)
        self.pictures = sum(picture.get("role") == "img" for picture in reader.pictures)
        # By its key, a figure of each run: how it is written, and its value.
        self.figures = reader.figures
        self.data = json.loads(reader.scripts[0]["text"])
        assert self.data["schema"] == "autolock-page/1"
        self.runs = self.data["runs"]
        if not rendered:
            source.encode("utf-8")

    def report(self, run: int = 0) -> dict:
        """The one that the run is about."""
        return next(process["report"] for process in self.runs[run]["processes"] if process["main"])


def read(path: pathlib.Path) -> Page:
    return Page(path.read_bytes().decode("utf-8"))


def _at(value: dict, path: str) -> object:
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if path in ("failures", "skipped") and value is not None:
        return sum(value.values())
    return len(value) if isinstance(value, list) else value


# What is seen from outside where there is no report, and what is seen better from there.
_INSTEAD = {"faults.major": "kernel.major", "faults.minor": "kernel.minor", "memory.peak_rss_bytes": "kernel.peak_rss_bytes"}
_RATHER = {"locked.peak_kernel_bytes": "peak.locked_bytes"}


def _expected(run: dict, key: str) -> object:
    reports = [process["report"] for process in run.get("processes", []) if process["main"]]
    candidates = [_at(run, _RATHER.get(key, key))]
    candidates += [_at(reports[0], key)] if reports else [_at(run, _INSTEAD.get(key, key))]
    return next((value for value in candidates if value is not None), None)


def figures_are_of(page: Page) -> int:
    """Each key figure is that of the JSON. Returns how many there are that are known."""
    known = 0
    assert page.figures
    for key, cells in page.figures.items():
        for run, (text, value) in zip(page.runs, cells, strict=True):
            expected = _expected(run, key)
            if value is None:
                assert text == ("no limit" if expected == -1 else "–") and expected in (None, -1), (key, text, expected)
                continue
            assert value == expected, (key, value, expected)
            assert shown(key, value) == text, (key, value, text)
            known += 1
    return known


def shown(key: str, value: int) -> str:
    """A number as the page has it."""
    if key.endswith("_bytes"):
        unit = 0
        number = float(value)
        while number >= 1024 and unit < 4:
            number /= 1024
            unit += 1
        return f"{value} B" if unit == 0 else f"{int(number * 10) / 10:.1f} {' KMGT'[unit]}iB"
    if key.endswith("_ns"):
        for size, name in ((10**9, "s"), (10**6, "ms"), (10**3, "us")):
            if value >= size:
                return f"{value * 10 // size / 10:.1f} {name}"
        return f"{value} ns"
    return f"{value:,}"
