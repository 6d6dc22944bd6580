"""What else the matrix puts around a program, with and without the library: another allocator, or calls that fail."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import subprocess
from dataclasses import dataclass
from typing import Optional

ALLOCATORS = {"jemalloc": "libjemalloc.so.2", "mimalloc": "libmimalloc.so.2", "tcmalloc": "libtcmalloc_minimal.so.4"}
LOCKING = ("mlock", "mlock2", "mlockall")
ERRNOS = ("EPERM", "ENOSYS", "ENOMEM", "EAGAIN", "EINVAL")

# Numbers of system calls: processors that came late share theirs.
_OWN = {"mlock": 149, "munlock": 150, "mlockall": 151, "mlock2": 325, "madvise": 28}
_SHARED = {"mlock": 228, "munlock": 229, "mlockall": 230, "mlock2": 284, "madvise": 233}
_NUMBERS = {"x86_64": _OWN, "aarch64": _SHARED, "riscv64": _SHARED, "loongarch64": _SHARED}
CALLS = tuple(_OWN)


@dataclass(frozen=True)
class Surroundings:
    """Told by its name: "-", an allocator, or CALL+CALL:ERRNO, where "locking" and "every" stand for several calls."""

    name: str
    allocator: Optional[str] = None
    denied: tuple = ()
    error: str = ""

    @property
    def denies_locks(self) -> bool:
        """Whether a lock that is asked for may not be had, and the library may say so."""
        return bool(set(LOCKING) & set(self.denied))

    def refusal(self, mode: str) -> str:
        """The error that this mode must meet, or an empty string. Where one call fails, another may do."""
        meets = "mlockall" in self.denied if mode == "all" else set(LOCKING) <= set(self.denied)
        return self.error if meets else ""

    def why_not(self) -> str:
        """Why they can't be had here, or an empty string."""
        if self.allocator and not _loads(ALLOCATORS[self.allocator]):
            return f"{self.allocator} is not installed"
        if self.denied and platform.machine() not in _NUMBERS:
            return f"the numbers of system calls on {platform.machine()} are not known here"
        return ""

    def preloaded(self) -> list:
        return [ALLOCATORS[self.allocator]] if self.allocator else []

    def enter(self) -> None:
        """In the child, before exec: from here on the calls fail."""
        if not self.denied:
            return
        program = b"".join(self._instructions())
        code = ctypes.create_string_buffer(program, len(program))
        filters = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code)))
        libc = ctypes.CDLL(None, use_errno=True)
        no_new_privs, set_seccomp, mode_filter = 38, 22, 2
        for words in ((no_new_privs, 1, 0, 0, 0), (set_seccomp, mode_filter, filters, 0, 0)):
            if libc.prctl(*words) != 0:
                raise OSError(ctypes.get_errno(), "no seccomp filter can be set here")

    def _instructions(self):
        load, jump_equal, ret = 0x20, 0x15, 0x06
        fail, allow = 0x00050000, 0x7FFF0000
        yield struct.pack("HBBI", load, 0, 0, 0)
        for left, call in reversed(list(enumerate(self.denied))):
            yield struct.pack("HBBI", jump_equal, left + 1, 0, _NUMBERS[platform.machine()][call])
        yield struct.pack("HBBI", ret, 0, 0, allow)
        yield struct.pack("HBBI", ret, 0, 0, fail | getattr(errno, self.error))


def _loads(soname: str) -> bool:
    """Whether the loader finds it; its warning, if not, goes to standard error."""
    run = subprocess.run(["/bin/true"], env={**os.environ, "LD_PRELOAD": soname}, capture_output=True, check=False)
    return not run.stderr


PLAIN = Surroundings("-")


def parse(text: str) -> Surroundings:
    """ValueError for an unknown name."""
    if text == PLAIN.name:
        return PLAIN
    if text in ALLOCATORS:
        return Surroundings(text, allocator=text)
    calls, colon, error = text.partition(":")
    groups = {"locking": list(LOCKING), "every": list(CALLS)}
    denied = [call for word in calls.split("+") for call in groups.get(word, [word])]
    if not colon or error not in ERRNOS or not set(denied) <= set(CALLS):
        raise ValueError(text)
    return Surroundings(text, denied=tuple(denied), error=error)
