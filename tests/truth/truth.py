#!/usr/bin/env python3
"""Holds the report of random programs against what the kernel and the programs themselves know.

    truth.py --library LIBRARY --programs DIRECTORY --seeds FIRST-LAST

The last line is `N programs, M untrue`. A program is repeated by its number: --seeds 17-17.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import platform
import random
import sys

import program
import traced
from checks import COUNTED, End, check
from program import Place, Run, Skip

SKIP = 77

FLAGS = ("current", "future", "current,future", "current,onfault", "future,onfault", "current,future,onfault")
KINDS = ("heap", "anon", "file", "shared", "stack", "image", "heap,anon", "heap,anon,file,shared,stack,image")
SIZES = ("4K", "40000", "64K", "1M")


# One in so many of the programs with one thread, as strace takes its time.
TRACED_EACH = 3


def plan(seed: int) -> tuple:
    """(user, threads, steps, mebibytes, settings) of a number."""
    numbers = random.Random(seed)
    mode = numbers.choice(("all", "all", "alloc", "alloc", "alloc", "observe"))
    settings = {"MODE": mode, "FLAGS": numbers.choice(FLAGS)}
    if mode != "all":
        settings["KINDS"] = numbers.choice(KINDS)
        if numbers.random() < 0.3:
            settings["MIN_SIZE"] = numbers.choice(SIZES)
        if numbers.random() < 0.3:
            # Below the least there would be nothing.
            least = SIZES.index(settings.get("MIN_SIZE", SIZES[0]))
            settings["MAX_SIZE"] = numbers.choice(SIZES[least:])
    user = numbers.choice(("root", "root", "limited", "nobody"))
    threads = numbers.choice((1, 1, 1, 8))
    steps = numbers.choice((20, 100, 300, 600)) if threads == 1 else 60
    return user, threads, steps, numbers.choice((4, 32, 64)), settings


def inside(place: Place, arguments: list) -> dict:
    """What of the malloc family libc and the loader call by name, in this program: {call: count}."""
    run = place.run(arguments, "root", {}, counted=True)
    first, last = [said for said in run.said if said.pid == run.said[0].pid]
    calls = {name: last.counted[name] - first.counted[name] - last.calls[name] for name in COUNTED}
    return calls


def check_run(run: Run, calls: dict, user: str, threads: int) -> list:
    wrong = []
    for (first_said, first), (said, report) in run.ends():
        is_child = report is not run.reports[-1]
        live = calls["malloc"] + calls["calloc"] + calls["realloc"]
        end = End(said, report, first_said, first, run.reports[0], {} if is_child else calls, live, user != "root",
                  threads)
        who = f"child {said.pid}: " if is_child else ""
        wrong += [who + line for line in check(end)]
    return wrong


def check_prediction(place: Place, arguments: list, settings: dict, locked: dict) -> list:
    """What mode observe says it would take, mode alloc takes, but for what it locks ahead and gives back late."""
    seen = place.run(arguments, "root", {**settings, "MODE": "observe"}).reports[-1]
    said, taken = seen["need"]["memlock_bytes"], locked["need"]["memlock_bytes"]
    slack = max(5 << 18, taken // 8)
    if abs(said - taken) > slack:
        return [f"observe said need.memlock_bytes {said}, alloc took {taken}"]
    return []


def judge(place: Place, seed: int, trace: bool) -> list:
    user, threads, steps, mebibytes, settings = plan(seed)
    arguments = [seed, threads, steps, mebibytes]
    calls = inside(place, arguments)
    if trace and threads == 1 and seed % TRACED_EACH == 0:
        run, seen = traced.run(place, arguments, user, settings)
        wrong = traced.check(run, seen)
    else:
        run = place.run(arguments, user, settings)
        wrong = []
    wrong += check_run(run, calls, user, threads)
    if settings["MODE"] == "alloc" and user == "root" and threads == 1:
        wrong += check_prediction(place, arguments, settings, run.reports[-1])
    if wrong:
        print(f"seed {seed}: {user}, {threads} threads, {settings}, backend {run.reports[-1]['backend']}")
        print("".join(f"  {line}\n" for line in wrong) + f"  {run.command}", flush=True)
    return wrong


def need() -> None:
    """What all programs take: root, who may lock all and become another user, and glibc, of which the model is."""
    if os.geteuid() != 0:
        raise Skip("needs root")
    if not platform.libc_ver()[0].startswith("glibc"):
        raise Skip("the program counts the calls inside of glibc")
    if not may_lock_all():
        raise Skip("no privilege to lock more than the limit")


def may_lock_all() -> bool:
    with open("/proc/self/status", encoding="ascii") as status:
        effective = next(line for line in status if line.startswith("CapEff"))
    return bool(int(effective.split()[1], 16) >> 14 & 1)


def may_trace() -> bool:
    try:
        traced.need()
    except Skip as reason:
        print(f"without strace: {reason}")
        return False
    return True


def parse_arguments(what: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=what.splitlines()[0])
    parser.add_argument("--library", required=True)
    parser.add_argument("--programs", required=True)
    parser.add_argument("--seeds", default="1-150")
    options = parser.parse_args()
    program.library = os.path.abspath(options.library)
    program.programs = pathlib.Path(options.programs).resolve()
    return options


def judge_all(first: int, last: int) -> tuple:
    """(programs that were judged, how many of them were not told the truth of)."""
    trace = may_trace()
    judged = untrue = 0
    without: set = set()
    with Place() as place:
        for seed in range(first, last + 1):
            try:
                untrue += bool(judge(place, seed, trace))
                judged += 1
            except Skip as reason:
                without.add(str(reason))
            except AssertionError as reason:
                print(f"seed {seed}: {plan(seed)}: {reason}")
                untrue += 1
                judged += 1
    for reason in without:
        print(f"not all: {reason}")
    return judged, untrue


def main() -> int:
    options = parse_arguments(__doc__)
    try:
        need()
        first, last = map(int, options.seeds.split("-"))
        judged, untrue = judge_all(first, last)
    except Skip as reason:
        print(f"skipped: {reason}")
        return SKIP
    print(f"{judged} programs, {untrue} untrue")
    return 1 if untrue else 0


if __name__ == "__main__":
    sys.exit(main())
