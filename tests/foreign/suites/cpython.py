"""CPython's own tests of memory, threads, processes, signals and what is close to the system, test by test."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree

from cell import Cell

# The slow ones last.
UNITS = [f"test_{name}" for name in """
    mmap threading thread threadsignals threading_local thread_local_bytecode signal gc ctypes faulthandler resource os
    posix posixpath fork1 tracemalloc capi embed atexit buffer bytes array dbm ssl socket select selectors epoll poll
    popen pty exceptions sys sysconfig sqlite3 zlib bz2 lzma io fileio memoryio memoryview shelve
    array marshal pickle list dict set unicode weakref code import importlib zipimport
    subprocess asyncio queue sched shutil tempfile
    concurrent_futures multiprocessing_main_handling multiprocessing_fork multiprocessing_spawn
    multiprocessing_forkserver""".split()]
UNITS = list(dict.fromkeys(UNITS))
AT_MOST_S = 900  # a file; no result depends on it


def prepare(place) -> dict:
    # All of one version, whichever is installed.
    version = "python3.11"
    place.packages(version, f"{version}-minimal", f"lib{version}-stdlib", f"lib{version}-minimal",
                   f"lib{version}-testsuite", f"lib{version}")
    program = os.path.join(place.root, "usr/bin", version)
    tests = os.path.join(place.root, "usr/lib", version, "test")
    for path in (program, tests):
        if not os.path.exists(path):
            place.skip(f"the packages have no {path}")
    return {"program": program, "tests": tests}


def run(cell: Cell, material: dict, units: list) -> dict:
    found = {}
    for unit in units:
        if any(os.path.exists(os.path.join(material["tests"], unit + end)) for end in (".py", "/__init__.py")):
            found.update(outcomes(cell, material, unit))
    return found


def run_only(cell: Cell, material: dict, units: list, tests: list) -> dict:
    found = {}
    for unit in units:
        names = [test.split("/", 1)[1] for test in tests if test.startswith(unit + "/")]
        # What belongs to a class or a module, or a file that does not come to its end, cannot be run alone.
        alone = names and not any("(" in name or " " in name for name in names)
        found.update(outcomes(cell, material, unit, names if alone else []))
    return found


def outcomes(cell: Cell, material: dict, unit: str, only: list = ()) -> dict:
    results = cell.path("tmp", "results.xml")
    if os.path.exists(results):
        os.remove(results)
    chosen = [word for name in only for word in ("--match", name)]
    ended = cell.command(material["program"], "-B", "-m", "test", "--junit-xml", results, "--timeout", str(AT_MOST_S),
                         *chosen, unit, cwd=cell.make_directory("work"), timeout=2 * AT_MOST_S)
    found = {unit: ended.how}
    try:
        cases = ElementTree.parse(results).getroot().iter("testcase")
    except (OSError, ElementTree.ParseError):
        found[unit] += ", no results"
        return found
    for case in cases:
        kinds = sorted({child.tag for child in case} - {"system-out", "system-err"})
        words = [child.get("message", "")[:60] for child in case if child.tag == "skipped"]
        found[f"{unit}/{case.get('name')}"] = " ".join([*kinds, *words]) or "ok"
    return found
