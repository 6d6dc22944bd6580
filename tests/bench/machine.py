"""What the numbers were measured on."""

from __future__ import annotations

import ctypes
import datetime
import mmap
import os
import platform
import resource
import subprocess
import time
from dataclasses import dataclass

PROBE_BYTES = 64 << 20
MLOCK_ONFAULT = 1


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
        "huge_pages": _chosen("/sys/kernel/mm/transparent_hugepage/enabled"),
    }


def lines(machine: dict) -> list:
    limit = machine["memlock_limit_bytes"]
    return [
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_bytes'] >> 30} GiB, {machine['architecture']}",
        f"Linux {machine['kernel']}, {machine['libc']}, {machine['date']}, load {machine['load']}",
        f"transparent huge pages: {machine['huge_pages'] or 'none'}",
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


def _chosen(path: str) -> str:
    """The word in brackets of those that the kernel offers."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().partition("[")[2].partition("]")[0]
    except OSError:
        return ""


def _libc() -> str:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or "unknown libc"
    except (ValueError, OSError):
        pass
    # musl's ldd says what it is, on standard error.
    said = subprocess.run(["ldd", "--version"], capture_output=True, text=True, check=False).stderr.splitlines()
    return "musl " + said[1].split()[-1] if len(said) > 1 and said[0].startswith("musl") else "unknown libc"


def _may_lock(size: int, onfault: int = 0) -> bool:
    """Asked of the kernel: a limit that is seen need not be the one that holds."""
    libc = ctypes.CDLL(None, use_errno=True)
    with mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        start = ctypes.c_char.from_buffer(memory)
        locked = libc.mlock2(ctypes.byref(start), ctypes.c_size_t(size), ctypes.c_uint(onfault)) == 0
        del start
    return locked


def may_lock_all() -> bool:
    """Whether no memlock limit holds: more than it can be locked. Nothing is brought in for that."""
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    return soft == resource.RLIM_INFINITY or _may_lock(soft + PROBE_BYTES, MLOCK_ONFAULT)


def available_bytes() -> int:
    return int((_field("/proc/meminfo", "MemAvailable") or "0 kB").split()[0]) << 10


def swap_free_bytes() -> int:
    return int((_field("/proc/meminfo", "SwapFree") or "0 kB").split()[0]) << 10


@dataclass(frozen=True)
class Work:
    """What the processors have done, in seconds: all of them, by whomever, and what was stolen from them."""

    elapsed: float
    busy: float
    stolen: float
    ours: float

    @staticmethod
    def now() -> "Work":
        with open("/proc/stat", encoding="utf-8") as file:
            ticks = [int(word) / os.sysconf("SC_CLK_TCK") for word in file.readline().split()[1:9]]
        user, nice, system, _, _, irq, softirq, stolen = ticks
        ours = sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return Work(time.monotonic(), user + nice + system + irq + softirq, stolen, ours)

    def since(self, begin: "Work") -> dict:
        """How much of the machine others had, as shares of all its processors' time: what makes numbers untrue."""
        capacity = (self.elapsed - begin.elapsed) * (os.cpu_count() or 1) or 1
        others = self.busy - begin.busy - (self.ours - begin.ours)
        return {"others": round(max(0.0, others / capacity), 4),
                "stolen": round((self.stolen - begin.stolen) / capacity, 4)}
