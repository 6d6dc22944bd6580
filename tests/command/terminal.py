"""A program on a terminal of its own."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

PATIENCE_S = 20


class Terminal:
    """Runs the command as the leader of a session whose terminal this is."""

    def __init__(self, *command: str, env: dict | None = None):
        self.command = command
        self.written = b""
        self.seen = 0
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            try:
                signal.signal(signal.SIGINT, signal.SIG_DFL)
                signal.signal(signal.SIGPIPE, signal.SIG_DFL)
                os.execvpe(command[0], command, env or dict(os.environ))
            finally:
                os._exit(125)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_) -> None:
        if self.file >= 0:
            os.close(self.file)
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass

    def type(self, keys: bytes) -> None:
        os.write(self.file, keys)

    def resize(self, rows: int, columns: int = 80) -> None:
        fcntl.ioctl(self.file, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def foreground(self) -> int:
        return os.tcgetpgrp(self.file)

    def _read(self, seconds: float) -> bool:
        if not select.select([self.file], [], [], seconds)[0]:
            return True
        try:
            more = os.read(self.file, 65536)
        except OSError:
            more = b""
        self.written += more
        return bool(more)

    def expect(self, pattern: bytes) -> re.Match:
        """Waits until it is written, behind what was waited for before."""
        deadline = time.monotonic() + PATIENCE_S
        there = True
        while True:
            found = re.compile(pattern).search(self.written, self.seen)
            if found:
                self.seen = found.end()
                return found
            assert there and time.monotonic() < deadline, \
                f"{self.command}: {pattern!r} does not come behind {self.seen} in {self.written!r}"
            there = self._read(1)

    def end(self) -> int:
        """The status that it ends with, as waitpid gives it."""
        while self._read(1):
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return status
        return os.waitpid(self.pid, 0)[1]
