#!/usr/bin/env python3
"""That the measurements run: each case in each configuration gives a number. No number is judged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile

from configurations import CONFIGURATIONS
from measure import Series

HERE = os.path.dirname(os.path.abspath(__file__))


def check(condition: bool, what: str) -> None:
    if not condition:
        sys.exit(f"failed: {what}")


def check_arithmetic() -> None:
    bare, mine = Series([10, 20, 40, 10, 10]), Series([20, 40, 80, 30, 20])
    check(bare.median == 10 and mine.median == 30, "median")
    check(mine.ratio(bare) == 2, "a ratio is taken round by round: noise of a whole round cancels out")
    check(Series([1, 1, 1]).spread == 0 and Series([5]).spread == 0, "no spread")
    check(Series([1, 2, 3, 4, 5]).spread == 2 / 3, "spread")


def main() -> None:
    check_arithmetic()
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "bench.json")
        argv = [sys.executable, "-B", os.path.join(HERE, "bench.py"), "--quick", "--json", path, *sys.argv[1:]]
        status = subprocess.run(argv, check=False).returncode
        check(status == 0, f"bench.py ended with {status}")
        with open(path, encoding="utf-8") as file:
            result = json.load(file)
    names = {row.name for row in CONFIGURATIONS} - set(result["left_out"])
    check(len(result["sections"]) >= 2, "every section was run")
    for section in result["sections"]:
        check(bool(section["cases"]), f"{section['name']} has cases")
        for case in section["cases"]:
            rows = case["metrics"]["time"]
            # A section may compare a few of them only.
            wanted = names & {"none", "alloc"} if section["name"] in ("growth", "report") else names
            check(wanted <= set(rows), f"{case['name']}: a row for each of {sorted(wanted)}")
            check(all(row["median"] > 0 for row in rows.values()), f"{case['name']}: a number in each row")


if __name__ == "__main__":
    main()
