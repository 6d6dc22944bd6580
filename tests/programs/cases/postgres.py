"""postgres: initdb, a server with shared memory and forked backends, psql, pgbench, a restart with the same data.

It refuses to run as root; then it is another user that runs it, as distributions have it.
"""

import glob
import os
import signal

import settings
from support import find_program, need, skip

SQL = """
CREATE TABLE item (id int PRIMARY KEY, name text, price int);
INSERT INTO item SELECT i, 'item ' || (i * 7919 % 20011), i % 9973 FROM generate_series(1, 20000) i;
CREATE INDEX ON item (price);
SELECT count(*), sum(price), min(name), max(name) FROM item;
SELECT price / 1000 AS band, count(*) FROM item GROUP BY band ORDER BY band;
SET work_mem = '64kB';
SELECT a.id, b.id FROM item a JOIN item b ON a.price = b.price AND a.id < b.id ORDER BY 1, 2 LIMIT 10;
DELETE FROM item WHERE id % 3 = 0;
SELECT md5(string_agg(name, ',' ORDER BY id)) FROM item;
SELECT nothing FROM nowhere;
"""


def run(stage):
    # Debian keeps them out of the PATH, behind wrappers.
    places = [os.path.dirname(os.path.realpath(path)) for path in filter(None, [find_program("postgres")])]
    places += sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)
    postgres, initdb, psql = (need(name, *places) for name in ("postgres", "initdb", "psql"))
    pgbench = find_program("pgbench", *places)
    user = stage.user
    if user.uid == 0:
        user = settings.find_user("postgres") or settings.find_user("nobody") or skip("no user but root")
    home = stage.make_directory("pg", user)
    data = os.path.join(home, "data")
    where = ("-h", home, "-U", "owner")

    stage.command(initdb, "-D", data, "-A", "trust", "-U", "owner", "--no-sync", "--no-locale", "-E", "UTF8",
                  user=user, programs=[initdb, postgres])

    def start():
        return stage.server(
            postgres, "-D", data, "-k", home, "-c", "listen_addresses=", "-c", "fsync=off",
            "-c", "shared_buffers=32MB", "-c", "dynamic_shared_memory_type=posix", user=user, ready=answers)

    def answers():
        try:
            with open(os.path.join(data, "postmaster.pid"), encoding="ascii") as file:
                return "ready" in file.read()
        except OSError:
            return False

    def ask(text, **options):
        return stage.command(psql, "-X", "-q", "-A", *where, "postgres", stdin=text.encode(), user=user, **options)

    server = start()
    ask(SQL)
    stage.expect_lock(server.pid, "postgres", user)
    if pgbench:
        stage.command(pgbench, "-i", "-q", "-s", "1", *where, "postgres", user=user, compare=())
        stage.command(pgbench, "-c", "4", "-t", "50", "-S", *where, "postgres", user=user, compare=())
        ask("SELECT count(*), sum(abalance) FROM pgbench_accounts;")
    ask("SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;"
        "SET min_parallel_table_scan_size = 0; SELECT count(*), sum(id) FROM item WHERE price % 7 = 1;")
    stage.finish(server, send=signal.SIGINT)

    server = start()
    ask("SELECT count(*), sum(id) FROM item;")
    stage.finish(server, send=signal.SIGTERM)
