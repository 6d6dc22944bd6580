"""Holds a run with faults against the run without the library, and its reports against the kernel's word."""

from __future__ import annotations

import json
import re

import injected

# The library's own words on standard error: its lines, and the report in each of its formats.
_OURS = re.compile(rb"^libautolock.*\n(?:  .*\n)*|^\{\"schema\":\"autolock/1\".*\n|^autolock_.*\n|^# .* autolock_.*\n", re.M)


def without_ours(err: bytes) -> bytes:
    return _OURS.sub(b"", err)


def as_bare(bare: injected.Run, run: injected.Run) -> list:
    if run.hung:
        return ["it hangs"]
    wrong = []
    if run.status != bare.status:
        wrong.append(f"status {run.status} instead of {bare.status}")
    if run.out != bare.out:
        wrong.append(f"output {run.out[-300:]!r} instead of {bare.out[-300:]!r}")
    if without_ours(run.err) != bare.err:
        wrong.append(f"standard error {run.err[-600:]!r} instead of {bare.err[-300:]!r}")
    return wrong


def among_halves(bare: injected.Run, run: injected.Run) -> bool:
    """As bare, but for the library's words, which lie in halves between those of processes that end at the same time."""
    place = 0
    for line in bare.err.splitlines():
        place = run.err.find(line, place) + len(line)
        if place < len(line):
            return False
    return (run.status, run.out) == (bare.status, bare.out)


def in_stead(bare: injected.Run, own: injected.Run, run: injected.Run) -> bool:
    """Line by line as bare, or as where the program's own call fails."""
    lines = [each.out.splitlines() for each in (bare, own, run)]
    return (run.status in (bare.status, own.status) and len({len(each) for each in lines}) == 1 and
            without_ours(run.err) in (bare.err, own.err) and
            all(line in (usual, failing) for usual, failing, line in zip(*lines)))


def show(job: object, wrong: list) -> None:
    print(str(job), *(f"    {line}" for line in wrong[:4]), sep="\n", flush=True)


def reports(run: injected.Run, ret_wrong: list) -> list:
    written = run.files.get("report.jsonl", b"")
    found = []
    for line in written.splitlines(keepends=True) + re.findall(rb"^\{\"schema\".*\n", run.err, re.M):
        try:
            found.append(json.loads(line))
        except ValueError:
            ret_wrong.append(f"no report: {line[:60]!r}…{line[-60:]!r}")
    return found


def _numbers(value: object, path: str = ""):
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _numbers(member, f"{path}.{key}" if path else key)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield path, value


def true_reports(found: list, usual: list, seen: injected.Seen, watched: set, misled: bool = False) -> list:
    """What is wrong in them. `usual`: those of the run in which nothing failed; `watched`: the calls that were seen;
    `misled`: the library was told that something is locked which may not be."""
    wrong = []
    limits = {report["memory"]["limit_bytes"] for report in usual}
    refused = sum(sum(each["failures"].values()) for each in usual)
    for report in found:
        who = f"{report['program']}[{report['pid']}] {report['ended']}: "
        for path, number in _numbers(report):
            if not (0 <= number < 1 << 56) and not (number == -1 and _may_be_none(path)):
                wrong.append(f"{who}{path} is {number}")
        locked = report["locked"]
        counted = seen.locked.get(report["pid"], [])
        if counted and locked["kernel_bytes"] > max(counted):
            wrong.append(f"{who}locked.kernel_bytes is {locked['kernel_bytes']}, the kernel has {counted}")
        # What has gone unseen is asked for: not where neither the list of mappings nor msync says anything.
        if counted and not misled and not {"read", "msync"} <= watched and locked["tracked_bytes"] > max(counted):
            wrong.append(f"{who}locked.tracked_bytes is {locked['tracked_bytes']}, the kernel has {counted}")
        # -1: none is known, where nobody can be asked.
        known = limits | ({-1} if {"prlimit64", "getrlimit"} <= watched else set())
        if limits and report["memory"]["limit_bytes"] not in known:
            wrong.append(f"{who}memory.limit_bytes is {report['memory']['limit_bytes']}, and was {limits}")
        if {"mlock", "mlock2"} <= watched and report["syscalls"]["mlock2"]["count"] > seen.of("mlock", "mlock2"):
            wrong.append(f"{who}syscalls.mlock2.count is {report['syscalls']['mlock2']['count']}, made were "
                         f"{seen.of('mlock', 'mlock2')}")
        # The kernel itself says ENOMEM and EAGAIN, as often as there is no room.
        failures = sum(count for name, count in report["failures"].items() if name not in ("ENOMEM", "EAGAIN"))
        if failures > seen.failed + refused:
            wrong.append(f"{who}failures {report['failures']}: {seen.failed} calls failed, and {refused} besides")
    return wrong


def _may_be_none(path: str) -> bool:
    return path.startswith("config.") or path in ("memory.limit_bytes", "memory.cgroup_limit_bytes",
                                                  "need.memlock_bytes")
