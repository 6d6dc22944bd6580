"""What the bounds share: the modes, and counting instructions and system calls instead of timing."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

SKIP = 77
TIMEOUT_S = 200  # a hang ends here; no result depends on it

MODES = ("off", "observe", "all", "alloc")


def parse_arguments(what: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--library", required=True, help="the built libautolock.so")
    parser.add_argument("--built", required=True, help="build folder of the benchmarks")
    options = parser.parse_args()
    options.library = os.path.abspath(options.library)
    return options


def pattern(options, name: str) -> str:
    return os.path.join(options.built, "patterns", name)


def skip(reason: str) -> None:
    print(f"skipped: {reason}")
    sys.exit(SKIP)


def fail(reason: str) -> None:
    print(f"FAILED: {reason}")
    sys.exit(1)


def variables(options, mode: str, **more: str) -> dict:
    """What switches the library on in a program."""
    return {"LD_PRELOAD": options.library, "AUTOLOCK_MODE": mode, **more}


def clean(environment: dict) -> dict:
    """Nothing of the caller's but the path."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", **environment}


def _run(argv: list, environment: dict) -> subprocess.CompletedProcess:
    return subprocess.run(argv, env=clean(environment), stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                          timeout=TIMEOUT_S, check=False)


# --- instructions -------------------------------------------------------------------------------

_CALLGRIND = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")


def need_callgrind() -> None:
    if not shutil.which("valgrind"):
        skip("valgrind is not installed")
    done = _run([*_CALLGRIND, shutil.which("true")], {})
    if done.returncode or not _collected(done.stderr):
        skip(f"valgrind does not work here: {done.stderr.strip()[-300:]}")


def _collected(text: str):
    return re.search(r"Collected : (\d+)", text)


def instructions(argv: list, environment: dict) -> int:
    """All that a program executes in user space. Callgrind leaves malloc to the program."""
    done = _run([*_CALLGRIND, *argv], environment)
    found = _collected(done.stderr)
    if done.returncode or not found:
        fail(f"{' '.join(argv)} under valgrind: status {done.returncode}: {done.stderr.strip()[-500:]}")
    return int(found[1])


# --- system calls -------------------------------------------------------------------------------


def need_strace() -> None:
    if not shutil.which("strace"):
        skip("strace is not installed")
    done = _run(["strace", "-f", "-o", os.devnull, shutil.which("true")], {})
    if done.returncode:
        skip(f"strace does not work here: {done.stderr.strip()[-300:]}")


def system_calls(argv: list, environment: dict) -> list:
    """The names of all calls that a program and its children make, in their order."""
    given = [argument for name, value in environment.items() for argument in ("-E", f"{name}={value}")]
    with tempfile.TemporaryDirectory() as scratch:
        log = os.path.join(scratch, "calls")
        done = _run(["strace", "-f", "-o", log, *given, *argv], {})
        with open(log, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    if done.returncode:
        fail(f"{' '.join(argv)} under strace: status {done.returncode}: {done.stderr.strip()[-500:]}")
    # A call that another one interrupts is resumed in a line of its own, which begins with `<`.
    return [found[1] for line in lines if (found := re.match(r"(?:\d+\s+)?(\w+)\(", line))]
