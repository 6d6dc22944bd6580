#!/usr/bin/env python3
"""Instructions that each mode adds to a malloc and free of 64 bytes. Two iteration counts: start-up cancels out.

In mode alloc also where the block is alone on its page, in a thread of its own: a page that gets its first owner and
loses its last each time would take several times as much.
"""

from counting import MODES, fail, instructions, need_callgrind, parse_arguments, pattern, variables

MOST = {"off": 12, "observe": 93, "all": 23, "alloc": 93}
MOST_LONE = 114
FEW, MANY = 20_000, 120_000
DECIMALS = 2  # below that are the digits of the printed time, which differ from run to run


def per_pair(options, environment: dict, name: str = "pair", *arguments: str) -> float:
    program = pattern(options, name)
    counts = [instructions([program, str(iterations), *arguments], environment) for iterations in (FEW, MANY)]
    return round((counts[1] - counts[0]) / (MANY - FEW), DECIMALS)


def main() -> None:
    options = parse_arguments(__doc__)
    need_callgrind()
    bare = per_pair(options, {})
    print(f"a pair of malloc and free, 64 bytes: {bare:.2f} instructions")
    too_many = []
    for mode in MODES:
        added = round(per_pair(options, variables(options, mode, AUTOLOCK_STATS="off")) - bare, DECIMALS)
        bound = MOST.get(mode)
        print(f"  mode {mode:8} adds {added:6.2f}" + (f"  (at most {bound})" if bound else ""))
        # Standing in between cannot be had for nothing: no cost means that the library was not there.
        if added < 1:
            fail(f"mode {mode}: the library was not loaded")
        if bound and added > bound:
            too_many.append(f"mode {mode} adds {added:.2f} instructions, more than {bound}")
    lone = round(per_pair(options, variables(options, "alloc", AUTOLOCK_STATS="off"), "pairs")
                 - per_pair(options, {}, "pairs"), DECIMALS)
    print(f"  mode alloc    adds {lone:6.2f} in a thread, alone on its page  (at most {MOST_LONE})")
    if lone < 1:
        fail("mode alloc: the library was not loaded")
    if lone > MOST_LONE:
        too_many.append(f"mode alloc adds {lone:.2f} instructions to a block alone on its page, more than {MOST_LONE}")
    if too_many:
        fail("; ".join(too_many))


if __name__ == "__main__":
    main()
