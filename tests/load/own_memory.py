"""What the library has of a process for itself, resident or swapped out.

Its file and what is mapped behind it, its counters, and its tables of pages: these have no name, so they are found as
the library finds them, from the root of their tree.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess

import live_reader
import processes
from measure import Skipped

_LEAVES = _BRANCHES = 1 << 11
_WORD = struct.Struct(f"={_LEAVES}Q")
_LEAF_PAGES = 1 << 14
# A leaf: where it begins, its index, two flags, a word for each page and one more, and how many have no owner.
_LEAF_BYTES = (20 + 4 * (_LEAF_PAGES + 1) + 4 + 7) // 8 * 8
_PAGE = os.sysconf("SC_PAGESIZE")
_THERE = 3 << 62  # in memory, or in swap


class Library:
    def __init__(self, path: str):
        if not shutil.which("nm"):
            raise Skipped("nm is not installed")
        self.name = os.path.basename(path)
        said = subprocess.run(["nm", path], capture_output=True, text=True, check=True).stdout
        roots = [line.split()[0] for line in said.splitlines() if line.endswith(" al_pagemap_root")]
        if len(roots) != 1:
            raise Skipped(f"{path} has no symbols: its tables cannot be found")
        self._root = int(roots[0], 16)

    def backend(self, pid: int) -> str:
        """Who locks there, by its counters."""
        try:
            area = live_reader.Area(live_reader.Memory(pid))
        except live_reader.Unreadable as reason:
            raise LookupError(str(reason)) from None
        try:
            return area.head("backend")
        finally:
            area.close()

    def own_kib(self, pid: int) -> int:
        """Raises LookupError where the library is not in the process."""
        total, end, base = 0, 0, None
        for mapping in processes.mappings(pid):
            own = os.path.basename(mapping.name) == self.name
            if own and not mapping.offset and base is None:
                base = mapping.start
            counters = "autolock-live" in mapping.name or mapping.name.endswith(".live")
            # What has no name and begins where its file ends is what the file has of zeroes.
            if own or counters or (not mapping.name and mapping.start == end):
                total += mapping.there
                end = mapping.end
        if base is None:
            raise LookupError(f"the library is not in process {pid}")
        return total + self._tables_kib(pid, base + self._root)

    def _tables_kib(self, pid: int, root: int) -> int:
        pages = 0
        with open(f"/proc/{pid}/mem", "rb", 0) as memory, open(f"/proc/{pid}/pagemap", "rb", 0) as map_of_pages:
            def words(address: int):
                return _WORD.unpack(os.pread(memory.fileno(), _WORD.size, address))

            def there(address: int, size: int) -> int:
                first, end = address // _PAGE, -(-(address + size) // _PAGE)
                entries = os.pread(map_of_pages.fileno(), 8 * (end - first), 8 * first)
                return sum(1 for entry, in struct.iter_unpack("=Q", entries) if entry & _THERE)

            for branch in filter(None, words(root)):
                pages += there(branch, _WORD.size)
                for entry in words(branch):
                    # A leaf; otherwise nothing, or the word that all its pages have.
                    if entry and not entry & 1:
                        pages += there(entry, _LEAF_BYTES)
        return pages * _PAGE >> 10
