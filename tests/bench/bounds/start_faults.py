#!/usr/bin/env python3
"""Page faults that the library adds to a program that does nothing, beyond those of one that calls mlockall and nothing
else, or in mode observe of one without a symbol. Where the loader puts things is different each time: the least counts."""

import os
import shutil
import subprocess

from counting import clean, fail, parse_arguments, skip, variables

RUNS = 15
MOST = {"all": 32, "observe": 105}


def faults(program: str, environment: dict) -> int:
    """Minor faults of one run, of the child alone."""
    child = subprocess.Popen([program], env=clean(environment), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        fail(f"{program} with {environment}: status {child.returncode}")
    return usage.ru_minflt


def least(program: str, environment: dict) -> int:
    return min(faults(program, environment) for _ in range(RUNS))


def main() -> None:
    options = parse_arguments(__doc__)
    true = shutil.which("true") or "/bin/true"
    built = os.path.join(os.path.abspath(options.built), "interposers")
    bare = least(true, {})
    too_many = []
    for mode, yardstick in (("all", "mlockall"), ("observe", "empty")):
        beside = least(true, {"LD_PRELOAD": os.path.join(built, f"{yardstick}.so")})
        if beside <= bare:
            fail(f"{yardstick}.so was not loaded")
        if mode == "all" and beside < bare + 20:
            skip("mlockall brings nothing in here")
        added = least(true, variables(options, mode)) - beside
        print(f"mode {mode}: {added} page faults more than with {yardstick}.so (at most {MOST[mode]})")
        if added <= 0:
            fail("the library was not loaded")
        if added > MOST[mode]:
            too_many.append(f"mode {mode} adds {added}")
    if too_many:
        fail("; ".join(too_many))


if __name__ == "__main__":
    main()
