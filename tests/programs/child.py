"""A child process of the stage: what it becomes before exec, how it ended, and what it said differently."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess

from settings import CAP_IPC_LOCK, Limit, User
from surroundings import Surroundings


def become(user: User, limit: Limit, around: Surroundings) -> None:
    """In the child, before exec."""
    if limit.limit_bytes is not None:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (limit.limit_bytes, limit.limit_bytes))
    if user.drop_ipc_lock:
        pr_capbset_drop = 24
        if ctypes.CDLL(None, use_errno=True).prctl(pr_capbset_drop, CAP_IPC_LOCK, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_CAPBSET_DROP)")
    elif not user.is_self:
        os.setgroups(user.groups)
        os.setgid(user.gid)
        os.setuid(user.uid)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    around.enter()


def kill_group(process: subprocess.Popen) -> None:
    """End what a command left behind in its own session."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def ending(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    return f"killed by {signal.Signals(-status).name}"


def last_words(run) -> str:
    lines = [line for name in ("stdout", "stderr") for line in run.read(name).splitlines()[-3:]]
    return "".join("\n      | " + line.decode(errors="replace")[:200] for line in lines)


def difference(bare, locked) -> str:
    if not isinstance(bare, bytes) or not isinstance(locked, bytes):
        return f"bare {bare!r}, locked {locked!r}"
    first, second = bare.splitlines(), locked.splitlines()
    for index in range(max(len(first), len(second))):
        pair = [lines[index][:200] if index < len(lines) else None for lines in (first, second)]
        if pair[0] != pair[1]:
            return f"line {index + 1}: bare {pair[0]!r}, locked {pair[1]!r}"
    return f"bare {bare[-60:]!r}, locked {locked[-60:]!r} (end of line)"
