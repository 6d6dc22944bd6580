"""What an operation costs as a program grows: with more live blocks, more mappings, more threads."""

from typing import Optional

import machine
from configurations import BARE

TITLE = "growth, per operation"

# The sizes are held against each other: one round has all of them.
TOGETHER = True

LIVE = tuple(10 ** exponent for exponent in (3, 4, 5, 6, 7))
MAPPINGS = (10, 100, 1000, 10_000, 30_000)
THREADS = (1, 2, 4, 8, 16, 32, 64)

_ROUNDS = 5
_PER_LIVE_BLOCK = 300  # bytes at the most, with what is between them
_PER_THREAD = 12 << 20  # a stack and the beginning of an arena, all of it brought in


def configurations(bench):
    return bench.rows(BARE, "all", "alloc")


def cases(bench):
    memory = machine.available_bytes() // 2
    live = [count for count in LIVE if count * _PER_LIVE_BLOCK < memory and not (bench.quick and count > 10 ** 5)]
    threads = [count for count in THREADS if count * _PER_THREAD < memory]
    # Where filling up is what takes the time, as many operations for each rather than as long a time.
    operations = 1000 if bench.quick else 1_000_000
    made = [
        *(_case(bench, f"pair beside {count:,} live", "beside", count, operations) for count in live),
        *(_case(bench, f"churn of {count:,} live", "churn", count, operations // 4, "80") for count in live),
        *(_case(bench, f"mmap and munmap beside {count:,} mappings", "mappings", count, operations // 200)
          for count in MAPPINGS),
        *(_case(bench, f"pair, {_threads(count)}", "pairs", count, None) for count in threads),
        *(_case(bench, f"handoff, {_threads(count)}", "handoff", count, None) for count in threads),
    ]
    for count in LIVE + THREADS:
        if count not in live + threads and not bench.quick:
            bench.leave_out(f"growth to {count:,}", "too little memory")
    return made


def _threads(count: int) -> str:
    return f"{count} thread{'s' if count > 1 else ''}"


def _case(bench, name: str, pattern: str, count: int, amount: Optional[int], *more: str):
    case = bench.program(name, pattern, str(count), *more)
    case.amount = amount
    case.rounds = _ROUNDS
    return case


def count_of(case: str) -> int:
    """How large the program is in a case."""
    return int("".join(character for character in case if character.isdigit()))
