"""PostgreSQL: half of the requests are transactions as pgbench has them, acknowledged when they are in the log on disk;
the others read an account. Four connections, so four backends, beside the server's own processes.
"""

from __future__ import annotations

import array
import glob
import os
import random
import signal
import subprocess

from measure import Failed
from servers import MIB, Server, a_user, as_user, bytes_of, need
from servers.postgres_wire import Connection

_OWNER = "owner"
_CONNECTIONS = 4
_FILLER = 300


def _places() -> list:
    return sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)


class Traffic:
    def __init__(self, socket: str, accounts: int):
        self.socket = socket
        self.balances = array.array("l", bytes(8 * accounts))
        self.history: list = []  # (account, amount) of each transaction that was acknowledged
        self.written = 0
        self.read = 0
        self._random = random.Random(1)
        self._connections: list = []

    def connect(self) -> None:
        self._connections = [Connection(self.socket, _OWNER, "postgres") for _ in range(_CONNECTIONS)]

    def disconnect(self) -> None:
        for connection in self._connections:
            connection.close()
        self._connections = []

    def request(self) -> tuple:
        account = self._random.randrange(len(self.balances))
        if self._random.random() < 0.5:
            return account, None, f"SELECT balance, filler FROM account WHERE id = {account}"
        amount = self._random.randrange(-5000, 5000)
        return account, amount, (
            f"BEGIN; UPDATE account SET balance = balance + {amount} WHERE id = {account} RETURNING balance, filler; "
            f"INSERT INTO history VALUES ({len(self.history)}, {account}, {amount}); COMMIT")

    def ask(self, request: tuple) -> list:
        connection = self._connections[(self.read + self.written) % _CONNECTIONS]
        return connection.query(request[2])

    def check(self, request: tuple, answer: list) -> None:
        account, amount, _ = request
        if amount is not None:
            # Acknowledged: it has to be there from now on.
            self.balances[account] += amount
            self.history.append((account, amount))
            self.written += 1
        else:
            self.read += 1
        if answer != [(str(self.balances[account]), filler(account))]:
            raise Failed(f"account {account} has {answer!r:.80} instead of {self.balances[account]}")

    def fill(self) -> None:
        connection = self._connections[0]
        connection.query("CREATE TABLE account (id int PRIMARY KEY, balance bigint, filler text); "
                         "CREATE TABLE history (id int PRIMARY KEY, account int, amount int)")
        step = 1000
        for first in range(0, len(self.balances), step):
            rows = ", ".join(f"({n}, 0, '{filler(n)}')" for n in range(first, min(first + step, len(self.balances))))
            connection.query(f"INSERT INTO account VALUES {rows}")
        connection.query("CHECKPOINT")
        connection.query("VACUUM ANALYZE account")

    def read_back(self) -> int:
        connection = self._connections[0]
        step = 5000
        for first in range(0, len(self.balances), step):
            found = connection.query("SELECT id, balance, filler FROM account "
                                     f"WHERE id >= {first} AND id < {first + step} ORDER BY id")
            wanted = [(str(n), str(self.balances[n]), filler(n))
                      for n in range(first, min(first + step, len(self.balances)))]
            if found != wanted:
                raise Failed(f"accounts from {first} on are not as acknowledged")
        found = connection.query("SELECT id, account, amount FROM history ORDER BY id")
        if found != [(str(n), str(account), str(amount)) for n, (account, amount) in enumerate(self.history)]:
            raise Failed(f"{len(found)} transactions are there, and not the {len(self.history)} that were acknowledged")
        return len(self.balances) + len(self.history)


def filler(account: int) -> str:
    return bytes_of(f"account {account}", _FILLER).decode()


class Postgres(Server):
    name = "postgres"
    limit, hog = 256 * MIB, 240 * MIB
    pace = 80.0
    pushed_out = 10 * MIB
    accounts = 150_000
    stop_signal = signal.SIGINT
    # Its processes map shared memory of their own. Locked on first touch it is locked only as long as who touched it
    # is there.
    held = {"AUTOLOCK_FORK": "relock"}

    @classmethod
    def need(cls) -> None:
        need("postgres", *_places())
        need("initdb", *_places())
        need("setpriv")

    @property
    def user(self) -> str:
        # It refuses to be root's.
        return a_user("postgres", "nobody")

    @property
    def data(self) -> str:
        return os.path.join(self.scratch, "data")

    def prepare(self) -> None:
        os.chmod(self.scratch, 0o777)
        done = subprocess.run([*as_user(self.user), need("initdb", *_places()), "-D", self.data, "-A", "trust",
                               "-U", _OWNER, "--no-sync", "--no-locale", "-E", "UTF8"], cwd=self.scratch, capture_output=True,
                              text=True, check=False)
        if done.returncode:
            raise Failed(f"initdb: {done.stderr[-500:]}")

    def command(self) -> list:
        return [need("postgres", *_places()), "-D", self.data, "-k", self.scratch, "-c", "listen_addresses=",
                "-c", "shared_buffers=96MB", "-c", "fsync=on", "-c", "synchronous_commit=on",
                "-c", "checkpoint_timeout=60s", "-c", "autovacuum_naptime=15s"]

    def answers(self) -> bool:
        try:
            Connection(self._socket, _OWNER, "postgres").close()
            return True
        except Failed:
            return False  # it is starting up

    @property
    def _socket(self) -> str:
        return os.path.join(self.scratch, ".s.PGSQL.5432")

    def fill(self) -> Traffic:
        traffic = Traffic(self._socket, self.accounts)
        traffic.connect()
        traffic.fill()
        traffic.disconnect()
        return traffic

    def crash_signal(self) -> int:
        # Ends at once, and leaves it to the log to make its files whole.
        return signal.SIGQUIT
