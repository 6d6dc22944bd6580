"""What the two programs that make calls fail have in common: their arguments, what they need, and what they leave."""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import time
from typing import Callable

import injected

SAY_EACH = 1000


def arguments(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description.strip().splitlines()[0])
    for name in ("library", "command", "injector", "programs", "compiler"):
        parser.add_argument(name)
    parser.add_argument("part", choices=("quick", "whole"))
    parser.add_argument("--call")
    parser.add_argument("--part-of", help="N/M: the Nth of M parts")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", help="where the counts are written")
    return parser


def part_of(jobs: list, options: argparse.Namespace) -> list:
    if not options.part_of:
        return jobs
    nth, parts = map(int, options.part_of.split("/"))
    return jobs[nth - 1::parts]


def judged(judge: Callable, jobs: list, options: argparse.Namespace) -> list:
    """Of all jobs of the part; says from time to time how many are done, as all of them take long."""
    jobs = part_of(jobs, options)
    results = []
    with concurrent.futures.ThreadPoolExecutor(options.workers) as pool:
        for result in pool.map(judge, jobs):
            results.append(result)
            if len(results) % SAY_EACH == 0:
                print(f"{len(results)} of {len(jobs)} runs", flush=True)
    return results


def counts_of(results: list, began: float) -> dict:
    return {
        "runs": len(results),
        "broken": sum(bool(result.wrong) for result in results),
        "faults": sum(result.failed for result in results),
        "seconds": round(time.monotonic() - began),
    }


def run(options: argparse.Namespace, judge_all: Callable[[injected.Tools], dict]) -> int:
    """The exit status; `judge_all` returns the counts."""
    try:
        tools = injected.find_tools(options.library, options.command, options.injector, options.programs,
                                    options.compiler)
        injected.need(tools)
    except injected.Skip as reason:
        print(f"skipped: {reason}")
        return injected.SKIP
    counts = judge_all(tools)
    print(f"{counts['runs']} runs, {counts['broken']} broken: {counts}")
    if options.json:
        with open(options.json, "w", encoding="ascii") as file:
            json.dump(counts, file, indent=2)
    assert counts["faults"], "nothing failed: nothing was shown"
    return 1 if counts["broken"] else 0
