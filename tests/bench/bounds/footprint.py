#!/usr/bin/env python3
"""What mode alloc takes for itself after a churn: mappings of the kernel's, and memory for its tables."""

import json
import os
import subprocess
import tempfile

from counting import clean, fail, parse_arguments, pattern, variables

MOST_MAPPINGS = 200
MOST_SHARE = 0.003  # of what is tracked
OPERATIONS = "1000000"
LIVE = "500000"  # a quarter a gigabyte and less of blocks: enough for the tables' smallest unit not to matter


def mappings(program: str, environment: dict) -> int:
    done = subprocess.run([program, OPERATIONS, "20000", "1040", "vmas"], env=clean(environment), capture_output=True,
                          text=True, check=True)
    return int(done.stdout)


def main() -> None:
    options = parse_arguments(__doc__)
    program = pattern(options, "churn")
    added = (mappings(program, variables(options, "alloc", AUTOLOCK_STATS="off")) - mappings(program, {}))
    print(f"mappings added after the churn: {added} (at most {MOST_MAPPINGS})")
    with tempfile.TemporaryDirectory() as scratch:
        file = os.path.join(scratch, "report.json")
        environment = variables(options, "alloc", AUTOLOCK_STATS="json", AUTOLOCK_STATS_FILE=file)
        # The report is made while the blocks are still there.
        subprocess.run([program, "1000", LIVE, "1040", "vmas"], env=clean(environment), stdout=subprocess.DEVNULL,
                       check=True)
        with open(file, encoding="utf-8") as lines:
            locked = json.loads(lines.readline())["locked"]
    if not locked["peak_tracked_bytes"]:
        fail("nothing was locked")
    own = locked["kernel_bytes"] - locked["tracked_bytes"]
    share = own / locked["peak_tracked_bytes"]
    print(f"tables: {own:,} bytes locked for {locked['peak_tracked_bytes']:,} tracked at the most: {share:.2%} "
          f"(at most {MOST_SHARE:.1%})")
    if added > MOST_MAPPINGS or share > MOST_SHARE:
        fail("too much")


if __name__ == "__main__":
    main()
