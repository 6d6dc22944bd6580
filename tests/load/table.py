#!/usr/bin/env python3
"""The figures of a run as a table in Markdown: table.py LOAD.JSON"""

from __future__ import annotations

import json
import sys

_MIB = 1024  # in KiB
_SHARES = ("p50", "p99", "p99.9", "max")


def _time(us: float) -> str:
    return f"{us / 1000:,.1f} ms" if us >= 1000 else f"{us:,.0f} µs"


def _mib(kib: float) -> str:
    return f"{kib / _MIB:,.1f}"


def _own(side: dict) -> str:
    own = side.get("own KiB")
    if not own:
        return ""
    first, last = (sum(values) for values in zip(*own.values()))
    return f"{first:,} → {last:,} in {len(own)}"


def lines(found: dict) -> list:
    rows = ["| server | mode | p50 | p99 | p99.9 | longest | major faults | in swap, at most, MiB | VmLck, MiB "
            "| the library's own, KiB in processes | read back | status |",
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for server in found["servers"]:
        for side in server["sides"]:
            latency = side.get("latency us", {})
            samples = side["samples"]
            locked = [sample["locked_kib"] for sample in samples] or [0]
            rows.append("| " + " | ".join([
                server["server"], side["mode"], *(_time(latency[share]) if latency else "" for share in _SHARES),
                f"{side.get('major faults', ''):,}", _mib(max(sample["swap_kib"] for sample in samples)),
                f"{_mib(min(locked))} – {_mib(max(locked))}" if max(locked) else "0", _own(side),
                f"{side.get('read back', 0):,}", f"{side.get('status')}, {side.get('status again')}"]) + " |")
    return rows + [f"WRONG: {text}" for text in wrong(found)]


def wrong(found: dict) -> list:
    return [f"{server['server']}{name}: {text}" for server in found["servers"]
            for name, texts in [("", [server["wrong"]] if "wrong" in server else []),
                                *((f", {side['mode']}", side["wrong"]) for side in server["sides"])]
            for text in texts]


def counts(found: dict) -> list:
    sides = [side for server in found["servers"] for side in server["sides"]]
    written = sum(side.get("written", 0) for side in sides)
    return [f"COUNT: {sum(side.get('operations', 0) for side in sides)} requests answered by servers under pressure",
            f"COUNT: {written} acknowledged writes under pressure",
            f"COUNT: {sum(side.get('reports compared', 0) for side in sides)} reports of servers compared with the kernel"]


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        print("\n".join(lines(json.load(file))))
