"""As much of PostgreSQL's protocol as simple queries take."""

from __future__ import annotations

import struct

from measure import Failed
from servers import Line


class Connection:
    def __init__(self, path: str, user: str, database: str):
        self._line = Line(path)
        self.close = self._line.close
        words = b"".join(word.encode() + b"\0" for word in ("user", user, "database", database)) + b"\0"
        self._line.send(struct.pack("!II", 8 + len(words), 3 << 16) + words)
        self._until_ready()

    def query(self, text: str) -> list:
        """The rows of all its statements, each a tuple of texts. Raises Failed where one fails."""
        data = text.encode() + b"\0"
        self._line.send(b"Q" + struct.pack("!I", 4 + len(data)) + data)
        return self._until_ready()

    def _until_ready(self) -> list:
        rows = []
        error = ""
        while True:
            head = self._line.read(5)
            size = struct.unpack("!I", head[1:])[0] - 4
            body = self._line.read(size) if size else b""
            if head[:1] == b"D":
                rows.append(_row(body))
            elif head[:1] == b"E":
                error = body.replace(b"\0", b" ").decode(errors="replace")
            elif head[:1] == b"Z":
                break
        # Ready, and in no transaction: what was asked for is committed.
        if error or body != b"I":
            raise Failed(f"PostgreSQL says: {error or 'a transaction is open'}")
        return rows


def _row(body: bytes) -> tuple:
    count, = struct.unpack_from("!H", body)
    place, columns = 2, []
    for _ in range(count):
        size, = struct.unpack_from("!i", body, place)
        place += 4
        columns.append(body[place:place + size].decode() if size >= 0 else None)
        place += max(size, 0)
    return tuple(columns)
