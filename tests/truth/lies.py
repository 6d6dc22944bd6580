#!/usr/bin/env python3
"""That the checks can fail: each number of a true report is changed a little, and they have to notice.

    lies.py --library LIBRARY --programs DIRECTORY
"""

from __future__ import annotations

import copy
import sys

import truth
from program import Place, Run, Skip

# What nobody else knows: it is held against bounds only, or by strace, or is of the machine.
UNKNOWN = ("config.", "syscalls.", "hooks.", "memory.cgroup_limit_bytes", "locked.peak_", "locked.total_bytes",
           "locked.regions", "faults.minor_after", "faults.major_after", "by_kind.heap", "skipped.size")

# A program with one thread in each mode, and what its numbers cannot be held against besides.
PROGRAMS = (
    ({"MODE": "alloc", "FLAGS": "current,future", "KINDS": "heap,anon,file,shared,stack,image"}, ("need.",)),
    ({"MODE": "all", "FLAGS": "current,future"}, ()),
    ({"MODE": "observe", "FLAGS": "current,future", "KINDS": "heap,anon"}, ("need.",)),
)
ARGUMENTS = [3, 1, 40, 16]  # no fork among them, which makes faults of the library's own


def numbers(report: dict, path: str = "") -> list:
    """The paths of all numbers."""
    found = []
    for key, value in report.items():
        if isinstance(value, dict):
            found += numbers(value, f"{path}{key}.")
        elif isinstance(value, int):
            found.append(path + key)
    return found


def lie(report: dict, path: str) -> dict:
    result = copy.deepcopy(report)
    *objects, key = path.split(".")
    value = result
    for name in objects:
        value = value[name]
    value[key] += 4096 if key.endswith("bytes") else 1
    return result


def unnoticed(place: Place, settings: dict) -> list:
    calls = truth.inside(place, ARGUMENTS)
    run = place.run(ARGUMENTS, "root", settings)
    assert not truth.check_run(run, calls, "root", 1), "untrue without a lie"
    last = run.reports[-1]
    return [path for path in numbers(last) if path != "pid"
            and not truth.check_run(Run(run.said, [*run.reports[:-1], lie(last, path)], run.command), calls, "root", 1)]


def main() -> int:
    truth.parse_arguments(__doc__)
    try:
        truth.need()
    except Skip as reason:
        print(f"skipped: {reason}")
        return truth.SKIP
    with Place() as place:
        for settings, besides in PROGRAMS:
            missed = unnoticed(place, settings)
            print(f"{settings['MODE']}: held against nothing exactly: {' '.join(missed)}")
            wrong = [path for path in missed if not path.startswith(UNKNOWN + besides)]
            if wrong:
                print(f"these could be lies: {' '.join(wrong)}")
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
