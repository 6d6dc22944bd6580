"""A file system whose files can be written, renamed and removed, but not mapped: a daemon of FUSE in a thread."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pathlib
import struct
import threading
from typing import Iterator

from harness import Skip, directory, need_root

# linux/fuse.h
LOOKUP, FORGET, GETATTR, SETATTR, OPEN, READ, WRITE, RELEASE = 1, 2, 3, 4, 14, 15, 16, 18
UNLINK, RENAME, FLUSH, INIT, OPENDIR, RELEASEDIR, CREATE, INTERRUPT = 10, 12, 25, 26, 27, 29, 35, 36
DIRECT_IO = 1
HEADER = struct.Struct("<IIQQIIII")
ROOT = 1


class _Daemon:
    def __init__(self, device: int):
        self.device = device
        self.nodes = {}  # by name
        self.bytes = {}  # by node

    def _attributes(self, node: int) -> bytes:
        mode = 0o40777 if node == ROOT else 0o100600
        return struct.pack("<QQQQQQIIIIIIIIII", node, len(self.bytes.get(node, b"")), 0, 0, 0, 0, 0, 0, 0, mode, 1, 0,
                           0, 0, 4096, 0)

    def _entry(self, node: int) -> bytes:
        return struct.pack("<QQQQII", node, 0, 0, 0, 0, 0) + self._attributes(node)

    def _write(self, node: int, request: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", request)
        self.bytes[node][offset:offset + size] = request[40:40 + size]
        return struct.pack("<II", size, 0)

    def _read(self, node: int, request: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", request)
        return bytes(self.bytes[node][offset:offset + size])

    def _create(self, request: bytes) -> bytes:
        node = len(self.bytes) + ROOT + 1
        self.nodes[request[16:-1]] = node
        self.bytes[node] = bytearray()
        return self._entry(node) + struct.pack("<QII", node, DIRECT_IO, 0)

    def _rename(self, request: bytes) -> bytes:
        old, new = request[8:-1].split(b"\0")
        self.nodes[new] = self.nodes.pop(old)
        return b""

    def _answer(self, operation: int, node: int, request: bytes) -> bytes | int:
        """A negative errno, or what is answered."""
        if operation == INIT:
            return struct.pack("<IIIIHHII", 7, 31, 65536, 0, 0, 0, 1 << 17, 1) + bytes(32)
        if operation == LOOKUP:
            return self._entry(self.nodes[request[:-1]]) if request[:-1] in self.nodes else -2
        if operation in (GETATTR, SETATTR):
            return struct.pack("<QII", 0, 0, 0) + self._attributes(node)
        if operation in (OPEN, OPENDIR):
            return struct.pack("<QII", node, DIRECT_IO, 0)
        if operation == UNLINK:
            return b"" if self.nodes.pop(request[:-1], None) else -2
        if operation in (RELEASE, RELEASEDIR, FLUSH):
            return b""
        more = {WRITE: lambda: self._write(node, request), READ: lambda: self._read(node, request),
                CREATE: lambda: self._create(request), RENAME: lambda: self._rename(request)}
        return more[operation]() if operation in more else -38

    def serve(self) -> None:
        """Until it is unmounted."""
        while True:
            try:
                request = os.read(self.device, 1 << 20)
            except OSError:
                return
            _, operation, number, node, *_ = HEADER.unpack_from(request)
            if operation in (FORGET, INTERRUPT):
                continue
            answer = self._answer(operation, node, request[HEADER.size:])
            error, answer = (answer, b"") if isinstance(answer, int) else (0, answer)
            os.write(self.device, struct.pack("<IiQ", 16 + len(answer), error, number) + answer)


@contextlib.contextmanager
def without_mmap() -> Iterator[tuple[pathlib.Path, dict]]:
    """The directory, and the files in it by their names (which nobody can list there)."""
    need_root()
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise Skip(f"no FUSE here: {error}") from None
    daemon = _Daemon(device)
    with directory() as place:
        options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other"
        if libc.mount(b"autolock-test", bytes(place), b"fuse", 0, options.encode()):
            os.close(device)
            raise Skip(f"nothing can be mounted: {os.strerror(ctypes.get_errno())}")
        thread = threading.Thread(target=daemon.serve, daemon=True)
        thread.start()
        try:
            yield place, daemon.nodes
        finally:
            assert libc.umount2(bytes(place), 2) == 0
            thread.join(10)
            os.close(device)
