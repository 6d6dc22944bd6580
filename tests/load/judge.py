"""What has to hold of a trial, whatever the times were."""

from __future__ import annotations

from configurations import BARE

# What the library may have more of one process at the end of the load than at its beginning. A table of pages is made
# for each 64 MiB of addresses that the program comes to use, and is there as far as it was written to.
GROWTH_KIB = 128

# Here nothing is to be read in again, and nothing to be pushed out; with a budget, as long as it is kept to by nothing
# being left unlocked.
HELD, HELD_BY_BUDGET = "all unlimited", "all"


def judge(sides: list) -> None:
    """Adds to what is wrong with each."""
    bare = next((side for side in sides if side.row.name == BARE), None)
    for side in sides:
        result, wrong = side.result, side.wrong
        if result.get("killed for want of memory"):
            wrong.append(f"{result['killed for want of memory']} processes were killed for want of memory")
        if bare and side is not bare:
            for status in "status", "status again":
                if result.get(status) != bare.result.get(status):
                    wrong.append(f"{status}: {result.get(status)}, bare {bare.result.get(status)}")
        if not result.get("operations"):
            wrong.append("nothing was asked")
        if side.row.name == HELD or (side.row.name == HELD_BY_BUDGET and not result.get("left unlocked")):
            if result.get("major faults") != 0 or result.get("major after the lock, as reported") != 0:
                wrong.append(f"{result.get('major faults')} major faults, "
                             f"{result.get('major after the lock, as reported')} as reported")
            if swapped := max(sample.swap_kib for sample in side.samples):
                wrong.append(f"{swapped} KiB of it were in swap")
        if side.row.name == HELD and result.get("failures"):
            wrong.append(f"{result['failures']} locking calls failed")
        if side is not bare:
            result["own KiB"] = own = _own(side.samples)
            if not own:
                wrong.append("the library was not seen in any process")
            for process, (first, last) in own.items():
                if last - first > GROWTH_KIB:
                    wrong.append(f"what the library has of {process} grew from {first} to {last} KiB")
            if not result.get("reports compared"):
                wrong.append("no report was held against the kernel")
            if not max(sample.locked_kib for sample in side.samples):
                wrong.append("nothing was locked")


def _own(samples: list) -> dict:
    """{process: (what the library has in it when who locks at the end is first seen to, and last)}: the tables are made
    when the hooks begin to. A process that is seen but once tells nothing."""
    found = {}
    for sample in samples:
        for process, (backend, kib) in sample.own.items():
            known = found.setdefault(process, [])
            if known and known[0][0] != backend:
                known.clear()
            known.append((backend, kib))
    return {process: (known[0][1], known[-1][1]) for process, known in found.items() if len(known) > 1}
