#!/usr/bin/env python3
"""What is resident of the library at a program's start in mode all, where all of it is."""

import os
import re
import subprocess

from counting import clean, fail, parse_arguments, skip, variables

MOST_KIB = 256


def resident_kib(environment: dict, name: str) -> int:
    """Of a process that looks at itself: what is the library's by name, and memory without a name, which may be the
    program's as well: what counts is how much more it is than with a library that calls mlockall and nothing else."""
    done = subprocess.run(["cat", "/proc/self/status", "/proc/self/smaps"], env=clean(environment), capture_output=True,
                          text=True, errors="replace", check=True)
    locked = re.search(r"^VmLck:\s+(\d+) kB", done.stdout, re.MULTILINE)
    if not locked or not int(locked[1]):
        skip(f"mlockall is refused here: {done.stderr.strip()[-200:]}")
    own = 0
    mapping = ""
    seen = False
    for line in done.stdout.splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            mapping = os.path.basename((line.split(None, 5) + [""])[5])
            seen = seen or name in mapping
        elif (found := re.match(r"Rss:\s+(\d+) kB", line)) and (not mapping or "autolock" in mapping):
            own += int(found[1])
    if not seen:
        fail(f"{name} was not loaded")
    return own


def main() -> None:
    options = parse_arguments(__doc__)
    yardstick = os.path.join(os.path.abspath(options.built), "interposers", "mlockall.so")
    least = resident_kib({"LD_PRELOAD": yardstick}, "mlockall")
    own = resident_kib(variables(options, "all", AUTOLOCK_STATS="off"), "autolock")
    print(f"resident: {own - least} KiB more than of a library that only calls mlockall (at most {MOST_KIB})")
    if own - least > MOST_KIB:
        fail("too much")
    # Nothing more than that would mean that nothing was measured.
    if own <= least:
        fail("the library was not measured")


if __name__ == "__main__":
    main()
