"""The page in chromium: nothing to complain of, all figures there, at any width, in light and dark, and printed."""

import pathlib
import re
import shutil

import browser
import page_text
from command import autolock
from harness import Skip, directory
from page_text import figures_are_of

RUN = ("run", "--stats", "off", "--on-failure", "ignore")


def _make(folder: pathlib.Path) -> pathlib.Path:
    """A run beside another one, with an expectation that fails."""
    bare, locked, both = folder / "bare.html", folder / "locked.html", browser.kept("both.html")
    work = ("sh", "-c", "x=$(seq 20000); ls / >/dev/null; sleep 0.3")
    autolock(*RUN, "--mode", "off", "--sample-interval", "20ms", "--report", str(bare), "--", *work).expect(0)
    autolock(*RUN, "--mode", "alloc", "--sample-interval", "20ms", "--warmup", "100ms", "--expect", "majflt=0,locked=1",
             "--report", str(locked), "--", *work).expect(86)
    autolock("report", "--html", str(both), str(bare), str(locked)).expect(0)
    shutil.copy(locked, browser.kept("one.html"))
    return both


def _words(text: str) -> str:
    return " ".join(text.split())


def test_what_the_browser_has_understood() -> None:
    browser.need()
    with directory() as folder:
        page = _make(folder)
        written = page_text.read(page)
        understood = page_text.Page(browser.rendered(page), rendered=True)
        assert understood.text == written.text and understood.data == written.data
        assert figures_are_of(understood) == figures_are_of(written) >= 20
        assert (understood.tables, understood.pictures) == (written.tables, written.pictures)


def test_what_is_seen() -> None:
    """The rendered text has the key figures, in the order of the columns."""
    browser.need()
    with directory() as folder:
        page = _make(folder)
        written = page_text.read(page)
        seen = browser.measured(page, 1200)
        lines = [_words(line) for line in seen["text"].splitlines()]
        for cells in written.figures.values():
            row = " ".join(text for text, _ in cells)
            assert any(line.endswith(" " + row) for line in lines), (row, lines[:60])
        assert "1 of 2 expectations failed: locked=1" in _words(seen["text"])
        assert all(width > 300 for width in seen["charts"]) and len(seen["charts"]) == written.pictures, seen["charts"]


def test_any_width() -> None:
    """Wide tables scroll by themselves, the page does not; texts stay as large as they are."""
    browser.need()
    with directory() as folder:
        page = _make(folder)
        for width in 500, 700, 1000, 1600:
            seen = browser.measured(page, width)
            assert seen["window"] == width and seen["width"] <= width, (width, seen["width"], seen["window"])
            assert seen["smallest"] >= 11.5, seen["smallest"]
            assert all(150 < chart <= width for chart in seen["charts"]), seen["charts"]
        # In a frame that is as narrow as a phone; a window is never less than 500 wide.
        frame = folder / "frame.html"
        frame.write_text(f'<!DOCTYPE html><title>x</title><body style="margin:0"><iframe src="{page.as_uri()}" width=360 '
                         'height=3000 style="border:0"></iframe></body>')
        browser.photograph(frame, "phone", 360, 3000)


def _luminance(colour: str) -> float:
    def linear(value: float) -> float:
        value /= 255
        return value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(float(part)) for part in re.findall(r"[\d.]+", colour)[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(colours: list) -> float:
    dark, light = sorted(map(_luminance, colours))
    return (light + 0.05) / (dark + 0.05)


def test_light_and_dark() -> None:
    browser.need()
    with directory() as folder:
        page = _make(folder)
        light, dark = browser.measured(page, 1200)["colours"], browser.measured(page, 1200, *browser.DARK)["colours"]
        assert _luminance(light[1]) > 0.8 and _contrast(light) > 10, light
        if dark == light:
            raise Skip("this chromium has no dark colours without a window")
        assert _luminance(dark[1]) < 0.05 and _contrast(dark) > 10, dark


def test_pictures_for_a_person() -> None:
    """Light, dark, printed: kept among what was built."""
    browser.need()
    with directory() as folder:
        page = _make(folder)
        browser.photograph(page, "light", 1200, 3200)
        browser.photograph(page, "dark", 1200, 3200, *browser.DARK)
        browser.photograph(browser.kept("one.html"), "one", 1200, 3200)
        content = browser.printed(page, "print")
        assert 1 <= len(re.findall(rb"/Type\s*/Page\b", content)) <= 12
