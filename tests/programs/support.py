"""What the cases share: skip with a reason, find the real program behind a name, read /proc."""

from __future__ import annotations

import os
from typing import Optional

PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
PT_INTERP = 3


class Skip(Exception):
    """The case can't run here; the text is the reason."""


class Broken(Exception):
    """The program behaves differently, or the library was not loaded."""


def skip(reason: str) -> None:
    raise Skip(reason)


def find_program(name: str, *places: str) -> Optional[str]:
    """The dynamic ELF file behind a command name, or None. Wrapper scripts (pyenv, ccache…) are passed over."""
    for place in [*places, *PATH.split(":"), *os.environ.get("PATH", "").split(":")]:
        path = os.path.join(place, name)
        if place and os.access(path, os.X_OK) and _is_dynamic_elf(path):
            return path
    return None


def need(name: str, *places: str) -> str:
    return find_program(name, *places) or skip(f"{name} is not installed")


def _is_dynamic_elf(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            head = file.read(65536)
    except OSError:
        return False
    if head[:5] != b"\x7fELF\x02" or head[5] not in (1, 2):
        return False
    order = "little" if head[5] == 1 else "big"
    table, size, count = (
        int.from_bytes(head[at : at + length], order) for at, length in ((32, 8), (54, 2), (56, 2))
    )
    return any(
        int.from_bytes(head[table + index * size :][:4], order) == PT_INTERP for index in range(count)
    )


def names_of(path: str) -> set:
    """The names a report may give to what was started by this path."""
    return {os.path.basename(path), os.path.basename(os.path.realpath(path))}


def process_fields(pid: int, *names: str) -> list:
    """Numbers of /proc/PID/status; sizes in kB."""
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
        fields = dict(line.split(":", 1) for line in file if ":" in line)
    return [int(fields[name].split()[0]) for name in names]
