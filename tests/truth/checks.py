"""The report of one process, held against what the kernel and the process itself say."""

from __future__ import annotations

from dataclasses import dataclass

from model import ALL_KINDS, Model, Policy
from program import Said

PAGE = 4096

# What the malloc family's counts have that the program does not know of: libc's and the loader's own.
COUNTED = ("malloc", "calloc", "realloc", "free", "memalign")

# Pages of the library that its way to the first figures of a report writes to.
OWN_PAGES = 4

# What libc and the loader allocate at one time, at most: the tables of a loaded library.
INSIDE_BYTES = 4096

# The page map's tables (lib/lock/pagemap.h): a branch, and a leaf with the words of 16,384 pages.
BRANCH_PAGES = 4
LEAF_PAGES = 17

# Branches, each of 128 GiB of addresses: those of the program and its heap, of mappings, and of the stack.
BRANCHES_MAX = 4


@dataclass
class End:
    """A process at its end."""

    said: Said
    report: dict
    first_said: Said
    first: dict  # the report before the first step
    base: dict  # the same of the process that it comes from
    inside: dict  # calls by libc and the loader, by name
    inside_live: int  # of the blocks that they have, at most so many
    limited: bool
    threads: int

    def __post_init__(self):
        self.wrong: list = []
        self.model = Model(Policy(self.report, self.limited)).replay(self.said.journal)

    def of(self, path: str, report: dict | None = None):
        value = self.report if report is None else report
        for key in path.split("."):
            value = value[key]
        return value

    def since(self, path: str) -> int:
        """A counter, since the first report."""
        return self.of(path) - self.of(path, self.first)

    def beyond(self, path: str) -> int:
        """A figure of the present, less what there was before the first step."""
        return self.of(path) - self.of(path, self.base)

    def between(self, what: str, value: int, least: int, most: int) -> None:
        if not least <= value <= most:
            self.wrong.append(f"{what} is {value}, not " + (str(least) if least == most else f"in {least} … {most}"))

    def equal(self, what: str, value: int, wanted: int) -> None:
        self.between(what, value, wanted, wanted)


def check_calls(end: End) -> None:
    for name, count in end.said.calls.items():
        wanted = count - end.first_said.calls[name] + end.inside.get(name, 0)
        end.equal(f"calls.{name}", end.since(f"calls.{name}"), wanted)
    for name in ("shmat", "shmdt", "mlock", "munlock", "mlockall", "munlockall"):
        end.equal(f"calls.{name}", end.since(f"calls.{name}"), 0)
    end.equal("children.fork", end.since("children.fork"), end.said.calls["fork"] - end.first_said.calls["fork"])
    end.equal("children.exec", end.since("children.exec"), 0)


def check_kernel(end: End) -> None:
    said, status = end.said, end.said.status
    end.equal("ppid", end.of("ppid"), said.parent)
    for path in ("locked.kernel_bytes", "memory.locked_bytes"):
        end.equal(path, end.of(path), status["VmLck"])
    end.between("locked.peak_kernel_bytes", end.of("locked.peak_kernel_bytes"), status["VmLck"], 1 << 50)
    end.equal("the kernel's mappings with lo", said.bytes_of(locked=True), status["VmLck"])
    end.equal("memory.swap_bytes", end.of("memory.swap_bytes"), status["VmSwap"])
    end.equal("memory.rss_bytes", end.of("memory.rss_bytes"), status["VmRSS"])
    end.equal("memory.peak_rss_bytes", end.of("memory.peak_rss_bytes"), status["VmHWM"])
    unlocked = said.bytes_of(locked=False, resident=True) if status["VmLck"] else status["VmRSS"]
    end.equal("memory.unlocked_resident_bytes", end.of("memory.unlocked_resident_bytes"), unlocked)
    end.equal("memory.limit_bytes", end.of("memory.limit_bytes"), said.limit)
    for name, count in zip(("minor", "major"), said.faults):
        # A fork leaves the library's pages to both, until it writes to the first of them at the end.
        own = OWN_PAGES if name == "minor" and said.calls["fork"] else 0
        end.between(f"faults.{name}", end.of(f"faults.{name}"), count, count + own)
        end.between(f"faults.{name}_after_lock", end.of(f"faults.{name}_after_lock"), 0, count)


def check_failures(end: End) -> None:
    for name, count in end.report["failures"].items():
        # What one thread unmaps the kernel holds against the limit a little longer than the library does.
        most = 1 << 30 if name == "ENOMEM" and end.limited and end.threads > 1 else 0
        end.between(f"failures.{name}", count, 0, most)
    if not end.limited:
        end.equal("skipped.budget", end.of("skipped.budget"), 0)
        end.equal("downgrades", len(end.report["downgrades"]), 0)
    end.equal("skipped.program", end.of("skipped.program"), 0)


def are_tables(bytes_: int) -> bool:
    """Whether so much can be tables, which there are none of under a small limit: a few branches and their leaves."""
    return bytes_ == 0 or any(bytes_ >= branches * BRANCH_PAGES * PAGE
                              and (bytes_ - branches * BRANCH_PAGES * PAGE) % (LEAF_PAGES * PAGE) == 0
                              for branches in range(1, BRANCHES_MAX + 1))


def check_hooks(end: End) -> None:
    """What the hooks lock, against the kernel."""
    locked, tracked = end.of("locked.kernel_bytes"), end.of("locked.tracked_bytes")
    if not are_tables(locked - tracked):
        end.wrong.append(f"locked.tracked_bytes is {tracked}, the kernel has {locked}: "
                         f"{(locked - tracked) // PAGE} pages more are no tables")
    end.between("locked.peak_tracked_bytes", end.of("locked.peak_tracked_bytes"), tracked, 1 << 50)
    end.between("locked.total_bytes", end.of("locked.total_bytes"), tracked, 1 << 50)
    by_kind = sum(end.of(f"by_kind.{kind}.locked_bytes") for kind in ALL_KINDS)
    end.between("locked.tracked_bytes, less what has an owner", tracked - by_kind, 0, max(5 << 18, tracked // 8))


def check_kinds(end: End) -> None:
    model = end.model
    for kind in ALL_KINDS[1:]:
        wanted = model.bytes_of(kind)
        end.equal(f"by_kind.{kind}.requested_bytes", end.beyond(f"by_kind.{kind}.requested_bytes"), wanted)
        # Side by side with what was there before, it makes no run of its own, and joins two of those that were.
        regions = end.beyond(f"by_kind.{kind}.regions")
        end.between(f"by_kind.{kind}.regions", regions, -1 if wanted else 0, model.runs_of(kind))
        if not end.limited and end.report["mode"] != "observe":
            end.equal(f"by_kind.{kind}.locked_bytes", end.beyond(f"by_kind.{kind}.locked_bytes"), wanted)
        if end.report["mode"] == "observe":
            end.equal(f"by_kind.{kind}.locked_bytes", end.of(f"by_kind.{kind}.locked_bytes"), 0)
    blocks, usable = model.heap()
    inside = end.inside_live
    end.between("by_kind.heap.regions", end.beyond("by_kind.heap.regions"), blocks, blocks + inside)
    requested = end.beyond("by_kind.heap.requested_bytes")
    end.between("by_kind.heap.requested_bytes", requested, usable, usable + inside * INSIDE_BYTES)


def check_skipped(end: End) -> None:
    for reason in ("size", "kind", "inaccessible"):
        wanted = end.model.skipped[reason]
        # Blocks of libc's and the loader's own may be outside the sizes as well.
        more = sum(end.inside.values()) if reason == "size" and "heap" in end.model.policy.kinds else 0
        end.between(f"skipped.{reason}", end.since(f"skipped.{reason}"), wanted, wanted + more)


def check_nothing_of_hooks(end: End) -> None:
    """Where the kernel locks, or nobody does."""
    for name in ("tracked_bytes", "peak_tracked_bytes", "total_bytes", "regions"):
        end.equal(f"locked.{name}", end.of(f"locked.{name}"), 0)


def check_nothing_is_judged(end: End) -> None:
    for kind in ALL_KINDS:
        for figure, value in end.report["by_kind"][kind].items():
            end.equal(f"by_kind.{kind}.{figure}", value, 0)
    for reason in ("size", "kind", "inaccessible"):
        end.equal(f"skipped.{reason}", end.of(f"skipped.{reason}"), 0)


def check_times(end: End) -> None:
    calls = ("mlock2", "munlock", "mlockall", "madvise", "msync")
    places = [(f"syscalls.{name}", "count", "time_ns") for name in calls]
    for place, count, time in [*places, ("hooks", "slow_count", "slow_time_ns")]:
        figures = end.of(place)
        order = [figures[key] for key in ("p50_ns", "p99_ns", "p999_ns", "max_ns", time)]
        if order != sorted(order):
            end.wrong.append(f"{place}: not in order: {figures}")
        if not figures[count] and any(order):
            end.wrong.append(f"{place}: a time without a call: {figures}")
        if figures[count] and figures[time] > figures[count] * figures["max_ns"]:
            end.wrong.append(f"{place}: a sum that cannot be: {figures}")
        # Half of the calls took at least the median, which is told at most 1.6 % too high.
        if figures[time] < (figures[count] // 2) * figures["p50_ns"] * 0.98:
            end.wrong.append(f"{place}: a median that cannot be: {figures}")


def check_need(end: End) -> None:
    need = end.of("need.memlock_bytes")
    config = end.report["config"]
    policy = end.report["mode"] == "alloc" or end.report["mode"] == "observe" and (
        config["kinds"] != ["heap", "anon"] or config["min_size"] or config["max_size"] >= 0)
    if not policy and not (end.report["mode"] == "observe"):
        end.equal("need.memlock_bytes", need, end.said.status["VmPeak"])
    elif end.report["mode"] == "alloc":
        end.between("need.memlock_bytes", need, max(end.of("locked.tracked_bytes"), sum(
            end.of(f"by_kind.{kind}.locked_bytes") for kind in ALL_KINDS)), 1 << 50)


def check(end: End) -> list:
    check_calls(end)
    check_kernel(end)
    check_failures(end)
    check_times(end)
    check_need(end)
    backend = end.report["backend"]
    if backend == "hooks":
        check_hooks(end)
    else:
        check_nothing_of_hooks(end)
    if backend == "hooks" or end.report["mode"] == "observe":
        check_kinds(end)
        check_skipped(end)
    else:
        check_nothing_is_judged(end)
    return end.wrong
