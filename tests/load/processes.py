"""What the kernel says of processes: page faults that had to read, what is swapped out, what is locked."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Status:
    name: str
    rss: int  # in KiB, as the others
    swap: int
    locked: int


NOBODY = Status("", 0, 0, 0)


def status(pid: int) -> Status:
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
        said = dict(line.rstrip("\n").split(":\t", 1) for line in file)
    rss, swap, locked = (int(said.get(name, "0").split()[0]) for name in ("VmRSS", "VmSwap", "VmLck"))
    return Status(said["Name"], rss, swap, locked)


def major_faults(pid: int) -> int:
    """Those of the process, and of its children that have ended and were waited for."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[9]) + int(fields[10])


@dataclass(frozen=True)
class Mapping:
    start: int
    end: int
    name: str
    offset: int
    shared: bool
    kib: dict  # of each size that smaps has

    @property
    def there(self) -> int:
        return self.kib["Rss"] + self.kib["Swap"]


def mappings(pid: int) -> list:
    found = []
    with open(f"/proc/{pid}/smaps", encoding="utf-8", errors="replace") as file:
        for line in file:
            if head := re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) ([0-9a-f]+) \S+ \d+\s*(.*)", line):
                start, end, offset = (int(head[index], 16) for index in (1, 2, 4))
                found.append(Mapping(start, end, head[5], offset, head[3][3] == "s", {}))
            elif size := re.match(r"(\w+):\s+(\d+) kB", line):
                found[-1].kib[size[1]] = int(size[2])
    return found


def shared_swap(pid: int) -> int:
    """In KiB: what of its shared memory is in swap. The status tells of private memory alone."""
    return sum(mapping.kib["Swap"] for mapping in mappings(pid) if mapping.shared)
