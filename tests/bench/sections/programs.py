"""What real programs pay, from their start to their end: redis-server by its throughput, the others by their time.

`locking` is what the library's own system calls took, which bring memory in that the bare program brings in page by
page; `rest` is the time without it. In mode all the kernel brings memory in during the program's own calls as well, so
that mode is held against the row `mlockall`, where nothing but that happens.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
import time

import redis_server
from configurations import BARE, REFERENCE
from measure import TIMEOUT_S, Case, Failed, Skipped
from workloads import inputs

TITLE = "real programs"

_YARDSTICKS = (BARE, REFERENCE)


def configurations(bench):
    return bench.rows(BARE, REFERENCE, "off", "all", "alloc", "alloc 64K")


def cases(bench):
    made = [case for make in (_redis, _sqlite3, _python, _gcc, _xz) for case in _those_here(bench, make)]
    if not made:
        raise Skipped("none of redis-server, sqlite3, gcc and xz is installed")
    return made


def _those_here(bench, make) -> list:
    try:
        return make(bench)
    except Skipped as reason:
        bench.leave_out(make.__name__[1:], str(reason))
        return []


def _amount(bench, usual: int) -> int:
    return max(1, usual // 50) if bench.quick else usual


# --- programs that end by themselves -------------------------------------------------------------


def _command(bench, name: str, argv: list, stdin: str = os.devnull, before=lambda: None) -> Case:
    if not shutil.which(argv[0]):
        raise Skipped(f"{argv[0]} is not installed")

    def measure(configuration, _: int) -> dict:
        before()
        report = _Report(configuration, bench.scratch)
        with open(stdin, "rb") as given:
            begin = time.perf_counter()
            done = subprocess.run(argv, env=report.environment, stdin=given, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, timeout=TIMEOUT_S, check=False)
            elapsed = 1e3 * (time.perf_counter() - begin)
        if done.returncode:
            raise Failed(f"{name}, {configuration.name}: status {done.returncode}: {done.stderr[-500:]!r}")
        locking = report.locking_ms()
        return {"time": elapsed, "locking ms": locking, "rest ms": elapsed - locking}

    return Case(name, measure, "ms", amount=1, yardsticks=_YARDSTICKS)


class _Report:
    """Has the library report to a file, where there is one that reports."""

    def __init__(self, configuration, scratch: str):
        self.file = os.path.join(scratch, "program.json")
        self.expected = configuration.variables.get("AUTOLOCK_MODE", "off") != "off"
        self.environment = dict(configuration.environment)
        if self.expected:
            self.environment.update(AUTOLOCK_STATS="json", AUTOLOCK_STATS_FILE=self.file)

    def locking_ms(self) -> float:
        """Of all processes of the run together."""
        if not self.expected:
            return 0.0
        try:
            with open(self.file, encoding="utf-8") as file:
                reports = [json.loads(line) for line in file]
        except FileNotFoundError:
            raise Failed("the library made no report") from None
        os.unlink(self.file)
        return sum(call["time_ns"] for report in reports for call in report["syscalls"].values()) / 1e6


def _write(bench, name: str, content: bytes) -> str:
    path = os.path.join(bench.scratch, name)
    with open(path, "wb") as file:
        file.write(content)
    return path


def _sqlite3(bench) -> list:
    script = _write(bench, "work.sql", inputs.sql(_amount(bench, 200_000)).encode())
    database = os.path.join(bench.scratch, "work.db")

    def remove():
        if os.path.exists(database):
            os.unlink(database)

    return [_command(bench, "sqlite3", ["sqlite3", "-batch", "-init", os.devnull, database], script, remove)]


def _python(bench) -> list:
    # What a name on the path is may be a script; this is the interpreter itself.
    python = os.path.realpath(sys.executable)
    script = os.path.join(os.path.dirname(inputs.__file__), "python_work.py")
    return [_command(bench, f"python3 {name}", [python, "-I", script, name, str(_amount(bench, loops))])
            for name, loops in (("floats", 40), ("objects", 60), ("documents", 40), ("words", 140))]


def _gcc(bench) -> list:
    source = _write(bench, "work.c", inputs.c_source(_amount(bench, 200)).encode())
    return [_command(bench, "gcc", ["gcc", "-O1", "-c", "-o", os.path.join(bench.scratch, "work.o"), source])]


def _xz(bench) -> list:
    text = _write(bench, "work.txt", inputs.text(_amount(bench, 1 << 20)))
    return [_command(bench, "xz", ["xz", "-6", "-T1", "-c"], text)]


# --- a server ------------------------------------------------------------------------------------


def _redis(bench) -> list:
    redis_server.need("redis-server", "redis-benchmark")
    requests = _amount(bench, 50_000)

    def measure(configuration, _: int) -> dict:
        report = _Report(configuration, bench.scratch)
        with redis_server.running(report.environment, bench.scratch) as server:
            per_second = _ask(server.socket, requests)
        report.locking_ms()  # there is a report: the library was in it
        return {"time": sum(1e6 / rate for rate in per_second.values()) / len(per_second),
                **{f"{name} requests/s": rate for name, rate in per_second.items()}}

    return [Case("redis, a request", measure, "us", amount=1, yardsticks=_YARDSTICKS)]


def _ask(socket: str, requests: int) -> dict:
    """Requests per second of the client that comes with the server."""
    done = subprocess.run(["redis-benchmark", "-s", socket, "-t", "set,get", "-n", str(requests), "-c", "20", "-d",
                           "400", "-r", "20000", "--csv"], capture_output=True, text=True, timeout=TIMEOUT_S,
                          check=False)
    rates = {row[0]: float(row[1]) for row in csv.reader(done.stdout.splitlines()) if row and row[0] in ("SET", "GET")}
    if done.returncode or len(rates) != 2:
        raise Failed(f"redis-benchmark: status {done.returncode}: {done.stderr.strip()[-500:]}")
    return rates
