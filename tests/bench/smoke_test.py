#!/usr/bin/env python3
"""That a section runs: each of its cases in each of its rows gives a number, which is not judged; and that the table
and the chart of it can be made. Without a section: that the arithmetic of the tables is right."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

import bars
import document
from configurations import MORE
from figures import Figures
from measure import Series

HERE = os.path.dirname(os.path.abspath(__file__))
SKIP = 77
SVG = "{http://www.w3.org/2000/svg}"


def check(condition: bool, what: str) -> None:
    if not condition:
        sys.exit(f"failed: {what}")


# --- the arithmetic ------------------------------------------------------------------------------


def check_series() -> None:
    bare, mine = Series([10, 20, 40, 10, 10]), Series([20, 40, 80, 30, 20])
    check(bare.median == 10 and mine.median == 30, "median")
    check(mine.ratio(bare) == 2, "a ratio is taken round by round: noise of a whole round cancels out")
    check(Series([1, 1, 1]).spread == 0 and Series([5]).spread == 0, "no spread")
    check(Series([1, 2, 3, 4, 5]).spread == 2 / 3, "spread")


def _invented(samples: dict) -> Figures:
    """A run with one section that has one case."""
    rows = {row: {"median": Series(each).median, "spread": Series(each).spread, "samples": each}
            for row, each in samples.items()}
    case = {"name": "churn 20,000 live", "unit": "ns", "metrics": {"time": rows}}
    return Figures({"sections": [{"name": "patterns", "title": "", "cases": [case]}]})


def check_bars() -> None:
    samples = {"none": [100, 200, 100], "naive": [7000, 14000, 9000], "alloc": [140, 240, 130]}
    found = {bar["bar"]: bar for bar in bars.reached(_invented(samples))}
    churn, faster = found["churn, mode alloc, of none"], found["churn, mode alloc, faster than naive"]
    check(churn["reached"] == 1.3 and churn["holds"] is True, f"a bar that holds: {churn}")
    check(abs(faster["reached"] - 14000 / 240) < 1e-9 and faster["holds"] is True, f"a bar of at least: {faster}")
    others = [bar for name, bar in found.items() if bar not in (churn, faster)]
    check(all(bar["holds"] is None and bar["reached"] is None for bar in others), "bars that were not measured")
    slower = {**samples, "alloc": [140, 300, 150]}
    found = {bar["bar"]: bar for bar in bars.reached(_invented(slower))}
    check(found["churn, mode alloc, of none"]["holds"] is False, "a bar that is missed")


# --- a section -----------------------------------------------------------------------------------


def measure(section: str, arguments: list) -> dict:
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "bench.json")
        argv = [sys.executable, "-B", os.path.join(HERE, "bench.py"), "--quick", "--sections", section, "--json", path,
                *arguments]
        status = subprocess.run(argv, check=False).returncode
        if status == SKIP:
            sys.exit(SKIP)  # bench.py has said why
        check(status == 0, f"bench.py ended with {status}")
        with open(path, encoding="utf-8") as file:
            return json.load(file)


def check_numbers(result: dict) -> None:
    check(len(result["sections"]) == 1, "the section was run")
    section = result["sections"][0]
    check(bool(section["cases"]), f"{section['name']} has cases")
    for case in section["cases"]:
        check(bool(case["metrics"]), f"{case['name']} has numbers")
        rows = list(next(iter(case["metrics"].values())))
        check(bool(rows), f"{case['name']} has rows")
        for metric, found in case["metrics"].items():
            check(list(found) == rows, f"{case['name']}, {metric}: a number for each of {rows}")
            if metric == "time":
                check(all(row["median"] > 0 for row in found.values()), f"{case['name']}: the times are some")


def check_rows(result: dict) -> None:
    """Each configuration that was asked for is there, or there is a reason."""
    rows = {row for case in result["sections"][0]["cases"] for found in case["metrics"].values() for row in found}
    wanted = {"none", "forwarding", "naive", "heaptrack", "off", "observe", "all", "alloc", "alloc 64K"}
    if result["sections"][0]["name"] == "patterns":
        check(wanted <= rows | set(result["left_out"]), f"all of {sorted(wanted)} were compared")
    for row in MORE:
        check(row.name not in rows or row.name not in result["left_out"], f"{row.name} is there or left out")


def check_document(result: dict) -> None:
    section = result["sections"][0]["name"]
    with tempfile.TemporaryDirectory() as docs:
        shutil.copy(os.path.join(HERE, "..", "..", "docs", "performance.md"), docs)
        files = document.files(docs, document.kept(result))
    text = files.pop(os.path.join(docs, "performance.md"))
    table = text.partition(f"<!-- bench {section} -->\n")[2].partition("<!-- end of bench -->")[0]
    for case in result["sections"][0]["cases"]:
        # At the beginning of a line, or at the head of a column.
        check(f"| {case['name']}" in table, f"the table of {section} has {case['name']}")
    check(section != "startup" or "| all, JSON file |" in table, "the table of startup has its rows")
    check(section in ("own_memory", "report") or f"performance/{section}.svg" in table, f"{section} has a chart")
    for path, drawn in files.items():
        image = xml.etree.ElementTree.fromstring(drawn)
        check(image.get("role") == "img", f"{path} is one image to who cannot see it")
        check(all(len(image.findtext(SVG + name) or "") > 10 for name in ("title", "desc")), f"{path} is described")
        check("prefers-color-scheme: dark" in image.findtext(SVG + "style"), f"{path} can be read on dark pages")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--section", help="which")
    options, arguments = parser.parse_known_args()
    if not options.section:
        check_series()
        check_bars()
        return
    result = measure(options.section, arguments)
    check_numbers(result)
    check_rows(result)
    check_document(result)


if __name__ == "__main__":
    main()
