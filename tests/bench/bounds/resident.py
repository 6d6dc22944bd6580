#!/usr/bin/env python3
"""What is resident of the library at a program's start: in mode all, where all of it is, and in those that touch more."""

import os
import re
import subprocess

from counting import clean, fail, parse_arguments, skip, variables

MOST_KIB = 256
RUNS = 5  # the kernel maps files by stretches, so where they lie makes a difference


def looked_at(environment: dict, name: str) -> tuple:
    """Of a process that looks at itself: what is the library's by name, and memory without a name, which may be the
    program's as well: what counts is how much more it is than with a library that does nothing of the kind. And what
    is locked of the process."""
    done = subprocess.run(["cat", "/proc/self/status", "/proc/self/smaps"], env=clean(environment), capture_output=True,
                          text=True, errors="replace", check=True)
    locked = int(re.search(r"^VmLck:\s+(\d+) kB", done.stdout, re.MULTILINE)[1])
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
    return own, locked, done.stderr.strip()[-200:]


def most(environment: dict, name: str) -> int:
    return max(looked_at(environment, name)[0] for _ in range(RUNS))


def main() -> None:
    options = parse_arguments(__doc__)
    interposers = os.path.join(os.path.abspath(options.built), "interposers")
    no_report = {"AUTOLOCK_STATS": "off"}
    rows = {
        "all": ("mlockall", variables(options, "all", **no_report)),
        "observe": ("empty", variables(options, "observe", **no_report)),
        "alloc, nothing qualifies": ("empty", variables(options, "alloc", AUTOLOCK_MIN_SIZE="1T", **no_report)),
    }
    too_much = []
    for name, (yardstick, environment) in rows.items():
        beside = {"LD_PRELOAD": os.path.join(interposers, f"{yardstick}.so")}
        _, locked, said = looked_at(beside, yardstick)
        if yardstick == "mlockall" and not locked:
            skip(f"mlockall is refused here: {said}")
        added = most(environment, "autolock") - most(beside, yardstick)
        print(f"{name}: {added} KiB resident more than with {yardstick}.so (at most {MOST_KIB})")
        # Nothing more than that would mean that nothing was measured.
        if added <= 0:
            fail("the library was not measured")
        if added > MOST_KIB:
            too_much.append(f"{name}: {added} KiB")
    if too_much:
        fail("too much: " + "; ".join(too_much))


if __name__ == "__main__":
    main()
