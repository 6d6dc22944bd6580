#!/usr/bin/env python3
"""No system call on the way of malloc, realloc and free: what the library adds does not grow with the iterations."""

from counting import MODES, fail, need_strace, parse_arguments, pattern, system_calls, variables

FEW, MANY = 1_000, 50_000
PROGRAMS = (("pair", "64"), ("churn", "2000"), ("grow", "65536"))


def main() -> None:
    options = parse_arguments(__doc__)
    need_strace()
    growing = []
    for program, parameter in PROGRAMS:
        runs = [[pattern(options, program), str(iterations), parameter] for iterations in (FEW, MANY)]
        bare = [len(system_calls(argv, {})) for argv in runs]
        for mode in MODES:
            calls = [system_calls(argv, variables(options, mode)) for argv in runs]
            if ("mlockall" in calls[0]) != (mode == "all"):
                fail(f"mode {mode}: " + ("mlockall was called" if mode != "all" else "the library was not loaded"))
            added = [len(mine) - without for mine, without in zip(calls, bare)]
            print(f"{program:6} mode {mode:8} adds {added[0]} system calls in {FEW:,} iterations, "
                  f"{added[1]} in {MANY:,}")
            if added[0] != added[1]:
                growing.append(f"{program} in mode {mode}")
    if growing:
        fail("more iterations, more system calls: " + ", ".join(growing))


if __name__ == "__main__":
    main()
