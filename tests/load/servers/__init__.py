"""The servers that are loaded: how each is started, filled, asked, stopped, and started again from its files."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from typing import Callable

from measure import TIMEOUT_S, Failed, Skipped

MIB = 1 << 20


def need(name: str, *places: str) -> str:
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", os.defpath), *places]))
    if not found:
        raise Skipped(f"{name} is not installed")
    return found


def bytes_of(name: str, size: int) -> bytes:
    """Always the same ones, printable, and not to be stored in much less than they are."""
    return hashlib.shake_128(name.encode()).hexdigest(-(-size // 2)).encode()[:size]


def as_user(user: str | None) -> list:
    """What makes a command another user's, who may lock: as a unit with AmbientCapabilities=CAP_IPC_LOCK has it."""
    return ["setpriv", f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--clear-groups",
            "--inh-caps=+ipc_lock", "--ambient-caps=+ipc_lock", "--"] if user else []


def a_user(*names: str) -> str:
    """The first of them that there is."""
    there = {entry.pw_name for entry in pwd.getpwall()}
    for name in names:
        if name in there:
            return name
    raise Skipped(f"there is no user {', '.join(names)}")


class Server(ABC):
    """One server with its files in `scratch`. `enter` is called in the child before it becomes the server."""

    name: str
    limit: int  # of the cgroup that it shares with the hog
    hog: int
    pace: float  # requests a second
    pushed_out: int  # what of a server without locks is in swap, before it is asked
    stop_signal = signal.SIGTERM
    held: dict = {}  # what it takes besides, so that nothing of it is ever read in again

    def __init__(self, scratch: str, environment: dict, enter: Callable[[], None]):
        self.scratch = scratch
        self.environment = environment
        self.enter = enter
        self.process: subprocess.Popen | None = None

    @property
    def user(self) -> str | None:
        """Whom it has to run as, if not as the one that runs this."""
        return None

    @classmethod
    @abstractmethod
    def need(cls) -> None:
        """Raises Skipped where it cannot be had."""

    def prepare(self) -> None:
        """Its files, before it is started first."""

    @abstractmethod
    def command(self) -> list: ...

    @abstractmethod
    def answers(self) -> bool: ...

    @abstractmethod
    def fill(self):
        """Its first data; the traffic that knows them."""

    def crash_signal(self) -> int | None:
        """Ends it without a word to its files, if these are promised to outlive that."""
        return None

    def start(self) -> None:
        with open(os.path.join(self.scratch, "log"), "ab") as log:
            self.process = subprocess.Popen([*as_user(self.user), *self.command()], env=self.environment,
                                            cwd=self.scratch, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            preexec_fn=self.enter)
        for _ in range(TIMEOUT_S * 20):
            with contextlib.suppress(OSError):
                if self.answers():
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise Failed(f"{self.name} does not start: {self.log_end()}")

    def log_end(self) -> str:
        with open(os.path.join(self.scratch, "log"), encoding="utf-8", errors="replace") as log:
            return log.read()[-1000:]


class Line:
    """A connection over a UNIX socket."""

    def __init__(self, path: str):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(TIMEOUT_S)
        self.socket.connect(path)
        self._file = self.socket.makefile("rb")
        self.send = self.socket.sendall
        self.line = self._file.readline

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        if len(data) != size:
            raise Failed("the server has closed the connection")
        return data

    def close(self) -> None:
        self._file.close()
        self.socket.close()
