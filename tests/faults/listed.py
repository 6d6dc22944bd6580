"""
Holds the table of system calls against the library's source and against what it does: a call that is made and not in
the table is a failure, and so is a row of a call that nobody makes.

    listed.py LIBRARY COMMAND INJECTOR PROGRAMS COMPILER
"""

from __future__ import annotations

import concurrent.futures
import pathlib
import re
import sys

import cases
import faults
import injected
import table

_LIB = pathlib.Path(__file__).resolve().parents[2] / "lib"
_FOLDERS = ("base", "config", "lock", "report", "preload")

# Made for the program: its own call, as it is.
_PROGRAMS = {"real.c", "hook_sandbox.c"}

_NAME = re.compile(r"\bSYS_(\w+)")


def in_source() -> set:
    found = set()
    for folder in _FOLDERS:
        for path in (_LIB / folder).rglob("*.[ch]"):
            if path.name not in _PROGRAMS:
                found |= set(_NAME.findall(re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.S)))
    return found


def wrong_of_source(rows: dict, numbers: dict) -> list:
    named = in_source()
    listed = {call for who, call in rows if who == "library"}
    # Names of system calls alone, and not of their numbers' tables (SYS_mmap2 is of other processors).
    wrong = [f"the library's source makes {call}, and calls.table has no such row"
             for call in sorted(named - listed) if call in numbers]
    return wrong + [f"calls.table has {call}, which the library's source does not make"
                    for call in sorted(listed - named) if not _is_number_in_source(call)]


def _is_number_in_source(call: str) -> bool:
    """Newer than some headers, so that the source has its number by a name of its own."""
    text = "".join(path.read_text(encoding="utf-8") for path in (_LIB / "base").rglob("*.[ch]"))
    return f"enum {{ {call.upper()}" in text or f"{call.upper()} =" in text


def wrong_of_runs(bench: faults.Bench) -> list:
    seen: set = set()
    wrong = []
    for (setting, name), usual in bench.usual.items():
        made = {call for call, _ in usual.traced.seen.calls}
        wrong += [f"[{setting}] {name}: the library makes {call}, and calls.table has no such row"
                  for call in sorted(made) if ("library", call) not in bench.rows]
        seen |= made
    return wrong + [f"no run makes {call}, and calls.table does not say why"
                    for (who, call), row in sorted(bench.rows.items())
                    if who == "library" and call not in seen and not row.unseen]


def wrong_of_libc(bench: faults.Bench, setting: cases.Setting, name: str) -> list:
    """Calls that are there only with the library, and are none of its instructions."""
    bare = bench.run(setting, name, preload=False, trace=True)
    extra = set(bench.usual[setting.name, name].traced.seen.others) - set(bare.seen.others)
    return [f"[{setting.name}] {name}: with the library libc makes {call}, and calls.table has no such row"
            for call in sorted(extra) if ("behind", call) not in bench.rows]


def main() -> int:
    tools_of = sys.argv[1:6]
    try:
        tools = injected.find_tools(*tools_of)
        injected.need(tools)
    except injected.Skip as reason:
        print(f"skipped: {reason}")
        return injected.SKIP
    with faults.Bench(tools, 2) as bench, concurrent.futures.ThreadPoolExecutor(2) as pool:
        wrong = wrong_of_source(bench.rows, tools.numbers)
        pairs = [(setting, name) for setting in cases.SETTINGS for name in bench.programs
                 if name == "families" or setting is cases.KEY[0]]
        list(pool.map(lambda pair: bench.know(*pair), pairs))
        wrong += wrong_of_runs(bench)
        for found in pool.map(lambda setting: wrong_of_libc(bench, setting, "families"), cases.KEY):
            wrong += found
    print("\n".join(wrong))
    calls = {(call, offset) for usual in bench.usual.values() for call, offset in usual.traced.seen.calls}
    rows = table.read()
    print(f"COUNT: {len(rows)} system calls in the table")
    print(f"COUNT: {sum(len(row.fails) for row in rows.values())} ways in which they fail")
    print(f"COUNT: {len(calls)} places in the library that were seen to make one")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
