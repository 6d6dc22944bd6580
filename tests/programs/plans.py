"""Matrices of several parts, each a product of its own. A new part is one line here."""

from __future__ import annotations

from dataclasses import dataclass

from surroundings import ERRNOS, PLAIN

_ROOTS = ("root", "root-nocap")
_USERS = (*_ROOTS, "nobody")
_MODES = ("all", "all-onfault", "alloc-every", "alloc-large", "observe")
_LOCKING_MODES = ("all", "all-onfault", "alloc")
_LIMITS = ("0", "64K", "8M", "unlimited")
_EVERY_PROGRAM = ("holder", "sort", "shell", "bash", "sqlite3", "python_threads", "python_processes", "perl", "git",
                  "gcc", "xz", "openssl", "redis", "node", "java", "nginx", "postgres")
_SOME = ("sort", "sqlite3", "python_threads", "redis", "git")


def _failing(*calls: str) -> tuple:
    return tuple(f"{call}:{error}" for call in calls for error in ERRNOS)


@dataclass(frozen=True)
class Part:
    programs: tuple
    users: tuple = ("root", "nobody")
    limits: tuple = ("8M",)
    around: tuple = (PLAIN.name,)
    settings: tuple = _MODES


PLANS = {
    "never-breaks": (
        Part(_EVERY_PROGRAM, _USERS, _LIMITS),
        Part((*_SOME, "perl", "holder"), limits=("0", "8M"), around=("jemalloc",)),
        Part((*_SOME, "bash"), ("root",), around=_failing("every", "locking", "munlock", "madvise"),
             settings=_LOCKING_MODES),
        Part(("sqlite3", "bash"), ("nobody",), around=_failing("every"), settings=_LOCKING_MODES),
        Part(("sqlite3", "bash"), ("root",), around=_failing("mlock", "mlock2", "mlockall"), settings=_LOCKING_MODES),
    ),
}
