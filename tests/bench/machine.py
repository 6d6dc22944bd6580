"""What the numbers were measured on."""

from __future__ import annotations

import ctypes
import datetime
import mmap
import os
import platform
import resource
import subprocess

PROBE_BYTES = 64 << 20


def describe() -> dict:
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "cpu": _field("/proc/cpuinfo", "model name") or platform.machine(),
        "architecture": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": int((_field("/proc/meminfo", "MemTotal") or "0 kB").split()[0]) << 10,
        "kernel": platform.release(),
        "libc": _libc(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
        "memlock_limit_bytes": None if soft == resource.RLIM_INFINITY else soft,
        "may_lock_64M": _may_lock(PROBE_BYTES),
    }


def lines(machine: dict) -> list:
    limit = machine["memlock_limit_bytes"]
    return [
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_bytes'] >> 30} GiB, {machine['architecture']}",
        f"Linux {machine['kernel']}, {machine['libc']}, {machine['date']}, load {machine['load']}",
        f"memlock limit {'none' if limit is None else f'{limit >> 10} KiB'}, "
        f"locking 64 MiB {'works' if machine['may_lock_64M'] else 'does NOT work: naive and all lock nothing'}",
    ]


def _field(path: str, name: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                key, _, value = line.partition(":")
                if key.strip() == name:
                    return value.strip()
    except OSError:
        pass
    return ""


def _libc() -> str:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or "unknown libc"
    except (ValueError, OSError):
        pass
    # musl's ldd says what it is, on standard error.
    said = subprocess.run(["ldd", "--version"], capture_output=True, text=True, check=False).stderr.splitlines()
    return "musl " + said[1].split()[-1] if len(said) > 1 and said[0].startswith("musl") else "unknown libc"


def _may_lock(size: int) -> bool:
    """Asked of the kernel: a limit that is seen need not be the one that holds."""
    libc = ctypes.CDLL(None, use_errno=True)
    with mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        start = ctypes.c_char.from_buffer(memory)
        locked = libc.mlock(ctypes.byref(start), ctypes.c_size_t(size)) == 0
        del start
    return locked
