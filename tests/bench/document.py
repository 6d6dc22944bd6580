#!/usr/bin/env python3
"""docs/performance.md from a run: its tables and charts, between `<!-- bench NAME -->` and `<!-- end of bench -->`.

    document.py write BENCH.JSON [DOCS]    from this run, which is kept beside the charts as run.json
    document.py check [DOCS]               tables and charts are those of the run that is kept

A run that shows only that it runs, or of a debugging build, is not taken; neither is one that others have disturbed,
but with --disturbed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys

import chart
import markdown
from figures import Figures

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs")
MOST_OTHERS = 0.05  # of the processors' time, by others and stolen
NOTHING_YET = ["Not measured yet."]
_MARKED = re.compile(r"(<!-- bench (\w+) -->\n)(.*?)(<!-- end of bench -->)", re.DOTALL)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(dest="action", required=True)
    write = actions.add_parser("write")
    write.add_argument("run")
    write.add_argument("--disturbed", action="store_true", help="take it whatever others did meanwhile")
    check = actions.add_parser("check")
    for action in (write, check):
        action.add_argument("docs", nargs="?", default=DOCS)
    return parser.parse_args()


def reason_against(result: dict) -> str:
    run = result["run"]
    if run["quick"] or run["build_type"] == "Debug":
        return "its numbers mean nothing: quick mode, or a debugging build"
    disturbed = run["disturbed"]["others"] + run["disturbed"]["stolen"]
    if disturbed > MOST_OTHERS:
        return f"others had {disturbed:.1%} of the processors' time meanwhile (--disturbed takes it all the same)"
    return ""


def kept(value):
    """The same run with fewer digits: more than five are noise."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: kept(each) for key, each in value.items()}
    return [kept(each) for each in value] if isinstance(value, list) else value


def renewed(text: str, figures) -> str:
    """The document with what the run says; without a run, with nothing."""
    charts = chart.draw_all(figures) if figures else {}

    def between(found) -> str:
        name = found[2]
        lines = markdown.table(name, figures) if figures else NOTHING_YET
        if f"{name}.svg" in charts:
            lines = [*lines, "", f"![{_alternative(charts[f'{name}.svg'])}](performance/{name}.svg)"]
        return found[1] + "\n".join(lines) + "\n" + found[4]

    names = [found[2] for found in _MARKED.finditer(text)]
    if sorted(names) != sorted(markdown.TABLES):
        sys.exit(f"docs/performance.md has the tables {names}, and should have {list(markdown.TABLES)}")
    return _MARKED.sub(between, text)


def _alternative(drawn: str) -> str:
    return re.search(r"<title[^>]*>([^<]*)<", drawn)[1] + ": the figures of the table, drawn"


def files(docs: str, result) -> dict:
    """{path: what it should hold}"""
    figures = Figures(result) if result else None
    document = os.path.join(docs, "performance.md")
    with open(document, encoding="utf-8") as file:
        wanted = {document: renewed(file.read(), figures)}
    for name, drawn in chart.draw_all(figures).items() if figures else ():
        wanted[os.path.join(docs, "performance", name)] = drawn
    return wanted


def write(options) -> int:
    with open(options.run, encoding="utf-8") as file:
        result = kept(json.load(file))
    against = reason_against(result)
    if against and not (options.disturbed and "--disturbed" in against):
        print(f"document: {options.run} is not taken: {against}", file=sys.stderr)
        return 1
    directory = os.path.join(options.docs, "performance")
    os.makedirs(directory, exist_ok=True)
    for name in os.listdir(directory):
        if name.endswith(".svg"):
            os.unlink(os.path.join(directory, name))
    wanted = files(options.docs, result)
    wanted[os.path.join(directory, "run.json")] = json.dumps(result, separators=(",", ":")) + "\n"
    for path, content in wanted.items():
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
        print(f"written: {os.path.relpath(path)}")
    return 0


def check(options) -> int:
    try:
        with open(os.path.join(options.docs, "performance", "run.json"), encoding="utf-8") as file:
            result = json.load(file)
    except FileNotFoundError:
        result = None
    wrong = 0
    for path, wanted in files(options.docs, result).items():
        if not os.path.exists(path) or open(path, encoding="utf-8").read() != wanted:
            print(f"{os.path.relpath(path)} does not have the figures of docs/performance/run.json: "
                  "cmake --build --preset release --target performance")
            wrong = 1
    return wrong


if __name__ == "__main__":
    OPTIONS = parse_arguments()
    sys.exit(write(OPTIONS) if OPTIONS.action == "write" else check(OPTIONS))
