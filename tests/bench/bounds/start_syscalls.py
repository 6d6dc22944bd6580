#!/usr/bin/env python3
"""System calls that the library adds to a program that does nothing, from its start to its end."""

import os
import shutil
import tempfile
from collections import Counter

from counting import fail, need_strace, parse_arguments, system_calls, variables

MOST = 40
APPENDING = 2  # more than making a file: whether one that is there has been given this name by others
REPLACING = 4  # more than appending: the directory, which is held open, the new file's name, and memory for so long a text


def main() -> None:
    options = parse_arguments(__doc__)
    need_strace()
    true = [shutil.which("true") or "/bin/true"]
    bare = system_calls(true, {})
    print(f"true: {len(bare)} system calls")
    too_many = []
    with tempfile.TemporaryDirectory() as scratch:
        json = {"AUTOLOCK_STATS": "json", "AUTOLOCK_STATS_FILE": os.path.join(scratch, "report.json")}
        metrics = {"AUTOLOCK_STATS": "prometheus",
                   "AUTOLOCK_STATS_FILE": os.path.join(scratch, "report.prom")}
        for name, mode, more in (("off", "off", {}), ("observe", "observe", {}), ("all", "all", {}),
                                 ("all, JSON file", "all", json), ("all, appended", "all", json), ("all, metrics", "all", metrics),
                                 ("all, replaced", "all", metrics),
                                 ("all, no report", "all", {"AUTOLOCK_STATS": "off"})):
            calls = system_calls(true, variables(options, mode, **more))
            added = len(calls) - len(bare)
            which = Counter(calls) - Counter(bare)
            print(f"  {name:15} adds {added:3}: " + " ".join(f"{call} {count}" for call, count in which.most_common()))
            if mode == "all" and "mlockall" not in calls:
                fail(f"{name}: the library was not loaded")
            most = MOST + (REPLACING if more is metrics else APPENDING if name == "all, appended" else 0)
            if mode == "all" and added > most:
                too_many.append(f"{name} adds {added}, more than {most}")
        for report in json, metrics:
            if not os.path.exists(report["AUTOLOCK_STATS_FILE"]):
                fail("no report was written")
    if too_many:
        fail("; ".join(too_many))


if __name__ == "__main__":
    main()
