"""The JSON report (schema autolock/1) as the world outside sees it, and the proof that the library was loaded."""

from __future__ import annotations

import json
import os
from typing import Iterable, Mapping

SCHEMA = "autolock/1"

_KIND = {"requested_bytes": int, "locked_bytes": int, "regions": int}
_SYSCALL = {"count": int, "time_ns": int, "p50_ns": int, "p99_ns": int, "p999_ns": int, "max_ns": int}

# Every key must be there; a report may have more. A list stands for its allowed values, (type,) for a list of them.
KEYS = {
    "schema": [SCHEMA],
    "version": str,
    "pid": int,
    "ppid": int,
    "program": str,
    "command": str,
    "mode": ["all", "alloc", "observe", "off"],
    "flags": (str,),
    "kinds": (str,),
    "backend": ["kernel", "hooks", "none"],
    "ended": ["exit", "_exit", "quick_exit", "exec", "abort", "killed", "running"],
    "config": dict,
    "calls": {
        name: int
        for name in "malloc calloc realloc free memalign mmap munmap mremap mprotect madvise brk pthread_create "
        "dlopen fork".split()
    },
    "locked": {
        name: int
        for name in "kernel_bytes peak_kernel_bytes tracked_bytes peak_tracked_bytes total_bytes regions".split()
    },
    "by_kind": {name: _KIND for name in "heap anon file shared stack image".split()},
    "skipped": {name: int for name in "size kind budget inaccessible program".split()},
    "failures": {name: int for name in "EPERM ENOMEM EAGAIN ENOSYS EINVAL other".split()},
    "downgrades": ({"when_ns": int, "reason": str},),
    "syscalls": {name: _SYSCALL for name in "mlock2 munlock mlockall madvise".split()},
    "faults": {
        name: int
        for name in "minor major minor_after_lock major_after_lock minor_after_mark major_after_mark".split()
    },
    "memory": {
        name: int
        for name in "rss_bytes peak_rss_bytes swap_bytes locked_bytes limit_bytes cgroup_limit_bytes "
        "unlocked_resident_bytes".split()
    },
    "need": {"memlock_bytes": int},
    "children": {"fork": int, "exec": int},
}

def _problems(value, shape, where: str) -> Iterable[str]:
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            yield f"{where} is not an object"
            return
        for key, inner in shape.items():
            if key not in value:
                yield f"{where}.{key} is missing"
            else:
                yield from _problems(value[key], inner, f"{where}.{key}")
    elif isinstance(shape, list):
        if value not in shape:
            yield f"{where} is {value!r}, not one of {shape}"
    elif isinstance(shape, tuple):
        if not isinstance(value, list):
            yield f"{where} is not a list"
            return
        for index, item in enumerate(value):
            yield from _problems(item, shape[0], f"{where}[{index}]")
    elif not isinstance(value, shape) or isinstance(value, bool):
        yield f"{where} is {value!r}, not {shape.__name__}"


def _config_problems(config: dict, environment: Mapping[str, str]) -> Iterable[str]:
    """Whether the options that were given are the effective ones. Of sizes, which change their form, only the name."""
    for variable, given in environment.items():
        if not variable.startswith("AUTOLOCK_"):
            continue
        name = variable[len("AUTOLOCK_"):].lower()
        value = config.get(name)
        if value is None:
            yield f"report.config.{name} is missing"
        elif isinstance(value, str) and value != given or isinstance(value, list) and set(value) != set(given.split(",")):
            yield f"report.config.{name} is {value!r}, the environment says {given!r}"


def problems(report: dict, environment: Mapping[str, str]) -> list:
    """What is wrong with one report of a process that ran with this environment; empty if nothing is."""
    mode = environment.get("AUTOLOCK_MODE", "all")
    found = list(_problems(report, KEYS, "report"))
    if found:
        return found
    if report["mode"] != mode:
        found.append(f"report.mode is {report['mode']}, the process ran in mode {mode}")
    found += _config_problems(report["config"], environment)
    if mode == "observe":
        for group, key in (("locked", "kernel_bytes"), ("locked", "peak_kernel_bytes"), ("memory", "locked_bytes")):
            if report[group][key]:
                found.append(f"report.{group}.{key} is {report[group][key]} though observe locks nothing")
        # One mlock2 of an empty reservation, undone at once, tells the limit that really holds; one or two of no bytes
        # at all (the second where there is no MLOCK_ONFAULT) tell whether locking is forbidden altogether.
        for name, allowed in (("mlock2", 3), ("mlockall", 0)):
            count = report["syscalls"][name]["count"]
            if count > allowed:
                found.append(f"report.syscalls.{name}.count is {count} though observe locks nothing")
    return found


def read_all(directory: str) -> tuple:
    """All reports below the directory as (reports, problems of their form): files NAME.PID.json, a report a line."""
    reports, wrong = [], []
    for name in sorted(os.listdir(directory)):
        with open(os.path.join(directory, name), "rb") as file:
            content = file.read()
        if content and not content.endswith(b"\n"):
            wrong.append(f"{name} does not end with a newline")
        for line in content.splitlines():
            try:
                report = json.loads(line.decode("utf-8"))
            except ValueError as error:
                wrong.append(f"{name}: not JSON ({error}): {line[:200]!r}")
                continue
            if not isinstance(report, dict):
                wrong.append(f"{name}: not an object")
                continue
            if name != f"{report.get('program')}.{report.get('pid')}.json":
                wrong.append(f"{name} holds a report of {report.get('program')} with pid {report.get('pid')}")
            reports.append(report)
    last_words = [report.get("pid") for report in reports if report.get("ended") not in ("exec", "running")]
    wrong += [f"process {pid} ended more than once" for pid in set(last_words) if last_words.count(pid) > 1]
    return reports, wrong


def loaded_programs(directory: str, library: str) -> dict:
    """Program name -> whether the library was loaded each time, from what the loader wrote under LD_DEBUG=files.

    It needs nothing from the library, so that it also shows one that is inert.
    """
    loaded: dict = {}
    for name in os.listdir(directory):
        seen = False
        with open(os.path.join(directory, name), encoding="utf-8", errors="replace") as file:
            for line in file:
                text = line.partition("\t")[2].strip()
                if text == "calling init: " + library:
                    seen = True
                elif text.startswith("initialize program: "):
                    program = os.path.basename(text.split(": ", 1)[1])
                    loaded[program] = loaded.get(program, True) and seen
                    seen = False
    return loaded
