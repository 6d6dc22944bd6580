"""The report of mode alloc and of mode observe, held against a program that holds known memory.

    figures_test.py --library LIBRARY --program HOLDINGS CASE
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

PAGE = 4096
SKIP = 77

# As holdings.c has them.
LARGE = 1 << 20
LARGE_BLOCKS = 50
SMALL_BLOCKS = 1000
MAP_LENGTH = 64 * PAGE

# Of a block that is a mapping of its own: with the allocator's header, in whole pages.
LARGE_MAPPED = LARGE + PAGE
LARGE_USABLE = LARGE_MAPPED - 16


class Run:
    """One run of the program: its report and what it printed."""

    def __init__(self, arguments, scenario, **settings):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "report")
            environment = {
                **os.environ,
                "LD_PRELOAD": arguments.library,
                "AUTOLOCK_STATS": "json",
                "AUTOLOCK_STATS_FILE": path,
                **{"AUTOLOCK_" + name: value for name, value in settings.items()},
            }
            done = subprocess.run([arguments.program, scenario], env=environment, text=True,
                                  capture_output=True, timeout=60, check=False)
            if done.returncode == SKIP:
                print(done.stderr, end="")
                sys.exit(SKIP)
            if done.returncode or done.stderr:
                sys.exit(f"{scenario}: status {done.returncode}: {done.stderr}")
            with open(path, encoding="utf-8") as report:
                self.report = json.loads(report.read())
        self.printed = done.stdout.split()

    def of(self, path):
        value = self.report
        for key in path.split("."):
            value = value[key]
        return value

    def equal(self, path, wanted):
        if self.of(path) != wanted:
            sys.exit(f"{path} is {self.of(path)}, not {wanted}")

    def between(self, path, least, most):
        if not least <= self.of(path) <= most:
            sys.exit(f"{path} is {self.of(path)}, not in {least} … {most}")

    def no_failure(self):
        for name in self.of("failures"):
            self.equal("failures." + name, 0)


def observe_sizes(arguments):
    run = Run(arguments, "sizes", MODE="observe", FLAGS="future", KINDS="heap", MIN_SIZE="1M")
    live = LARGE_BLOCKS - LARGE_BLOCKS // 2
    run.equal("mode", "observe")
    run.equal("locked.kernel_bytes", 0)
    run.equal("memory.locked_bytes", 0)
    # All of them lived at the same time.
    run.equal("need.memlock_bytes", LARGE_BLOCKS * LARGE_MAPPED)
    run.equal("by_kind.heap.regions", live)
    run.between("by_kind.heap.requested_bytes", live * LARGE, live * LARGE_USABLE)
    run.between("skipped.size", SMALL_BLOCKS, SMALL_BLOCKS + 100)
    # The one that finds out which limit holds.
    run.between("syscalls.mlock2.count", 0, 1)
    run.no_failure()


def observe_kinds(arguments):
    counts = {"anon": 20, "shared": 3, "file": 11}
    for kind, count in counts.items():
        run = Run(arguments, "kinds", MODE="observe", FLAGS="future", KINDS=kind)
        run.equal("kinds", [kind])
        run.equal("need.memlock_bytes", count * MAP_LENGTH)
        # Those that lie side by side are one.
        run.between(f"by_kind.{kind}.regions", 1, count)
        run.equal(f"by_kind.{kind}.requested_bytes", count * MAP_LENGTH)
        run.between("skipped.kind", sum(counts.values()) - count, 60)
        run.between("skipped.inaccessible", 5 if kind == "anon" else 0, 10)
        run.equal("locked.kernel_bytes", 0)
    run = Run(arguments, "kinds", MODE="observe", FLAGS="future", KINDS="anon,shared,file")
    run.equal("need.memlock_bytes", sum(counts.values()) * MAP_LENGTH)


def alloc_kinds(arguments):
    """The same figures where they are not only told."""
    run = Run(arguments, "kinds", MODE="alloc", FLAGS="future", KINDS="anon,shared,file")
    run.equal("backend", "hooks")
    for kind, count in {"anon": 20, "shared": 3, "file": 11}.items():
        # Those that lie side by side are one.
        run.between(f"by_kind.{kind}.regions", 1, count)
        run.equal(f"by_kind.{kind}.requested_bytes", count * MAP_LENGTH)
        run.equal(f"by_kind.{kind}.locked_bytes", count * MAP_LENGTH)
    run.equal("locked.tracked_bytes", 34 * MAP_LENGTH)
    run.equal("need.memlock_bytes", 34 * MAP_LENGTH)
    run.between("locked.kernel_bytes", 34 * MAP_LENGTH, 34 * MAP_LENGTH + (2 << 20))
    run.no_failure()


def alloc_books(arguments):
    """What the library believes to be locked is what the kernel has locked, but for the slack."""
    for flags in ("current,future", "current,future,onfault"):
        for kinds in ("heap,anon", "heap,anon,file,shared,stack,image"):
            run = Run(arguments, "mixed", MODE="alloc", FLAGS=flags, KINDS=kinds)
            owned, locked = (int(word) for word in run.printed)
            # Its own tables are locked, and not tracked.
            slack = max(5 << 18, locked // 8) + (4 << 20)
            run.between("locked.tracked_bytes", owned - slack, owned + slack)
            run.between("locked.kernel_bytes", owned, locked + slack)
            run.between("locked.peak_tracked_bytes", run.of("locked.tracked_bytes"), 1 << 30)
            kinds_locked = sum(figures["locked_bytes"] for figures in run.of("by_kind").values())
            run.between("locked.tracked_bytes", kinds_locked - slack, kinds_locked + slack)
            run.no_failure()


CASES = {case.__name__: case for case in (observe_sizes, observe_kinds, alloc_kinds, alloc_books)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", required=True)
    parser.add_argument("--program", required=True)
    parser.add_argument("case", choices=CASES)
    arguments = parser.parse_args()
    CASES[arguments.case](arguments)


if __name__ == "__main__":
    main()
