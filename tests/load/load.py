#!/usr/bin/env python3
"""Real servers under load and memory pressure, without the library and locked, side by side.

    load.py --library LIB --hog HOG [--servers redis,nginx,postgres] [--modes none,all,...]
            [--seconds 600] [--to-the-end] [--json FILE]

Each configuration of a server has a cgroup of its own, too small for it and the hog in it, and a client outside, which
asks at a pace that the server can keep. Judged is that nothing is lost and no byte is wrong, how it ends, that the
report is true, that nothing of mode all is read in again, and that the library's own memory stays as it is; latencies
are told and not judged. Exit status: 0 all holds, 1 something does not, 77 it cannot be tried here.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
for folder in "bench", "preload":
    sys.path.append(os.path.join(os.path.dirname(HERE), folder))

import cgroup  # noqa: E402
import configurations  # noqa: E402  these five are the bench's
import machine  # noqa: E402
import swap  # noqa: E402
from measure import Failed, Skipped  # noqa: E402

import judge  # noqa: E402
import table  # noqa: E402
import trial  # noqa: E402
from own_memory import Library  # noqa: E402
from servers.nginx import Nginx  # noqa: E402
from servers.postgres import Postgres  # noqa: E402
from servers.redis import Redis, SmallRedis  # noqa: E402

SKIPPED = 77
USUAL = {"redis": Redis, "nginx": Nginx, "postgres": Postgres}
SERVERS = {**USUAL, "redis-small": SmallRedis}
MODES = (configurations.BARE, "all", "all unlimited", "all onfault", "alloc")
_SAMPLE_S = 10


def _arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", required=True)
    parser.add_argument("--hog", required=True)
    parser.add_argument("--servers", default=",".join(USUAL))
    parser.add_argument("--modes", default=",".join(MODES))
    parser.add_argument("--seconds", type=int, default=600, help="how long each server is asked")
    parser.add_argument("--to-the-end", action="store_true",
                        help="as many requests as the pace has in that time, however long they take")
    parser.add_argument("--json")
    return parser.parse_args()


def _rows(names: list, library: str, scratch: str) -> list:
    known = {row.name: row for row in (*configurations.CONFIGURATIONS, *configurations.MORE)}
    return [configurations.prepare(known[name], library, "", scratch) for name in names]


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def _one(name: str, options, library: str, hog: str, scratch: str) -> dict:
    server = SERVERS[name]
    rows = _rows(options.modes.split(","), library, scratch)
    seconds = None if options.to_the_end else options.seconds
    plan = trial.Plan(int(options.seconds * server.pace), seconds, min(_SAMPLE_S, options.seconds / 4), Library(library),
                      hog)
    work = machine.Work.now()
    sides = trial.run(server, rows, plan, _say)
    judge.judge(sides)
    return {"server": name, "limit": server.limit, "hog": server.hog, "pace": server.pace,
            "machine": machine.Work.now().since(work),
            "sides": [{"mode": side.row.name, "wrong": side.wrong, **side.result,
                       "samples": [dataclasses.asdict(sample) for sample in side.samples]} for side in sides]}


def _check(names: list) -> dict:
    """{server: why it cannot be had}. Raises Skipped where nothing can be tried."""
    if os.geteuid() != 0:
        raise Skipped("only root can make memory cgroups and add swap")
    if not machine.may_lock_all():
        raise Skipped("a memlock limit holds here")
    with cgroup.limited_to(64 << 20):
        pass
    missing = {}
    for name in names:
        try:
            SERVERS[name].need()
        except Skipped as reason:
            missing[name] = str(reason)
    if len(missing) == len(names):
        raise Skipped("; ".join(missing.values()))
    return missing


def _run(options) -> int:
    names = options.servers.split(",")
    missing = _check(names)
    # Whatever there is in the cgroups of one server may have to go there.
    needed = max(SERVERS[name].hog for name in names) * (len(options.modes.split(",")) + 1)
    found = {"machine": machine.describe(), "seconds": options.seconds, "servers": [], "left out": missing}
    with tempfile.TemporaryDirectory(prefix="autolock-load.", dir=swap.DIRECTORY) as scratch, \
            swap.added(needed):
        # Where other users can read it.
        os.chmod(scratch, 0o755)
        library = shutil.copy(options.library, scratch)
        hog = shutil.copy(options.hog, scratch)
        for name in names:
            if name in missing:
                _say(f"{name} is left out: {missing[name]}")
                continue
            try:
                found["servers"].append(_one(name, options, library, hog, scratch))
            except (Failed, configurations.NotLoaded) as reason:
                found["servers"].append({"server": name, "sides": [], "wrong": str(reason)})
            except OSError:
                found["servers"].append({"server": name, "sides": [], "wrong": traceback.format_exc()})
            if options.json:
                with open(options.json, "w", encoding="utf-8") as file:
                    json.dump(found, file, indent=1)
    print("\n".join(table.lines(found)))
    print("\n".join(table.counts(found)))
    return 1 if table.wrong(found) else 0


def main() -> int:
    # So that what was set up is taken down.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        return _run(_arguments())
    except Skipped as reason:
        print(f"skipped: {reason}")
        return SKIPPED


if __name__ == "__main__":
    sys.exit(main())
