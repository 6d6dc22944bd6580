"""What is compared: one row each.

A row is a name, the libraries to preload and variables. A library is one of ours by its short name, or a file that
is looked for where libraries are installed; a row whose library is not there is left out, with that as the reason.
{scratch} in a variable is a directory of the run's own.
"""

from __future__ import annotations

import glob
import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import Optional

import machine

BARE = "none"


@dataclass(frozen=True)
class Configuration:
    name: str
    preload: tuple = ()
    env: dict = field(default_factory=dict)
    locks_all: bool = False  # by mlockall itself, which breaks programs where a limit holds


CONFIGURATIONS = (
    Configuration(BARE),
    Configuration("empty", ("empty",)),
    Configuration("forwarding", ("forwarding",)),
    Configuration("naive", ("naive",)),
    Configuration("heaptrack", ("libheaptrack_preload.so",), {"DUMP_HEAPTRACK_OUTPUT": "/dev/null"}),
    Configuration("off", ("autolock",), {"AUTOLOCK_MODE": "off"}),
    Configuration("observe", ("autolock",), {"AUTOLOCK_MODE": "observe"}),
    Configuration("all", ("autolock",), {"AUTOLOCK_MODE": "all"}),
    Configuration("alloc", ("autolock",), {"AUTOLOCK_MODE": "alloc"}),
    Configuration("alloc 64K", ("autolock",), {"AUTOLOCK_MODE": "alloc", "AUTOLOCK_MIN_SIZE": "64K"}),
)

# Rows that not every section has.
REFERENCE = "mlockall"
MORE = (
    Configuration(REFERENCE, ("mlockall",), locks_all=True),
    Configuration("alloc all kinds", ("autolock",),
                  {"AUTOLOCK_MODE": "alloc", "AUTOLOCK_KINDS": "heap,anon,file,shared,stack,image"}),
    Configuration("all unlimited", ("autolock",), {"AUTOLOCK_MODE": "all", "AUTOLOCK_BUDGET": "unlimited"}),
    Configuration("all onfault", ("autolock",), {"AUTOLOCK_MODE": "all", "AUTOLOCK_FLAGS": "current,future,onfault"}),
)

# The columns of ratios, unless a case has others. A row that is not part of the run has no column.
YARDSTICKS = (BARE, "forwarding", "naive")

_INSTALLED = ("/usr/local/lib*", "/usr/lib*", "/lib*")


class NotHere(Exception):
    """The row cannot be measured on this machine; the text is the reason."""


class NotLoaded(Exception):
    """The loader did not take the library: every number would be that of the bare program."""


@dataclass(frozen=True)
class Ready:
    """A row whose libraries were found."""

    name: str
    variables: dict
    environment: dict  # the variables and the little that every program gets


def clean_environment() -> dict:
    """Nothing of the caller's: no allocator's tunables, no preloaded library, no option of ours."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def prepare(row: Configuration, library: str, interposers: str, scratch: str) -> Ready:
    """Raises NotHere or NotLoaded."""
    if row.locks_all and not machine.may_lock_all():
        raise NotHere("a memlock limit holds here")
    files = [_find(name, library, interposers) for name in row.preload]
    variables = {name: value.format(scratch=scratch) for name, value in row.env.items()}
    if files:
        variables["LD_PRELOAD"] = " ".join(files)
    ready = Ready(row.name, variables, {**clean_environment(), **variables})
    _prove(ready, files)
    return ready


def backend(ready: Ready, scratch: str) -> Optional[str]:
    """What the library says in its report that it locks with; None where it says nothing."""
    report = os.path.join(scratch, "backend.json")
    environment = {**ready.environment, "AUTOLOCK_STATS": "json", "AUTOLOCK_STATS_FILE": report}
    subprocess.run([shutil.which("true") or "/bin/true"], env=environment, stderr=subprocess.DEVNULL, check=False)
    try:
        with open(report, encoding="utf-8") as file:
            return json.loads(file.readline())["backend"]
    except (OSError, ValueError, KeyError):
        return None
    finally:
        if os.path.exists(report):
            os.unlink(report)


def _find(name: str, library: str, interposers: str) -> str:
    if name == "autolock":
        return os.path.abspath(library)
    if "." not in name:
        return os.path.join(os.path.abspath(interposers), name + ".so")
    for place in _INSTALLED:
        for pattern in (name, f"*/{name}", f"*/*/{name}"):
            found = sorted(glob.glob(os.path.join(place, pattern)))
            if found:
                return found[0]
    raise NotHere(f"{name} is not installed")


def _prove(ready: Ready, files: list) -> None:
    """A preload library that is missing is only a warning, so ask a program what is mapped into it."""
    if not files:
        return
    shown = subprocess.run(["cat", "/proc/self/maps"], env=ready.environment, capture_output=True, text=True,
                           check=False)
    mapped = {line.split(None, 5)[5] for line in shown.stdout.splitlines() if len(line.split(None, 5)) == 6}
    for file in files:
        if os.path.realpath(file) not in mapped:
            raise NotLoaded(f"{ready.name}: {file} was not loaded: {shown.stderr.strip()}")
