"""redis-server with an append-only file: half of the requests read a random key, half write one."""

from __future__ import annotations

import array
import os
import random

from measure import Failed
from servers import MIB, Line, Server, bytes_of, need

VALUE_BYTES = 1000
_BATCH = 500


def value(key: int, version: int) -> bytes:
    name = f"{key}:{version}:"
    return name.encode() + bytes_of(name, VALUE_BYTES - len(name))


def _set(key: int, version: int) -> bytes:
    name = b"key:%d" % key
    return b"*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" % (len(name), name, VALUE_BYTES, value(key, version))


def _get(key: int) -> bytes:
    name = b"key:%d" % key
    return b"*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n" % (len(name), name)


class Traffic:
    def __init__(self, path: str, keys: int):
        self.path = path
        self.versions = array.array("L", bytes(8 * keys))  # the last one of each that was acknowledged
        self.written = 0
        self.read = 0
        self._random = random.Random(1)
        self._line = None

    def connect(self) -> None:
        self._line = Line(self.path)

    def disconnect(self) -> None:
        if self._line:
            self._line.close()
        self._line = None

    def request(self) -> tuple:
        key = self._random.randrange(len(self.versions))
        if self._random.random() < 0.5:
            return key, None, _get(key)
        version = self.versions[key] + 1
        return key, version, _set(key, version)

    def ask(self, request: tuple):
        self._line.send(request[2])
        if request[1] is None:
            return self._value()
        return self._line.line()

    def check(self, request: tuple, answer) -> None:
        key, version, _ = request
        if version is None:
            self._expect(key, answer)
            self.read += 1
        elif answer != b"+OK\r\n":
            raise Failed(f"redis-server did not take key {key}: {answer!r}")
        else:
            self.versions[key] = version
            self.written += 1

    def fill(self) -> None:
        for first in range(0, len(self.versions), _BATCH):
            batch = range(first, min(first + _BATCH, len(self.versions)))
            self._line.send(b"".join(_set(key, 0) for key in batch))
            for key in batch:
                if self._line.line() != b"+OK\r\n":
                    raise Failed(f"redis-server did not take key {key}")

    def read_back(self) -> int:
        for first in range(0, len(self.versions), _BATCH):
            batch = range(first, min(first + _BATCH, len(self.versions)))
            self._line.send(b"".join(_get(key) for key in batch))
            for key in batch:
                self._expect(key, self._value())
        return len(self.versions)

    def _value(self) -> bytes:
        head = self._line.line()
        if head[:1] != b"$" or head[1:2] == b"-":
            raise Failed(f"redis-server has no value: {head!r}")
        return self._line.read(int(head[1:]) + 2)[:-2]

    def _expect(self, key: int, found: bytes) -> None:
        if found != value(key, self.versions[key]):
            raise Failed(f"key {key} is not as acknowledged: {found[:40]!r} instead of version {self.versions[key]}")


class Redis(Server):
    name = "redis"
    limit, hog = 256 * MIB, 220 * MIB
    pace = 400.0
    pushed_out = 10 * MIB
    keys = 60_000

    @classmethod
    def need(cls) -> None:
        need("redis-server")

    @property
    def socket(self) -> str:
        return os.path.join(self.scratch, "redis.sock")

    def command(self) -> list:
        return [need("redis-server"), "--port", "0", "--unixsocket", self.socket, "--save", "", "--appendonly", "yes",
                "--appendfsync", "everysec", "--dir", self.scratch, "--loglevel", "notice"]

    def answers(self) -> bool:
        line = Line(self.socket)
        try:
            line.send(b"PING\r\n")
            # One that reads its files answers something else.
            return line.line() == b"+PONG\r\n"
        finally:
            line.close()

    def fill(self) -> Traffic:
        traffic = Traffic(self.socket, self.keys)
        traffic.connect()
        traffic.fill()
        traffic.disconnect()
        return traffic


class SmallRedis(Redis):
    """The same, for a short run."""

    limit, hog = 128 * MIB, 120 * MIB
    pushed_out = 4 * MIB
    keys = 15_000
