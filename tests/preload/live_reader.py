"""Reads live counters by nothing but docs/live.md: places and names are those of its tables."""

from __future__ import annotations

import errno
import fcntl
import os
import pathlib
import re
import stat
import struct

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "live.md"


def _tables() -> dict:
    """Of each table its rows, as lists of cells."""
    tables = {}
    for name, body in re.findall(r"<!-- table (\w+) -->\n(.*?)<!-- end of table -->", DOCUMENT.read_text(), re.DOTALL):
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in body.splitlines()]
        tables[name] = rows[2:]
    return tables


TABLES = _tables()


def _members(table: str) -> dict:
    return {name.strip("`"): (int(offset), int(size), kind) for offset, size, kind, name, _ in TABLES[table]}


HEAD, BLOCK, SLAB, HISTOGRAM, DOWNGRADE = (_members(f"live_{name}") for name in
                                          ("head", "block", "slab", "histogram", "downgrade"))
FIELDS = [(key.strip("`"), int(counter) if counter else None) for _, counter, key in TABLES["live_fields"]]
PLACES = {counter: key for key, counter in FIELDS if counter is not None}
PARTS = [re.findall(r"([+-]) `([\w.]+)`", says) for _, says in TABLES["live_parts"]]
TIMED = [name.strip("`") for _, name in TABLES["live_histograms"]]

FORMATS = {"u32": "=I", "i32": "=i", "u64": "=Q"}
WRAP = 1 << 64


class Unreadable(Exception):
    pass


class File:
    """In a file the next slab is found by its place there."""

    next = "next_offset"

    def __init__(self, path: object):
        self.descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)

    def read(self, place: int, size: int) -> bytes:
        return _whole(os.pread(self.descriptor, size, place), size)

    def ends_before(self, place: int) -> bool:
        """A memfd does, before most histograms."""
        return stat.S_ISREG(os.fstat(self.descriptor).st_mode) and 0 < os.fstat(self.descriptor).st_size < place

    def close(self) -> None:
        os.close(self.descriptor)


class Memory(File):
    """/proc/PID/mem: by its address."""

    next = "next"

    def __init__(self, pid: int):
        self.start, _, _ = mapping(pid)
        super().__init__(f"/proc/{pid}/mem")

    def read(self, place: int, size: int) -> bytes:
        # The area by its offset, slabs by their address.
        place += self.start if place < 1 << 20 else 0
        return _whole(os.pread(self.descriptor, size, place), size)


def _whole(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise Unreadable(f"{len(data)} bytes instead of {size}")
    return data


def mapping(pid: int) -> tuple:
    """Where the counters of a process begin, where their mapping ends, and its name."""
    for line in pathlib.Path(f"/proc/{pid}/maps").read_text(errors="replace").splitlines():
        parts = line.split(maxsplit=5)
        if len(parts) == 6 and int(parts[2], 16) == 0 and ("memfd:autolock-live" in parts[5] or ".live" in parts[5]):
            start, end = (int(part, 16) for part in parts[0].split("-"))
            return start, end, parts[5]
    raise Unreadable(f"{pid} has no live counters")


def map_file(pid: int) -> str:
    start, end, _ = mapping(pid)
    return f"/proc/{pid}/map_files/{start:x}-{end:x}"


def _text(data: bytes) -> str:
    return data.split(b"\0")[0].decode(errors="replace")


class Area:
    def __init__(self, source: File):
        self.source = source
        self.complete = True
        if self.raw("magic") != b"autolock" or self.head("layout") != 1:
            raise Unreadable("no live counters of this layout")
        if (self.head("field_count"), self.head("counter_count")) != (len(FIELDS), len(PLACES)):
            raise Unreadable("of another version")

    def raw(self, name: str) -> bytes:
        offset, size, _ = HEAD[name]
        return self.source.read(offset, size)

    def head(self, name: str):
        kind = HEAD[name][2]
        if kind == "text":
            return _text(self.raw(name))
        if kind == "texts":
            return [part.decode(errors="replace") for part in self.raw(name).split(b"\0\0")[0].split(b"\0") if part]
        return struct.unpack(FORMATS[kind], self.raw(name))[0]

    def _slab(self, place: int, name: str) -> int:
        offset, size, _ = SLAB[name]
        return struct.unpack("=Q", self.source.read(place + offset, size))[0]

    def blocks(self) -> list:
        stride = self.head("block_stride")
        start = self.head("block_offset")
        data = [self.source.read(start + i * stride, stride) for i in range(self.head("block_count"))]
        place = HEAD["slab"][0]
        while self._slab(place, "next"):
            place = self._slab(place, self.source.next)
            if not place:
                self.complete = False
                break
            data += [self.source.read(place + SLAB["block"][0] + i * stride, stride)
                     for i in range(self._slab(place, "blocks"))]
        return data

    def counters(self) -> dict:
        sums = dict.fromkeys(PLACES.values(), 0)
        for block in self.blocks():
            values = struct.unpack_from(f"={len(PLACES)}Q", block, BLOCK["value"][0])
            parts = struct.unpack_from(f"={len(PARTS)}Q", block, BLOCK["part"][0])
            for place, value in enumerate(values):
                sums[PLACES[place]] += value
            for says, value in zip(PARTS, parts):
                for sign, key in says:
                    sums[key] += value if sign == "+" else -value
        return {key: value % WRAP for key, value in sums.items()}

    def percentiles(self) -> dict:
        found = {}
        offset, size, _ = HISTOGRAM["bucket"]
        for i, name in enumerate(TIMED):
            stride = self.head("histogram_stride")
            place = self.head("histogram_offset") + i * stride
            data = bytes(stride)
            # Where nothing was recorded there may be no memory.
            if self.head("timed") >> i & 1:
                if self.source.ends_before(place + stride):
                    continue
                data = self.source.read(place, stride)
            longest = struct.unpack_from("=Q", data, HISTOGRAM["max"][0])[0]
            buckets = struct.unpack_from(f"={size // 4}I", data, offset)
            total = sum(buckets)
            found[f"{name}.max_ns"] = longest if total else 0
            for key, share in ("p50_ns", 500), ("p99_ns", 990), ("p999_ns", 999):
                found[f"{name}.{key}"] = min(longest, _percentile(buckets, -(-total * share // 1000))) if total else 0
        return found

    def gauges(self) -> dict:
        values = struct.unpack(f"={len(FIELDS)}Q", self.source.read(self.head("field_offset"), 8 * len(FIELDS)))
        return {key: value for (key, counter), value in zip(FIELDS, values) if counter is None}

    def downgrades(self) -> list:
        start, stride = self.head("downgrade_offset"), self.head("downgrade_stride")
        found = []
        for i in range(min(16, self.head("downgrade_count"))):
            data = self.source.read(start + i * stride, stride)
            when = struct.unpack_from("=Q", data, DOWNGRADE["when_ns"][0])[0]
            offset, size, _ = DOWNGRADE["reason"]
            found.append({"when_ns": when, "reason": _text(data[offset:offset + size])})
        return [entry for entry in found if entry["reason"]]

    def numbers(self) -> dict:
        """Every number of the report by its full name; -1 for "no limit"."""
        times = self.percentiles()
        untold = {f"{name}.{key}" for name in TIMED for key in ("max_ns", "p50_ns", "p99_ns", "p999_ns")} - set(times)
        found = {key: value for key, value in {**self.gauges(), **times}.items() if key not in untold}
        for key, value in self.counters().items():
            # Below 0, for blocks that came before counting began.
            found[key] = value if value < WRAP // 2 or not key.startswith("by_kind.heap.") else 0
        return {key: found[key] if found[key] != WRAP - 1 else -1 for key, _ in FIELDS if key in found}

    def close(self) -> None:
        self.source.close()


def _percentile(buckets: tuple, rank: int) -> int:
    passed = 0
    for bucket, count in enumerate(buckets):
        passed += count
        if passed >= rank:
            return end_of(bucket)
    raise Unreadable("fewer durations than there were")


def end_of(bucket: int) -> int:
    """The longest duration in it, from the rule by which durations find their bucket."""
    if bucket < 128:
        return bucket
    shift = bucket // 64 - 1
    return ((bucket - shift * 64 + 1) << shift) - 1


def is_running(path: object) -> bool:
    """The lock tells, whatever the file says."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        assert error.errno == errno.EWOULDBLOCK, error
        return True
    finally:
        os.close(descriptor)
    return False


def ended(path: object) -> str:
    if is_running(path):
        return "running"
    area = Area(File(path))
    try:
        return area.head("ended") if area.head("state") == 2 else "killed"
    finally:
        area.close()
