"""The figures of a server that runs come out of a real Prometheus: `autolock export` keeps the file fresh."""

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
from typing import Iterator

import exposition
import harness
from harness import Skip, environment
from servers import Monitor, free_port, monitor, wait_for


def refresh(watching: Monitor, pid: int) -> exposition.Samples:
    subprocess.run([os.environ["COMMAND"], "export", "--once", "--textfile", watching.directory, str(pid)], check=True)
    return exposition.parse(file_of(watching, pid).read_bytes())


def file_of(watching: Monitor, pid: int) -> pathlib.Path:
    return watching.directory / f"autolock.redis-server.{pid}.prom"


def ask(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request)
        return connection.recv(4096)


def answers(port: int) -> bool:
    try:
        return ask(port, b"PING\r\n").startswith(b"+PONG")
    except OSError:
        return False


def kernel_locked(pid: int) -> int:
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmLck:"))


@contextlib.contextmanager
def redis(folder: pathlib.Path, **settings: str) -> Iterator[tuple]:
    server = shutil.which("redis-server")
    if not server:
        raise Skip("no redis-server here")
    port = free_port()
    command = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    settings.setdefault("STATS", "off")
    with subprocess.Popen(command, env=environment(settings, harness.library), stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL) as process:
        try:
            wait_for("redis-server", lambda: answers(port))
            yield process.pid, port
        finally:
            process.kill()


def one(samples: exposition.Samples, name: str) -> float:
    (value, ) = [value for (found, _), value in samples.items() if found == name]
    return value


def check(watching: Monitor, **settings: str) -> None:
    with redis(watching.directory.parent, **settings) as (pid, port):
        before = refresh(watching, pid)
        watching.shows(file_of(watching, pid))
        for number in range(50):
            value = b"x" * 100_000
            request = b"*3\r\n$3\r\nSET\r\n$3\r\n%03d\r\n$%d\r\n%s\r\n" % (number, len(value), value)
            assert ask(port, request).startswith(b"+OK")
        after = refresh(watching, pid)
        watching.shows(file_of(watching, pid))
        locked = kernel_locked(pid)
        name = "autolock_locked_kernel_bytes"
        answer = watching.wait_for_query(f'{name}{{pid="{pid}"}}', lambda found: list(found.values()) == [locked])
        assert locked > 4_000_000, answer
        assert one(after, name) == locked >= one(before, name), (before, after)
        state = watching.query(f'autolock_info{{pid="{pid}"}}')
        assert any(dict(labels).get("ended") == "running" for _, labels in state), state
        watching.has_read_all()


def test_of_all_memory() -> None:
    with monitor() as watching:
        check(watching, MODE="all")


def test_region_by_region() -> None:
    with monitor() as watching:
        check(watching, MODE="alloc", BUDGET="1G")
