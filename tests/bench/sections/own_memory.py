"""What the library takes for itself: its tables, beside what they describe, and what is resident of it at the start."""

import json
import os
import re
import subprocess

from configurations import REFERENCE, Configuration
from measure import TIMEOUT_S, Case, Failed, Skipped

TITLE = "memory of the library's own"

_LIVE = 500_000  # a quarter of a gigabyte and more: enough for the tables' smallest unit not to matter
_ROUNDS = 3


# The tables of mode alloc without anything of the program's being brought in.
IDLE = "alloc, nothing qualifies"
_IDLE = Configuration(IDLE, ("autolock",), {"AUTOLOCK_MODE": "alloc", "AUTOLOCK_MIN_SIZE": "1T"})


def configurations(bench):
    return bench.rows("empty", REFERENCE, "observe", "all") + bench.prepare([_IDLE])


def cases(bench):
    return [
        Case("cat, at its start", _resident, "us", 1, None, _ROUNDS, ()),
        Case("tables, churn", lambda row, _: _tables(bench, row), "us", 1, _alloc(bench), _ROUNDS, ()),
    ]


def _alloc(bench) -> list:
    return bench.rows("alloc") or _skip("mode alloc is not part of this run")


def _skip(reason: str):
    raise Skipped(reason)


def _resident(row, _amount: int) -> dict:
    """The kernel's word on a process that looks at itself. Memory without a name may be anybody's: what the library has
    of it is what is more than in a row without it, which has brought in as much."""
    done = subprocess.run(["cat", "/proc/self/smaps"], env=row.environment, capture_output=True, text=True,
                          errors="replace", timeout=TIMEOUT_S, check=True)
    whole = own = 0
    name = ""
    for line in done.stdout.splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            name = (line.split(None, 5) + [""])[5]
        elif found := re.match(r"Rss:\s+(\d+) kB", line):
            whole += int(found[1])
            own += int(found[1]) if not name or "autolock" in os.path.basename(name) else 0
    return {"own or nameless KiB": own, "whole process KiB": whole}


def _tables(bench, row) -> dict:
    report = os.path.join(bench.scratch, "tables.json")
    environment = {**row.environment, "AUTOLOCK_STATS": "json", "AUTOLOCK_STATS_FILE": report}
    live = _LIVE // 100 if bench.quick else _LIVE
    # Tables stay when the blocks are gone, and are locked too.
    subprocess.run([bench.path("churn"), "1000", str(live), "1040", "vmas"], env=environment,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=TIMEOUT_S, check=True)
    with open(report, encoding="utf-8") as file:
        locked = json.loads(file.readline())["locked"]
    os.unlink(report)
    if not locked["peak_tracked_bytes"]:
        raise Failed("nothing was locked")
    own = locked["kernel_bytes"] - locked["tracked_bytes"]
    return {"tables KiB": own / 1024, "tracked KiB": locked["peak_tracked_bytes"] / 1024,
            "share %": 100 * own / locked["peak_tracked_bytes"]}
