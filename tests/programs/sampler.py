"""Looks at VmLck of a process and all its descendants every few milliseconds, as the kernel tells it."""

from __future__ import annotations

import os
import threading
from typing import Optional

from support import process_fields

EVERY_S = 0.004
FAMILY_EVERY = 4  # looks; the tree of processes changes less often than what they have locked


class Sampler(threading.Thread):
    """Runs until `stop()`. `most` is the largest VmLck in bytes, `whose` tells of the process that had it."""

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self._pid = pid
        self._ended = threading.Event()
        self.most = 0
        self.whose = ""
        self.looks = 0
        self.start()

    def run(self) -> None:
        family = [self._pid]
        while not self._ended.wait(EVERY_S):
            if self.looks % FAMILY_EVERY == 0:
                family = list(_family(self._pid))
            self.looks += 1
            for pid in family:
                locked = _locked(pid)
                if locked > self.most:
                    self.most, self.whose = locked, f"{_name(pid)} (pid {pid})"

    def stop(self) -> None:
        self._ended.set()
        self.join()


def _family(pid: int):
    yield pid
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                for child in file.read().split():
                    yield from _family(int(child))
    except OSError:
        return  # it has ended, or the kernel has no such file


def _locked(pid: int) -> int:
    try:
        return process_fields(pid, "VmLck")[0] * 1024
    except (OSError, KeyError):
        return 0  # ended, or ending


def _name(pid: int) -> Optional[str]:
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return "?"
