#!/usr/bin/env python3
"""No system call on the way of malloc, realloc and free: what the library adds does not grow with the iterations.

Mode alloc follows the pages: one that gets its first owner may have to be locked. In steady state that is rare, and
how rare is bounded.
"""

from counting import MODES, fail, need_strace, parse_arguments, pattern, system_calls, variables

FEW, MANY = 1_000, 50_000
PROGRAMS = (("pair", "64"), ("churn", "2000"), ("grow", "65536"))

# At its start it lays out tables by where the loader has put things, which differs from run to run.
LAYOUT = {"observe": 5}

FOLLOWS = ("alloc",)
STEADY, LONG = 500_000, 1_500_000
MOST_PER_MILLION = 1_000


def steady_state(options) -> None:
    """System calls that mode alloc adds to a million operations on 20,000 live blocks, once they are all there."""
    for mode in FOLLOWS:
        runs = [[pattern(options, "churn"), str(iterations)] for iterations in (STEADY, LONG)]
        bare = [len(system_calls(argv, {})) for argv in runs]
        mine = [len(system_calls(argv, variables(options, mode))) for argv in runs]
        added = (mine[1] - bare[1]) - (mine[0] - bare[0])
        print(f"churn  mode {mode:8} adds {added} system calls to {LONG - STEADY:,} operations in steady state "
              f"(at most {MOST_PER_MILLION})")
        if mine[0] <= bare[0]:
            fail(f"mode {mode}: the library was not loaded")
        if added > MOST_PER_MILLION:
            fail(f"mode {mode}: {added} system calls per million operations")


def main() -> None:
    options = parse_arguments(__doc__)
    need_strace()
    growing = []
    for program, parameter in PROGRAMS:
        runs = [[pattern(options, program), str(iterations), parameter] for iterations in (FEW, MANY)]
        bare = [len(system_calls(argv, {})) for argv in runs]
        for mode in (mode for mode in MODES if mode not in FOLLOWS):
            calls = [system_calls(argv, variables(options, mode)) for argv in runs]
            if ("mlockall" in calls[0]) != (mode == "all"):
                fail(f"mode {mode}: " + ("mlockall was called" if mode != "all" else "the library was not loaded"))
            added = [len(mine) - without for mine, without in zip(calls, bare)]
            print(f"{program:6} mode {mode:8} adds {added[0]} system calls in {FEW:,} iterations, "
                  f"{added[1]} in {MANY:,}")
            if abs(added[1] - added[0]) > LAYOUT.get(mode, 0):
                growing.append(f"{program} in mode {mode}")
    if growing:
        fail("more iterations, more system calls: " + ", ".join(growing))
    steady_state(options)


if __name__ == "__main__":
    main()
