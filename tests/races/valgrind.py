#!/usr/bin/env python3
"""Programs with several threads under helgrind and DRD, with a library that tells these of its atomic functions.

    valgrind.py --library LIBRARY --programs DIRECTORY [--counts FILE]

The library is one that was built with AUTOLOCK_VALGRIND (valgrind_atomics.h). Nothing is suppressed but what
valgrind itself suppresses of libc. The last line is `N runs, M not clean`.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys

SKIP = 77

# DRD merges what it knows of stretches of time between synchronisations; as often as it does that by itself (each 10),
# it takes most of its time.
TOOLS = {"helgrind": (), "drd": ("--segment-merging-interval=1000",)}
EVERY_KIND = "heap,anon,file,shared,stack,image"
MODES = ({"MODE": "all"}, {"MODE": "alloc"}, {"MODE": "alloc", "KINDS": EVERY_KIND}, {"MODE": "observe"})

# Twenty minutes are not enough for it: each page of each library that is loaded has a word of its own, which is changed
# atomically, and whose history DRD keeps.
UNENDING = ("drd", "loads", EVERY_KIND)

# Valgrind serves one thread at a time, and is some fifty times slower.
PATIENCE_S = 1200


def run(tool: str, library: str, command: list, settings: dict) -> str:
    """What the tool has found, "" if nothing."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LD_PRELOAD": library, "RACES_UNDER_VALGRIND": "1",
                   # The launcher of valgrind and its tool are programs too.
                   "AUTOLOCK_PROGRAMS": os.path.basename(command[0]), "AUTOLOCK_STATS": "off",
                   **{f"AUTOLOCK_{name}": value for name, value in settings.items()}}
    valgrind = ["valgrind", "-q", f"--tool={tool}", *TOOLS[tool], "--soname-synonyms=somalloc=nouserintercepts",
                "--fair-sched=try", "--error-exitcode=99", "--num-callers=16"]
    try:
        done = subprocess.run(valgrind + command, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=PATIENCE_S, text=True, check=False)
    except subprocess.TimeoutExpired:
        return f"not at its end after {PATIENCE_S} s"
    found = [line for line in done.stderr.splitlines() if line.startswith("==")]
    # The program has counted: it was not ended before, and the library was there.
    if done.returncode == 0 and not found and "COUNT: " in done.stdout:
        return ""
    return f"status {done.returncode}\n" + "\n".join(found[:60]) + done.stderr[-500:]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", required=True)
    parser.add_argument("--programs", required=True)
    parser.add_argument("--counts")
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        print("skipped: valgrind is not installed")
        return SKIP
    programs = pathlib.Path(options.programs).resolve()
    planted = str(programs / "planted")
    commands = ([planted, "ordered"], [str(programs / "threads"), "6"],
                [str(programs / "loads"), "3", str(programs)])
    runs = unclean = 0
    for tool in TOOLS:
        found = run(tool, os.path.abspath(options.library), [planted, "race"], MODES[1])
        unclean += "planted.c" not in found
        print(f"{tool} planted race: {'found' if 'planted.c' in found else found or 'not found'}", flush=True)
        for command in commands:
            for settings in MODES:
                if (tool, os.path.basename(command[0]), settings.get("KINDS")) == UNENDING:
                    print(f"{tool} loads {settings}: left out, as it does not come to its end", flush=True)
                    continue
                found = run(tool, os.path.abspath(options.library), command, settings)
                runs += 1
                unclean += bool(found)
                print(f"{tool} {os.path.basename(command[0])} {settings}: {found or 'clean'}", flush=True)
    print(f"COUNT: {runs} runs under helgrind and DRD")
    if options.counts:
        path = pathlib.Path(options.counts)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"counts": {"runs under helgrind and DRD": runs}, "failed": unclean}) + "\n")
    print(f"{runs} runs, {unclean} not clean")
    return 1 if unclean else 0


if __name__ == "__main__":
    sys.exit(main())
