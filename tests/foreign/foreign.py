#!/usr/bin/env python3
"""Other people's test suites under the library: suites × modes × users, each test held against its bare runs.

Per cell: how many tests there are, how many end as bare, how many do not, and which. What differs is run again, bare
and in the mode. A difference with a reason is a row of named.json. The last line is `N tests, M differ, …`; the counts
go to a JSON file. Exit status: 0 nothing differs and the library was in every program; 1 something does; 77 nothing can
run here.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Callable

from cell import Cell, Skip
from compare import compare
from modes import BARE, MODES, USERS
from place import Place

SUITES = ("stress_ng", "rt_tests", "cpython", "redis", "sqlite", "postgres")
BARE_RUNS = 2
SKIPPED = 77


class Work:
    """One suite as one user: the bare runs and those of each mode."""

    def __init__(self, arguments, suite: str, user: str, module, material):
        self.arguments, self.suite, self.user, self.module, self.material = arguments, suite, user, module, material
        self.units = module.UNITS
        if arguments.small:
            self.units = module.SMALL
        if arguments.units:
            self.units = [unit for unit in self.units if unit in arguments.units]

    def cell(self, mode, name: str) -> Cell:
        user = USERS[self.user]
        if hasattr(self.module, "user_of"):
            user = self.module.user_of(user)
        label = f"{self.suite}{self.arguments.part}-{self.user}-{name}"
        return Cell(os.path.join(self.arguments.cells, label), self.arguments.library, mode, user)

    def run(self, mode, name: str) -> tuple:
        began = time.monotonic()
        cell = self.cell(mode, name)
        found = self.module.run(cell, self.material, self.units)
        seconds = time.monotonic() - began
        path = os.path.join(self.arguments.directory, "outcomes", os.path.basename(cell.directory) + ".json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(found, file, indent=0, sort_keys=True)
        tell(f"{self.suite} {self.user} {name}: {len(found)} tests, {cell.reports} reports, {seconds:.0f} s")
        return cell, found

    def again(self, mode) -> Callable:
        """Runs tests once more; where a suite cannot run one alone, all that it runs together."""
        def run(tests, bare):
            cell = self.cell(BARE if bare else mode, f"{mode.name}-again")
            units = [unit for unit in self.units if any(test.split("/", 1)[0] == unit for test in tests)]
            if hasattr(self.module, "run_only"):
                return self.module.run_only(cell, self.material, units, tests)
            return self.module.run(cell, self.material, units)
        return run

    def compared(self, mode, bares: list, ran: tuple) -> dict:
        cell, found = ran
        result = compare(self.suite, mode.name, self.user, bares, found, self.again(mode))
        if mode.locks and not cell.locked:
            cell.unproven.append("no process of it had anything locked")
        return {"suite": self.suite, "part": self.arguments.part, "mode": mode.name, "user": self.user,
                **asdict(result), "commands": cell.commands, "reports": cell.reports,
                "most_locked_bytes": cell.locked, "unproven": cell.unproven}


telling = threading.Lock()


def tell(text: str) -> None:
    with telling:
        print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)


def prepared(arguments, place: Place, skipped: list) -> list:
    works = []
    for suite in arguments.suites:
        module = importlib.import_module(f"suites.{suite}")
        try:
            material = module.prepare(place)
        except Skip as reason:
            skipped.append(f"{suite}: {reason}")
            continue
        for user in arguments.users:
            why_not = USERS[user].why_not()
            if why_not:
                skipped.append(f"{suite} as {user}: {why_not}")
            else:
                works.append(Work(arguments, suite, user, module, material))
    return works


def run_all(arguments, works: list) -> list:
    """The rows of the table. Two bare runs of each, then the modes."""
    rows = []
    with ThreadPoolExecutor(arguments.jobs) as pool:
        running = []
        for work in works:
            bares = [pool.submit(work.run, BARE, f"bare{number}") for number in range(BARE_RUNS)]
            modes = [(MODES[name], pool.submit(work.run, MODES[name], name)) for name in arguments.modes]
            running.append((work, bares, modes))
        for work, bares, modes in running:
            bare = [future.result()[1] for future in bares]
            steady = different_bares(bare)
            for mode, future in modes:
                row = work.compared(mode, bare, future.result())
                row["bare_flaky"] = steady
                rows.append(row)
                tell(one_line(row))
                for kind in ("differ", "once", "flaky"):
                    for each in row[kind]:
                        tell(f"    {kind}: {each['test']}: bare {each['bare']!r}, locked {each['locked']!r}")
                save(arguments, rows)
    return rows


def different_bares(bares: list) -> list:
    tests = set().union(*bares)
    return sorted(test for test in tests if len({bare.get(test) for bare in bares}) > 1)


def one_line(row: dict) -> str:
    return (f"{row['suite']} {row['user']} {row['mode']}: {row['tests']} tests, {len(row['differ'])} differ, "
            f"{len(row['named'])} named, {len(row['once'])} once, {len(row['flaky'])} flaky, "
            f"{len(row['unproven'])} unproven")


def key_of(row: dict) -> tuple:
    return row["suite"], row.get("part"), row["mode"], row["user"]


def save(arguments, rows: list, skipped=()) -> None:
    path = os.path.join(arguments.directory, "counts.json")
    kept = []
    if arguments.add and os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            kept = json.load(file)["cells"]
    new = {key_of(row) for row in rows}
    cells = [row for row in kept if key_of(row) not in new] + rows
    counts = {"cells": cells, "skipped": list(skipped), "totals": totals(cells)}
    with open(path + ".part", "w", encoding="utf-8") as file:
        json.dump(counts, file, indent=1)
    os.replace(path + ".part", path)


def totals(rows: list) -> dict:
    made = {kind: sum(len(row[kind]) for row in rows) for kind in ("differ", "named", "once", "flaky", "unproven")}
    return {"tests": sum(row["tests"] for row in rows), "cells": len(rows), **made}


def show(rows: list, skipped: list) -> dict:
    rows = sorted(rows, key=lambda row: (SUITES.index(row["suite"]), row["part"]))
    head = ("suite", "user", "mode", "tests", "as bare", "differ", "named", "once", "flaky", "reports", "most locked")
    lines = [head, *((row["suite"] + row["part"], row["user"], row["mode"], str(row["tests"]), str(row["same"]),
                      *(str(len(row[kind])) for kind in ("differ", "named", "once", "flaky")), str(row["reports"]),
                      f"{row['most_locked_bytes'] >> 20} MiB") for row in rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(head))]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip())
    for row in rows:
        for kind in ("differ", "named", "once", "flaky"):
            for each in row[kind]:
                print(f"\n{kind}  {row['suite']} {row['user']} {row['mode']}: {each['test']}: "
                      f"bare {each['bare']!r}, locked {each['locked']!r}"
                      + (f" ({each['reason']})" if kind == "named" else ""))
        for each in row["unproven"]:
            print(f"\nunproven  {row['suite']} {row['user']} {row['mode']}: {each}")
    for reason in skipped:
        print(f"skipped  {reason}")
    return totals(rows)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", required=True)
    parser.add_argument("--directory", required=True, help="for what is fetched, the cells and counts.json")

    def names(known):
        def parse(text):
            given = text.split(",")
            unknown = [name for name in given if name not in known]
            if unknown:
                raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
            return given
        return parse

    parser.add_argument("--suites", type=names(SUITES), default=list(SUITES), metavar="A,B", help=", ".join(SUITES))
    parser.add_argument("--modes", type=names(MODES), default=list(MODES), metavar="A,B", help=", ".join(MODES))
    parser.add_argument("--users", type=names(USERS), default=list(USERS), metavar="A,B", help=", ".join(USERS))
    parser.add_argument("--units", type=lambda text: text.split(","), metavar="A,B",
                        help="only these of the suite's files, programs or options")
    parser.add_argument("--part", default="", help="a name for these units, so that --add keeps the counts of others")
    parser.add_argument("--small", action="store_true", help="the part for the normal run, of what is installed")
    parser.add_argument("--jobs", type=int, default=1, help="cells at once")
    parser.add_argument("--add", action="store_true", help="to the counts of earlier runs, instead of new ones")
    arguments = parser.parse_args()
    arguments.library = os.path.realpath(arguments.library)
    arguments.directory = os.path.realpath(arguments.directory)
    return arguments


def main() -> int:
    arguments = parse_arguments()
    skipped: list = []
    works = prepared(arguments, Place(arguments.directory, fetches=not arguments.small), skipped)
    if not works:
        print(f"skipped: {'; '.join(skipped)}")
        return SKIPPED
    os.makedirs(os.path.join(arguments.directory, "outcomes"), exist_ok=True)
    # The name of a socket is a short one, and every user can come here.
    arguments.cells = tempfile.mkdtemp(prefix="foreign.")
    os.chmod(arguments.cells, 0o755)
    arguments.library = shutil.copy(arguments.library, arguments.cells)
    rows = run_all(arguments, works)
    save(arguments, rows, skipped)
    sums = show(rows, skipped)
    if sums["differ"] or sums["unproven"]:
        print(f"what they left behind is in {arguments.cells}")
    else:
        shutil.rmtree(arguments.cells, ignore_errors=True)
    print(f"\nCOUNT: {sums['tests']} tests of other people under the library")
    print(f"{sums['tests']} tests, {sums['differ']} differ, {sums['named']} named, {sums['once']} once, "
          f"{sums['flaky']} flaky bare too, {sums['unproven']} unproven")
    return 1 if sums["differ"] or sums["unproven"] else 0


if __name__ == "__main__":
    sys.exit(main())
