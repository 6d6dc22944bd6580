#!/usr/bin/env python3
"""Measures what the library costs: configurations side by side, interleaved (A B C A B C …), in several rounds.

Rows to compare are in configurations.py; a file in sections/ is a section. Exit status: 0 measured, 1 something did
not work, 2 bad usage.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time

import machine
import show
from configurations import CONFIGURATIONS, NotHere, NotLoaded, backend, prepare
from measure import Bench, Failed, measure_case

HERE = os.path.dirname(os.path.abspath(__file__))
SCHEMA = "autolock-bench/1"


def all_sections() -> list:
    return sorted(name[:-3] for name in os.listdir(os.path.join(HERE, "sections")) if name.endswith(".py"))


def parse_arguments() -> argparse.Namespace:
    rows = [row.name for row in CONFIGURATIONS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", required=True, help="the built libautolock.so")
    parser.add_argument("--built", required=True, help="build folder of this directory: patterns and interposers")
    parser.add_argument("--sections", default="", help=f"any of {','.join(all_sections())} (all but the long ones)")
    parser.add_argument("--configurations", default=",".join(rows), help="rows to compare (%(default)s)")
    parser.add_argument("--cases", default="", help="only cases whose name contains this")
    parser.add_argument("--rounds", type=int, help="rounds (7; quick: 1)")
    parser.add_argument("--run-ms", type=float, help="how long one run should take (100; quick: 1)")
    parser.add_argument("--quick", action="store_true", help="only shows that all of it runs; the numbers mean nothing")
    parser.add_argument("--json", help="file to write the results to")
    parser.add_argument("--build-type", default="", help="how the library was built, for the record")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 7)
    options.run_ms = options.run_ms or (1 if options.quick else 100)
    options.configurations = options.configurations.split(",")
    for given, known in ((options.configurations, rows), (filter(None, options.sections.split(",")), all_sections())):
        for name in given:
            if name not in known:
                parser.error(f"{name}: not one of {', '.join(known)}")
    return options


def sections_of(options) -> list:
    wanted = list(filter(None, options.sections.split(",")))
    modules = [(name, importlib.import_module(f"sections.{name}")) for name in wanted or all_sections()]
    return [(name, module) for name, module in modules if wanted or not getattr(module, "LONG", False)]


class Run:
    """One run of the whole: what was asked for, and what came of it."""

    def __init__(self, options, scratch: str):
        self.options = options
        self.scratch = scratch
        self.left_out: dict = {}
        self.overview: list = []
        rows = [row for row in CONFIGURATIONS if row.name in options.configurations]
        self.bench = Bench(os.path.join(options.built, "patterns"), scratch, self.prepare(rows), options.run_ms * 1e6,
                           options.quick, self.prepare)

    def prepare(self, rows) -> list:
        """The rows that can be measured here, ready to run; of the others the reason is kept."""
        ready = []
        for row in rows:
            try:
                interposers = os.path.join(self.options.built, "interposers")
                ready.append(prepare(row, self.options.library, interposers, self.scratch))
            except NotHere as reason:
                self.left_out[row.name] = str(reason)
        return ready

    def section(self, name: str, module) -> dict:
        print(f"\n== {name}: {module.TITLE}")
        configurations = getattr(module, "configurations", lambda bench: bench.configurations)(self.bench)
        cases = [case for case in module.cases(self.bench) if self.options.cases in case.name]
        result = []
        for case in cases:
            metrics = measure_case(case, configurations, self.options.rounds, self.bench.run_ns)
            for metric, rows in metrics.items():
                print("\n" + "\n".join(show.case_lines(case, metric, rows)), flush=True)
                if metric == "time":
                    self.overview.append((case.name, rows))
            result.append(show.case_json(case, metrics))
        return {"name": name, "title": module.TITLE, "cases": result}


def commit() -> str:
    done = subprocess.run(["git", "-C", HERE, "describe", "--always", "--dirty"], capture_output=True, text=True,
                          check=False)
    return done.stdout.strip()


def run(options, scratch: str) -> dict:
    begin = time.monotonic()
    this = Run(options, scratch)
    described = machine.describe()
    backends = {row.name: found for row in this.bench.configurations if (found := backend(row, scratch))}
    for line in machine.lines(described):
        print(line)
    print(f"{options.rounds} rounds, interleaved; built as {options.build_type or 'unknown'}; the library locks with: "
          + ", ".join(f"{name} {found}" for name, found in backends.items()))
    for name, reason in this.left_out.items():
        print(f"left out: {name}: {reason}")
    if options.quick or options.build_type == "Debug":
        print("these numbers mean nothing: " + ("quick mode" if options.quick else "a debugging build"))
    sections = [this.section(name, module) for name, module in sections_of(options)]
    if this.overview:
        print("\n== overview\n\n" + "\n".join(show.overview_lines(this.overview)))
    seconds = time.monotonic() - begin
    print(f"\n{seconds:.0f} s")
    return {
        "schema": SCHEMA,
        "machine": described,
        "run": {
            "rounds": options.rounds,
            "run_ms": options.run_ms,
            "quick": options.quick,
            "seconds": round(seconds, 1),
            "build_type": options.build_type,
            "commit": commit(),
            "backends": backends,
        },
        "left_out": this.left_out,
        "sections": sections,
    }


def main() -> int:
    options = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="autolock-bench-") as scratch:
        try:
            result = run(options, scratch)
        except (Failed, NotLoaded) as reason:
            print(f"bench: {reason}", file=sys.stderr)
            return 1
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
            file.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
