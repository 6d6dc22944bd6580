"""A redis-server of the bench's own, behind a socket in its scratch directory; it writes no file and has no port."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import Callable, Optional

from measure import TIMEOUT_S, Failed, Skipped

VALUE_BYTES = 1000


@dataclass(frozen=True)
class Server:
    pid: int
    socket: str

    def fill(self, keys: int) -> None:
        """key:0 … key:KEYS-1, each of VALUE_BYTES."""
        with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rb") as answers:
            connection.connect(self.socket)
            for first in range(0, keys, 1000):
                batch = range(first, min(first + 1000, keys))
                # Values that are not alike, so that the kernel cannot store them smaller than they are.
                connection.sendall(b"".join(b"*3\r\n$3\r\nSET\r\n$%d\r\nkey:%d\r\n$%d\r\n%s\r\n" % (
                    len(str(key)) + 4, key, VALUE_BYTES, os.urandom(VALUE_BYTES // 2).hex().encode()) for key in batch))
                for _ in batch:
                    if answers.readline() != b"+OK\r\n":
                        raise Failed("redis-server did not take a key")


def need(*programs: str) -> None:
    for name in programs:
        if not shutil.which(name):
            raise Skipped(f"{name} is not installed")


@contextlib.contextmanager
def running(environment: dict, scratch: str, enter: Optional[Callable] = None):
    """`enter` is called in the child before it becomes the server."""
    path = os.path.join(scratch, "redis.sock")
    with open(os.path.join(scratch, "redis.log"), "w+", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no", "--dir", scratch,
             "--loglevel", "warning"],
            env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=enter)
        try:
            wait_for(process, path, log)
            yield Server(process.pid, path)
        finally:
            process.terminate()
            try:
                process.wait(TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


def wait_for(process: subprocess.Popen, path: str, log) -> None:
    """Until it answers: one that reads its files does not yet."""
    for _ in range(TIMEOUT_S * 100):
        with socket.socket(socket.AF_UNIX) as connection, contextlib.suppress(OSError):
            connection.connect(path)
            connection.sendall(b"PING\r\n")
            if connection.recv(16).startswith(b"+PONG"):
                return
        if process.poll() is not None:
            break
        time.sleep(0.01)
    log.seek(0)
    raise Failed(f"redis-server does not start: {log.read()[-500:]}")
