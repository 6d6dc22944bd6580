#!/usr/bin/env python3
"""Measures what the library costs: configurations side by side, interleaved (A B C A B C …), in several rounds.

Rows to compare are in configurations.py; a file in sections/ is a section. Exit status: 0 measured, 1 something did
not work, 2 bad usage, 77 none of the sections can be measured here.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

import bars
import machine
import show
from configurations import CONFIGURATIONS, MORE, NotHere, NotLoaded, backend, prepare
from figures import Figures
from measure import ROUNDS, Bench, Case, Failed, Skipped, measure_together

HERE = os.path.dirname(os.path.abspath(__file__))
SCHEMA = "autolock-bench/1"
LONGER = 3  # times as many rounds, each as much longer
SKIP = 77


def all_sections() -> list:
    return sorted(name[:-3] for name in os.listdir(os.path.join(HERE, "sections")) if name.endswith(".py"))


def parse_arguments() -> argparse.Namespace:
    rows = [row.name for row in CONFIGURATIONS + MORE]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", required=True, help="the built libautolock.so")
    parser.add_argument("--built", required=True, help="build folder of this directory: patterns and interposers")
    parser.add_argument("--sections", default="", help=f"any of {','.join(all_sections())} (all)")
    parser.add_argument("--configurations", default="", help=f"any of {','.join(rows)} (those of each section)")
    parser.add_argument("--cases", default="", help="only cases whose name contains this")
    parser.add_argument("--rounds", type=int, help=f"rounds ({ROUNDS}, fewer where they are long; quick: 1)")
    parser.add_argument("--run-ms", type=float, help="how long one run of a pattern should take (100; quick: 1)")
    parser.add_argument("--quick", action="store_true", help="only shows that all of it runs; the numbers mean nothing")
    parser.add_argument("--long", action="store_true", help=f"{LONGER} times the rounds, longer ones, and larger sizes")
    parser.add_argument("--json", help="file to write the results to")
    parser.add_argument("--build-type", default="", help="how the library was built, for the record")
    options = parser.parse_args()
    options.run_ms = options.run_ms or (1 if options.quick else 100 * (LONGER if options.long else 1))
    options.sections = list(filter(None, options.sections.split(",")))
    options.configurations = list(filter(None, options.configurations.split(",")))
    for given, known in ((options.configurations, rows), (options.sections, all_sections())):
        for name in given:
            if name not in known:
                parser.error(f"{name}: not one of {', '.join(known)}")
    return options


class Run:
    """One run of the whole: what was asked for, and what came of it."""

    def __init__(self, options, scratch: str):
        self.options = options
        self.scratch = scratch
        self.left_out: dict = {}
        self.overview: dict = {}  # of each section the cases with a time
        self.ready: dict = {}
        self.bench = Bench(os.path.join(options.built, "patterns"), scratch,
                           self.rows(*(row.name for row in CONFIGURATIONS)), options.run_ms * 1e6, options.quick,
                           options.long, self.prepare, self.rows, self.left_out.__setitem__, contextlib.ExitStack())

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

    def rows(self, *names: str) -> list:
        """Rows of configurations.py by their names, those that were asked for."""
        wanted = [name for name in names if name in (self.options.configurations or names)]
        for row in CONFIGURATIONS + MORE:
            if row.name in wanted and row.name not in self.ready:
                self.ready[row.name] = self.prepare([row])
        return [ready for name in wanted for ready in self.ready[name]]

    def rounds(self, case: Case) -> int:
        if self.options.rounds or self.options.quick:
            return self.options.rounds or 1
        return case.rounds * (LONGER if self.options.long else 1)

    def section(self, name: str, module) -> dict:
        print(f"\n== {name}: {module.TITLE}", flush=True)
        begin = time.monotonic()
        section = {"name": name, "title": module.TITLE, "cases": []}
        with self.bench.section_end:
            try:
                section["cases"] = self.cases(module)
            except Skipped as reason:
                section["skipped"] = str(reason)
                print(f"skipped: {reason}")
        section["seconds"] = round(time.monotonic() - begin, 1)
        return section

    def cases(self, module) -> list:
        rows = getattr(module, "configurations", lambda bench: bench.configurations)(self.bench)
        cases = [case for case in module.cases(self.bench) if self.options.cases in case.name]
        for case in cases:
            case.rows = rows if case.rows is None else case.rows
        groups = [cases] if getattr(module, "TOGETHER", False) and cases else [[case] for case in cases]
        result = []
        for group in groups:
            for case, metrics in zip(group, measure_together(group, self.rounds, self.bench.run_ns)):
                self.show(module.TITLE, case, metrics)
                result.append(show.case_json(case, metrics))
        return result

    def show(self, title: str, case: Case, metrics: dict) -> None:
        for metric, rows in metrics.items():
            print("\n" + "\n".join(show.case_lines(case, metric, rows)), flush=True)
            if metric == "time":
                self.overview.setdefault(title, []).append((case.name, rows))


def commit() -> str:
    done = subprocess.run(["git", "-C", HERE, "describe", "--always", "--dirty"], capture_output=True, text=True,
                          check=False)
    return done.stdout.strip()


def show_head(options, described: dict, backends: dict) -> None:
    for line in machine.lines(described):
        print(line)
    print(f"interleaved rounds; built as {options.build_type or 'unknown'}; the library locks with: "
          + ", ".join(f"{name} {found}" for name, found in backends.items()))
    if options.quick or options.build_type == "Debug":
        print("these numbers mean nothing: " + ("quick mode" if options.quick else "a debugging build"))


def run(options, scratch: str) -> dict:
    begin = machine.Work.now()
    described = machine.describe()
    this = Run(options, scratch)
    backends = {row.name: found for row in this.bench.configurations if (found := backend(row, scratch))}
    show_head(options, described, backends)
    sections = [this.section(name, importlib.import_module(f"sections.{name}"))
                for name in options.sections or all_sections()]
    for title, cases in this.overview.items():
        if lines := show.overview_lines(cases):
            print(f"\n== overview: {title}\n\n" + "\n".join(lines))
    end = machine.Work.now()
    result = {
        "schema": SCHEMA,
        "machine": described,
        "run": {
            "run_ms": options.run_ms,
            "quick": options.quick,
            "long": options.long,
            "seconds": round(end.elapsed - begin.elapsed, 1),
            "disturbed": end.since(begin),
            "build_type": options.build_type,
            "commit": commit(),
            "backends": backends,
        },
        "left_out": this.left_out,
        "sections": sections,
    }
    result["bars"] = bars.reached(Figures(result))
    return result


def show_end(result: dict) -> None:
    print("\n== bars\n\n" + "\n".join(bars.lines(result["bars"])))
    for name, reason in result["left_out"].items():
        print(f"left out: {name}: {reason}")
    disturbed = result["run"]["disturbed"]
    print(f"\n{result['run']['seconds']:.0f} s; meanwhile others had {disturbed['others']:.1%} of the processors' "
          f"time, and {disturbed['stolen']:.1%} was stolen")


def main() -> int:
    options = parse_arguments()
    # What a section has set up is taken down then as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="autolock-bench-") as scratch:
        try:
            result = run(options, scratch)
        except (Failed, NotLoaded) as reason:
            print(f"bench: {reason}", file=sys.stderr)
            return 1
    show_end(result)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
            file.write("\n")
    return SKIP if all("skipped" in section for section in result["sections"]) else 0


if __name__ == "__main__":
    sys.exit(main())
