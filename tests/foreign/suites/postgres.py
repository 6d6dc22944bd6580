"""PostgreSQL's regression tests, and pgbench with a look at the sums; the server is under the library too."""

from __future__ import annotations

import os
import re
import shutil
import tempfile

from cell import Cell
from modes import not_root

VERSION = "15"
SERVER = f"postgresql-{VERSION}"
CONFIGURATION = """\
fsync = off
shared_buffers = 64MB
max_prepared_transactions = 2
log_min_messages = warning
"""
SUMS = """
SELECT (SELECT count(*) FROM pgbench_history),
       (SELECT sum(abalance) FROM pgbench_accounts) = sum(delta),
       (SELECT sum(tbalance) FROM pgbench_tellers) = sum(delta),
       (SELECT sum(bbalance) FROM pgbench_branches) = sum(delta)
FROM pgbench_history;
"""
CLIENTS, TRANSACTIONS = 8, 250
UNITS = ["regress", "pgbench"]

user_of = not_root


def prepare(place) -> dict:
    source = os.path.join(place.source(SERVER), "src/test/regress")
    place.exact(place.source_version(SERVER), SERVER, f"postgresql-client-{VERSION}",
                f"postgresql-server-dev-{VERSION}", "libpq5")
    base = os.path.join(place.root, "usr/lib/postgresql", VERSION)
    library = place.path("regress")
    os.makedirs(library, exist_ok=True)
    compiler = shutil.which("cc") or place.skip("no C compiler here")
    place.build("regress/regress.so", compiler, "-O1", "-w", "-shared", "-fPIC",
                f"-I{os.path.join(place.root, 'usr/include/postgresql', VERSION, 'server')}",
                os.path.join(source, "regress.c"))
    for name in ("autoinc.so", "refint.so"):
        shutil.copy(os.path.join(base, "lib", name), library)
    return {"source": source, "bin": os.path.join(base, "bin"), "library": library, "libraries": place.library_path(),
            "pg_regress": os.path.join(base, "lib/pgxs/src/test/regress/pg_regress")}


def run(cell: Cell, material: dict, units: list) -> dict:
    # The name of a socket is a short one.
    sockets = tempfile.mkdtemp(prefix="foreign.")
    cell.give(sockets)
    env = {"LD_LIBRARY_PATH": material["libraries"], "TMPDIR": sockets}
    found = {}
    try:
        if "regress" in units:
            found.update(regress(cell, material, env))
        if "pgbench" in units:
            found.update(pgbench(cell, material, env))
    finally:
        shutil.rmtree(sockets)
    return found


def regress(cell: Cell, material: dict, env: dict) -> dict:
    work = cell.make_directory("regress")
    configuration = os.path.join(work, "extra.conf")
    with open(configuration, "w", encoding="ascii") as file:
        file.write(CONFIGURATION)
    ended = cell.command(
        material["pg_regress"], f"--temp-instance={work}/instance", f"--temp-config={configuration}",
        f"--inputdir={material['source']}", f"--outputdir={work}", f"--bindir={material['bin']}",
        f"--dlpath={material['library']}", "--no-locale", "--encoding=UTF8", "--max-concurrent-tests=20",
        f"--schedule={material['source']}/parallel_schedule", cwd=work, env=env, timeout=1200)
    found = {"regress": ended.how}
    for line in ended.output.splitlines():
        match = re.match(r"(?:test)?\s+(\S+)\s+\.\.\. (ok|FAILED|failed.*ignored|\S+)", line)
        if match:
            found[f"regress/{match.group(1)}"] = match.group(2)
    if "regress/boolean" not in found:
        found["regress"] += ": " + ended.output[-300:]
    return found


def pgbench(cell: Cell, material: dict, env: dict) -> dict:
    """Every transaction that was acknowledged is in the tables, and their sums agree."""
    work = cell.make_directory("pgbench")
    data = os.path.join(work, "data")

    def tool(name: str, *words: str) -> object:
        return cell.command(os.path.join(material["bin"], name), *words, cwd=work, env=env)

    made = tool("initdb", "-D", data, "-A", "trust", "-U", "owner", "--no-sync", "--no-locale", "-E", "UTF8")
    if made.status != 0:
        return {"pgbench": f"initdb: {made.how}: {made.output[-300:]}"}
    with open(os.path.join(data, "postgresql.conf"), "a", encoding="ascii") as file:
        file.write(f"{CONFIGURATION}listen_addresses = ''\nunix_socket_directories = '{env['TMPDIR']}'\n")
    found = {}
    script = (f"export PGHOST={env['TMPDIR']} PGUSER=owner PGDATABASE=postgres\n"
              f"postgres -D {data} >server.log 2>&1 & server=$!\n"
              "until pg_isready -q; do kill -0 $server || exit 99; sleep 0.1; done\n"
              "pgbench -i -q -s 2 >/dev/null 2>&1 || exit 98\n"
              f"pgbench -n -c {CLIENTS} -j 2 -t {TRANSACTIONS} 2>&1 | grep -E 'processed|failed'\n"
              f"pgbench -n -c {CLIENTS} -S -t {TRANSACTIONS} 2>&1 | grep -E 'processed|failed'\n"
              f"psql -X -A -t -c \"{SUMS}\"\n"
              "kill -INT $server; wait $server; echo server $?\n"
              f"postgres -D {data} >>server.log 2>&1 & server=$!\n"
              "until pg_isready -q; do kill -0 $server || exit 97; sleep 0.1; done\n"
              f"psql -X -A -t -c \"{SUMS}\"\n"
              "kill -TERM $server; wait $server; echo server $?\n"
              "grep -E 'PANIC|ERROR' server.log | sed 's/^[^A-Z]*UTC//; s/\\[[0-9]*\\]//'\n")
    ended = cell.command("sh", "-c", script, cwd=work, env={**env, "PATH": f"{material['bin']}:/usr/bin:/bin"})
    found["pgbench"] = ended.how
    for number, line in enumerate(ended.output.splitlines()):
        found[f"pgbench/{number}"] = line
    return found
