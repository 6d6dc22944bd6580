"""What the tests of the gate share."""

import os

from command import Done

NAMES = ("majflt", "minflt", "failures", "unlocked", "locked", "swap", "coverage", "downgrades")

# With which everything is told, and holds if it is known.
ALL = ",".join(f"{name}>=0" for name in NAMES)


def places() -> set:
    """Where counters are kept meanwhile."""
    return {name for name in os.listdir("/dev/shm") if name.startswith("autolock-")}


def rows(done: Done) -> dict:
    """expectation: (measured, holds)"""
    lines = done.err.decode(errors="replace").splitlines()
    begin = next(number for number, line in enumerate(lines) if line.split() == ["expected", "measured"])
    found = {}
    for line in lines[begin + 1:]:
        expected, measured = line[2:26].strip(), line[27:51].strip()
        found[expected] = (measured, line.endswith(" ok"))
        assert line.endswith((" ok", " FAILED")), line
    return found


def measured(done: Done) -> dict:
    """Of what was run with ALL. name: its number, or None if it is not known"""
    return {expected.removesuffix(">=0"): None if told == "not known" else float(told.split()[0].rstrip("%"))
            for expected, (told, _) in rows(done).items()}
