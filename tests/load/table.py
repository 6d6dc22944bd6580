"""The figures of a run as tables in Markdown, and what of it is counted and wrong."""

from __future__ import annotations

_SHARES = ("p50", "p99", "p99.9", "max")


def _time(us: float) -> str:
    return f"{us / 1000:,.1f} ms" if us >= 1000 else f"{us:,.0f} µs"


def _mib(kib: int) -> str:
    return f"{kib / 1024:,.1f}"


def bounds(side: dict) -> dict:
    """What is shown of the samples."""
    if "bounds" in side:
        return side["bounds"]
    samples = side["samples"]
    locked = [sample["locked_kib"] for sample in samples]
    return {"swap": max(sample["swap_kib"] for sample in samples), "least locked": min(locked),
            "most locked": max(locked), "times": len(samples)}


def _rows(found: dict):
    for server in found["servers"]:
        for side in server["sides"]:
            yield server["server"], side


def _table(head: list, body: list) -> list:
    return ["| " + " | ".join(cells) + " |" for cells in [head, ["---", "---", *["---:"] * (len(head) - 2)], *body]]


def latencies(found: dict) -> list:
    body = []
    for server, side in _rows(found):
        latency = side.get("latency us", {})
        times = [_time(latency[share]) if latency else "" for share in _SHARES]
        body.append([server, side["mode"], f"{side.get('operations', 0):,}", *times, f"{side.get('major faults', 0):,}"])
    return _table(["server", "mode", "requests", "p50", "p99", "p99.9", "longest", "major faults"], body)


def memory(found: dict) -> list:
    body = []
    for server, side in _rows(found):
        seen = bounds(side)
        own = side.get("own KiB", {})
        first, last = (sum(values) for values in zip(*own.values())) if own else (0, 0)
        most = max((last - first for first, last in own.values()), default=0)
        told = [f"{first:,} → {last:,}", f"{len(own)}", f"{most:+,}"] if own else ["", "", ""]
        body.append([server, side["mode"], _mib(seen["swap"]),
                     f"{_mib(seen['least locked'])} – {_mib(seen['most locked'])}", *told])
    return _table(["server", "mode", "in swap, at most, MiB", "VmLck, all processes, MiB", "the library's own, KiB",
                   "processes", "one of them, at most"], body)


def held(found: dict) -> list:
    body = []
    for server, side in _rows(found):
        body.append([server, side["mode"], f"{side.get('written', 0):,}", f"{side.get('read back', 0):,}",
                     f"{side.get('read back after a restart', 0):,}",
                     f"{side['read back after a crash']:,}" if "read back after a crash" in side else "",
                     f"{side.get('status')}, {side.get('status again')}", str(side.get("reports compared", "")),
                     str(side.get("killed for want of memory"))])
    return _table(["server", "mode", "acknowledged writes", "read back", "after a restart", "after a crash", "statuses",
                   "reports as the kernel", "killed"], body)


def lines(found: dict) -> list:
    tables = latencies(found), memory(found), held(found)
    return [line for table in tables for line in [*table, ""]] + [f"WRONG: {text}" for text in wrong(found)]


def wrong(found: dict) -> list:
    return [f"{server['server']}{name}: {text}" for server in found["servers"]
            for name, texts in [("", [server["wrong"]] if "wrong" in server else []),
                                *((f", {side['mode']}", side["wrong"]) for side in server["sides"])]
            for text in texts]


def counts(found: dict) -> list:
    sides = [side for _, side in _rows(found)]

    def total(what: str) -> int:
        return sum(side.get(what, 0) for side in sides)

    return [f"COUNT: {total('operations')} requests answered by servers under memory pressure",
            f"COUNT: {total('written')} acknowledged writes read back from servers under memory pressure",
            f"COUNT: {total('reports compared')} reports of servers held against the kernel"]
