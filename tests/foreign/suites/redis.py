"""redis' own Tcl suite, test by test, with the distribution's servers."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import socket
import zlib

from cell import Cell

# Those that do not take minutes: none of replication and clusters, which wait for each other by the clock.
UNITS = [unit.replace("/", ".") for unit in """
    unit/printver unit/type/string unit/type/incr unit/type/set unit/type/zset unit/type/hash unit/keyspace unit/scan
    unit/info unit/auth unit/protocol unit/expire unit/other unit/multi unit/quit unit/sort unit/pubsub unit/slowlog
    unit/introspection-2 unit/limits unit/bitops unit/bitfield unit/lazyfree unit/functions unit/acl unit/tracking
    unit/client-eviction unit/shutdown unit/memefficiency integration/rdb integration/redis-benchmark
    integration/dismiss-mem""".split()]
SERVERS = ("redis-server", "redis-cli", "redis-benchmark", "redis-check-aof", "redis-check-rdb")


def prepare(place) -> dict:
    source = place.source("redis")
    tclsh = shutil.which("tclsh8.6") or shutil.which("tclsh") or place.program("tclsh8.6", "tcl8.6")
    programs = {"redis-server": place.program("redis-server", "redis-server")}
    for name in SERVERS[1:]:
        programs[name] = place.program(name, "redis-tools")
    return {"source": source, "tclsh": tclsh, "programs": programs}


# Each run has ports of its own, as several may run at a time, here and by others.
PORTS, FIRST, SLOTS, TESTS_BELOW = 330, 11000, 64, 32
TRIES = 5
_next_slot = itertools.count(os.getpid() % SLOTS)


def base_port() -> int:
    while True:
        port = FIRST + next(_next_slot) % SLOTS * PORTS
        # The server of the tests is below the first of the others; it does not try another one.
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port - TESTS_BELOW))
                return port
            except OSError:
                continue


def run(cell: Cell, material: dict, units: list) -> dict:
    tree = cell.path("tree")
    if not os.path.isdir(tree):
        shutil.copytree(os.path.join(material["source"], "tests"), os.path.join(tree, "tests"))
        shutil.copy(os.path.join(material["source"], "redis.conf"), tree)
        os.mkdir(os.path.join(tree, "src"))
        for name, program in material["programs"].items():
            os.symlink(program, os.path.join(tree, "src", name))
        for folder, folders, files in os.walk(tree):
            for path in (folder, *(os.path.join(folder, each) for each in (*folders, *files))):
                if os.geteuid() == 0:
                    os.lchown(path, *cell.user.ids)
    found = {}
    for unit in units:
        found.update(outcomes(cell, material, unit))
    return found


def outcomes(cell: Cell, material: dict, unit: str) -> dict:
    # Another may take the port before the tests do.
    for _ in range(TRIES):
        ended = cell.command(material["tclsh"], "tests/test_helper.tcl", "--single", unit.replace(".", "/"), "--clients",
                             "1", "--baseport", str(base_port()), "--portcount", "250", "--timeout", "240", "--tags",
                             "-slow", cwd=cell.path("tree"))
        if "couldn't open socket: address already in use" not in ended.output:
            break
    found = {unit: ended.how}
    for line in re.sub(r"\x1b\[[0-9;]*m", "", ended.output).splitlines():
        match = re.match(r"\[(ok|err|exception|ignore|skip)\]:? ?(.*)", line)
        if not match:
            continue
        kind, name = match.groups()
        name = re.sub(r"\(\d+(\.\d+)? ?(ms|seconds?)\)$", "", name)
        if kind == "err":
            name = re.sub(r" in tests/.*$", "", name)
        # Names say sizes and seeds that are made up anew each time.
        name = re.sub(r"\d+", "N", name).strip()[:120] or str(zlib.crc32(line.encode()))
        found[f"{unit}/{name}"] = kind if found.get(f"{unit}/{name}", kind) == kind else "err"
    return found
