"""The table of system calls (calls.table): who makes them, and how each may fail."""

from __future__ import annotations

import errno
import pathlib
import subprocess
from typing import NamedTuple

_TABLE = pathlib.Path(__file__).with_name("calls.table")

# Asked for again by whoever sees them, so that they never come each time.
AGAIN = ("EINTR", "EAGAIN", "EBUSY")

SHORT = "short"


class Row(NamedTuple):
    who: str
    call: str
    fails: tuple
    unseen: str
    instead: tuple  # calls of the program in whose stead it is made as well
    always: bool  # each time or never
    inside: str  # the function that libc makes it for

    def whens(self, fault: str) -> str:
        """How often it fails when it is not only once."""
        return "other" if fault in AGAIN else "each"


def read(who: tuple = ("library", "behind", "command")) -> dict:
    """{(who, call): row}"""
    rows = {}
    for number, line in enumerate(_TABLE.read_text(encoding="ascii").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        words, _, unseen = line.partition(" unseen ")
        words, _, inside = words.partition(" in ")
        owner, call, *fails = words.split()
        instead = tuple(word[1:] for word in fails if word.startswith("*"))
        fails = [word for word in fails if not word.startswith("*")]
        assert (owner, call) not in rows, f"calls.table:{number}: {call} stands twice"
        assert fails, f"calls.table:{number}: says nothing of {call}"
        for fault in fails:
            assert fault in (SHORT, "-", "!") or hasattr(errno, fault), f"calls.table:{number}: {fault}"
        rows[owner, call] = Row(owner, call, tuple(fault for fault in fails if fault not in "-!"), unseen.strip(),
                                instead, "!" in fails, inside.strip())
    return {key: row for key, row in rows.items() if row.who in who}


def number_of(fault: str) -> int:
    return 0 if fault == SHORT else getattr(errno, fault)


def numbers(compiler: str) -> dict:
    """{name of a system call: its number}, as the compiler's headers have them."""
    text = subprocess.run([compiler, "-E", "-dM", "-include", "sys/syscall.h", "-x", "c", "/dev/null"],
                          capture_output=True, text=True, check=True).stdout
    found = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) == 3 and words[1].startswith("__NR_") and words[2].isdigit():
            found[words[1][len("__NR_"):]] = int(words[2])
    return found
