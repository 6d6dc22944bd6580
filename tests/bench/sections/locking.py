"""How fast memory is brought in and locked, by the size of what is mapped. The limit is what it takes to write to
memory that is there already."""

import machine
from configurations import Configuration
from measure import Case, Skipped, number

TITLE = "bringing memory in"

MIB = 1 << 20
_HUGE = {"AUTOLOCK_HUGEPAGES": "1"}
_THREADS = {"AUTOLOCK_POPULATE_THREADS": "2"}

# What the program does itself; in all other rows it only maps, and the library brings in.
WAYS = {"touch": "touch", "mlock": "mlock", "onfault, touch": "onfault", "memset": "memset",
        "memset, huge": "memset-huge"}
YARDSTICKS = ("mlock", "memset", "memset, huge")

_ROWS = tuple(Configuration(name) for name in WAYS) + tuple(
    Configuration(mode + suffix, ("autolock",), {"AUTOLOCK_MODE": mode, "AUTOLOCK_STATS": "off", **more})
    for mode in ("all", "alloc")
    for suffix, more in (("", {}), (" huge", _HUGE), (" threads", _THREADS), (" both", {**_HUGE, **_THREADS})))

# Bytes, rounds, whether only in a long run.
_SIZES = ((MIB, 7, False), (16 * MIB, 7, False), (64 * MIB, 7, False), (256 * MIB, 5, False), (1024 * MIB, 5, False),
          (4096 * MIB, 2, False))


def configurations(bench):
    rows = _ROWS
    if machine.describe()["huge_pages"] in ("", "never"):
        rows = tuple(row for row in rows if "huge" not in row.name and "both" not in row.name)
        bench.leave_out("huge pages", "they are switched off here")
    return bench.prepare(rows)


def label(size: int) -> str:
    return f"{size // MIB} MiB" if size < 1024 * MIB else f"{size // (1024 * MIB)} GiB"


def cases(bench):
    if not machine.may_lock_all():
        raise Skipped("a memlock limit holds here")
    # The pages of one run may not be gone yet when the next one begins.
    most = machine.available_bytes() // 3
    made = [_case(bench, size, rounds) for size, rounds, long in _SIZES
            if size <= most and (bench.long or not long) and (size <= 16 * MIB or not bench.quick)]
    if most < _SIZES[-1][0]:
        bench.leave_out("large sizes", f"only {most // MIB} MiB of memory are left for them")
    return made


def _case(bench, size: int, rounds: int) -> Case:
    def measure(configuration, amount: int) -> dict:
        way = WAYS.get(configuration.name, "map")
        nanoseconds = number([bench.path("bring_in"), str(amount), way, str(size)], configuration.environment)
        return {"time": nanoseconds / 1000, "GB/s": size / nanoseconds}

    # What takes long is done once a run.
    amount = max(1, int(bench.run_ns / 1e9 * 2048 * MIB) // size)
    return Case(label(size), measure, "us", amount=amount, rounds=rounds, yardsticks=YARDSTICKS)
