#!/usr/bin/env python3
"""The tables of docs/testing.md under "Servers under load", between `<!-- load NAME -->` and `<!-- end of load -->`,
and its chart.

    document.py write COUNTS.JSON    from this run, which is kept beside the chart without its samples
    document.py check                tables and chart are those of the run that is kept
"""

from __future__ import annotations

import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(os.path.dirname(HERE), "bench"))

import machine  # noqa: E402  the bench's, as the next two
from drawing import lines  # noqa: E402
from drawing.lines import Panel  # noqa: E402

import table  # noqa: E402

DOCS = os.path.join(HERE, "..", "..", "docs")
KEPT = os.path.join(DOCS, "testing", "load.json")
_MARKED = re.compile(r"(<!-- load (\w+) -->\n)(.*?)(<!-- end of load -->)", re.DOTALL)
# The colours of the bench's charts.
_SERIES = {"none": 0, "all": 1, "alloc": 2, "all unlimited": 3, "all onfault": 4}


def kept(found: dict) -> dict:
    servers = [{**server, "sides": [{**{name: value for name, value in side.items() if name != "samples"},
                                     "bounds": table.bounds(side)} for side in server["sides"]]}
               for server in found["servers"]]
    return {**found, "servers": servers}


def _machine(found: dict) -> list:
    others = ", ".join(f"{server['machine']['others']:.0%} ({server['server']})" for server in found["servers"])
    said = machine.lines(found["machine"])
    return [*(f"- {line}" for line in said[:2]),
            f"- {found['seconds']} s of load for each server; meanwhile others had of the processors' time: {others}"]


def _chart(found: dict) -> str:
    panels = []
    for server in found["servers"]:
        measured = {side["mode"]: side["latency us"] for side in server["sides"]}
        measured = {mode: {name if name != "max" else "longest": us for name, us in latency.items()}
                    for mode, latency in measured.items()}
        panels.append(Panel(server["server"], "of all requests", measured, named=True))
    return lines.draw("Servers under memory pressure", "µs", panels, _SERIES)


_TABLES = {"machine": _machine, "latencies": table.latencies, "memory": table.memory, "held": table.held}


def _files(found: dict) -> dict:
    document = os.path.join(DOCS, "testing.md")
    with open(document, encoding="utf-8") as file:
        text = file.read()
    names = [match[2] for match in _MARKED.finditer(text)]
    if sorted(names) != sorted(_TABLES):
        sys.exit(f"docs/testing.md has the tables {names}, and should have {list(_TABLES)}")
    return {document: _MARKED.sub(lambda match: match[1] + "\n".join(_TABLES[match[2]](found)) + "\n" + match[4], text),
            os.path.join(DOCS, "testing", "load.svg"): _chart(found),
            KEPT: json.dumps(found, separators=(",", ":")) + "\n"}


def _write(path: str) -> int:
    with open(path, encoding="utf-8") as file:
        files = _files(kept(json.load(file)))
    os.makedirs(os.path.dirname(KEPT), exist_ok=True)
    for name, content in files.items():
        with open(name, "w", encoding="utf-8") as file:
            file.write(content)
    return 0


def _check() -> int:
    with open(KEPT, encoding="utf-8") as file:
        files = _files(json.load(file))
    wrong = 0
    for name, wanted in files.items():
        with open(name, encoding="utf-8") as file:
            if file.read() != wanted:
                print(f"{os.path.relpath(name)} does not have the figures of docs/testing/load.json")
                wrong = 1
    return wrong


if __name__ == "__main__":
    if sys.argv[1:] == ["check"]:
        sys.exit(_check())
    if len(sys.argv) != 3 or sys.argv[1] != "write":
        sys.exit(__doc__)
    sys.exit(_write(sys.argv[2]))
