"""A memory cgroup of the bench's own, of version 1 or 2, which is gone afterwards with all that ran in it."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import time

from measure import Skipped

# Where they are found, and what the file of the limit is called there.
_PLACES = (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max"))
_TRIES = 100
# There may be several at a time.
_numbers = itertools.count(1)


class Cgroup:
    def __init__(self, path: str):
        self.path = path

    def enter(self) -> None:
        """To be called in a child before it becomes the program."""
        with open(os.path.join(self.path, "cgroup.procs"), "w", encoding="utf-8") as file:
            file.write(str(os.getpid()))

    def processes(self) -> list:
        with open(os.path.join(self.path, "cgroup.procs"), encoding="utf-8") as file:
            return [int(line) for line in file]

    def killed(self) -> int:
        """How many of its processes the kernel has killed for want of memory."""
        for name in ("memory.oom_control", "memory.events"):
            with contextlib.suppress(FileNotFoundError), open(os.path.join(self.path, name), encoding="utf-8") as file:
                return sum(int(line.split()[1]) for line in file if line.startswith("oom_kill "))
        return 0


@contextlib.contextmanager
def limited_to(size: int):
    """Raises Skipped where none can be had."""
    path = _make(size, f"autolock-bench.{os.getpid()}.{next(_numbers)}")
    try:
        yield Cgroup(path)
    finally:
        _remove(path)


def _make(size: int, name: str) -> str:
    reasons = []
    for parent, limit_file in _PLACES:
        path = os.path.join(parent, name)
        try:
            os.mkdir(path)
        except OSError as reason:
            reasons.append(f"{parent}: {reason.strerror}")
            continue
        try:
            # Opened without creating it: a cgroup without this file has no memory controller.
            with open(os.path.join(path, limit_file), "r+", encoding="utf-8") as file:
                file.write(str(size))
            return path
        except OSError as reason:
            reasons.append(f"{parent}: {limit_file}: {reason.strerror}")
            os.rmdir(path)
    raise Skipped(f"no memory cgroup can be made here ({'; '.join(reasons)})")


def _remove(path: str) -> None:
    for _ in range(_TRIES):
        # Only what was started here is in it.
        for process in Cgroup(path).processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        try:
            os.rmdir(path)
            return
        except OSError:
            time.sleep(0.02)
