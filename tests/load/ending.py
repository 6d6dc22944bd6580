"""What the kernel says of processes at their very end, behind their reports: they are traced until they are gone."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from dataclasses import dataclass, field

import processes
from measure import TIMEOUT_S, Failed

_SEIZE, _CONT = 0x4206, 7
_TRACE_EXIT, _EVENT_EXIT = 0x40, 6
_ALL = 0x40000000  # also of those that are not our children
_LOOK_S = 0.002

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
_libc.ptrace.restype = ctypes.c_long


def _ptrace(request: int, pid: int, data: int) -> bool:
    return _libc.ptrace(request, pid, None, data) == 0


@dataclass
class End:
    status: int = 0  # of the one that was told, as subprocess has it
    last: dict = field(default_factory=dict)  # {pid: processes.Status} at the exit of each


def send(process, others: list, number: int) -> End:
    """Sends the signal to a child, and waits for its end; `others` are its descendants."""
    end = End()
    traced = {pid for pid in [process.pid, *others] if _ptrace(_SEIZE, pid, _TRACE_EXIT)}
    if process.pid not in traced:
        raise Failed(f"process {process.pid} cannot be traced: {os.strerror(ctypes.get_errno())}")
    process.send_signal(number)
    for _ in range(int(TIMEOUT_S / _LOOK_S)):
        for pid in sorted(traced):
            found, status = os.waitpid(pid, os.WNOHANG | _ALL)
            if not found:
                continue
            if os.WIFSTOPPED(status):
                _go_on(pid, status, end)
                continue
            traced.discard(pid)
            if pid == process.pid:
                process.returncode = end.status = os.waitstatus_to_exitcode(status)
        if not traced:
            return end
        time.sleep(_LOOK_S)
    raise Failed(f"processes {sorted(traced)} do not end")


def _go_on(pid: int, status: int, end: End) -> None:
    number = os.WSTOPSIG(status)
    if status >> 16 == _EVENT_EXIT:
        end.last[pid] = processes.status(pid)
    # Other stops than those of an event are of a signal, which is to be had.
    _ptrace(_CONT, pid, 0 if status >> 16 or number == signal.SIGTRAP else number)
