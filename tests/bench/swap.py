"""Swap to push memory out to: what the machine has, or a file that is there for as long as it is needed."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile

import machine
from measure import Skipped

# Not where the bench's scratch is: that may be memory itself, which cannot be swapped to.
DIRECTORY = "/var/tmp"
_CHUNK = 1 << 20


@contextlib.contextmanager
def at_least(size: int):
    """Raises Skipped where it cannot be had."""
    if machine.swap_free_bytes() >= size:
        yield
        return
    with added(size):
        yield


@contextlib.contextmanager
def added(size: int):
    """Whatever the machine has: what somebody else has added may be gone before a long run is over."""
    if os.geteuid() != 0:
        raise Skipped("there is no swap here, and only root can add some")
    for program in ("mkswap", "swapon", "swapoff"):
        if not shutil.which(program):
            raise Skipped(f"{program} is not installed")
    descriptor, path = tempfile.mkstemp(prefix="autolock-bench-swap.", dir=DIRECTORY)
    try:
        with os.fdopen(descriptor, "wb") as file:
            _fill(file, size)
        _must("mkswap", path)
        _must("swapon", path)
        try:
            yield
        finally:
            subprocess.run(["swapoff", path], capture_output=True, check=False)
    finally:
        os.unlink(path)


def _fill(file, size: int) -> None:
    """Written, not only reserved: a file with holes is refused."""
    try:
        for _ in range(0, size, _CHUNK):
            file.write(bytes(_CHUNK))
    except OSError as reason:
        raise Skipped(f"no room for a swap file in {DIRECTORY}: {reason.strerror}") from None


def _must(program: str, path: str) -> None:
    done = subprocess.run([program, path], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Skipped(f"{program} does not work here: {done.stderr.strip()[-200:]}")
