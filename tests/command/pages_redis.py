"""redis-server under memory pressure, without the library and with all of it locked, on one page side by side."""

import contextlib
import os
import pathlib
import socket
import subprocess
import sys
from typing import Callable, Iterator

import browser
import page_text
from command import path
from harness import Skip, directory, need_privilege, need_root
from page_text import figures_are_of

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "bench"))

import cgroup  # noqa: E402  the bench's own
import measure  # noqa: E402
import redis_server  # noqa: E402
import swap  # noqa: E402

MIB = 1 << 20
LIMIT, KEYS, HOG = 160 * MIB, 40000, 130 * MIB

# Fills as much as it is told with what cannot be stored smaller, says so, and waits.
HOG_SOURCE = """
import os, sys
held = [os.urandom(1 << 20) for _ in range(int(sys.argv[1]) >> 20)]
print("ready", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def _hog(enter: Callable) -> Iterator[None]:
    with subprocess.Popen([sys.executable, "-c", HOG_SOURCE, str(HOG)], preexec_fn=enter, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            if process.stdout.readline() != b"ready\n":
                raise Skip("there is not enough memory and swap here for the pressure")
            yield
        finally:
            process.kill()


def _read_all(server: redis_server.Server) -> None:
    with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rb") as answers:
        connection.connect(server.socket)
        for first in range(0, KEYS, 1000):
            connection.sendall(b"".join(b"*2\r\n$3\r\nGET\r\n$%d\r\nkey:%d\r\n" % (len(str(key)) + 4, key)
                                        for key in range(first, first + 1000)))
            for _ in range(1000):
                assert answers.readline() == b"$1000\r\n" and len(answers.readline()) == 1002


def _serve(mode: str, page: pathlib.Path) -> None:
    """Filled, left alone beside somebody who wants memory, and read once."""
    with directory() as scratch, cgroup.limited_to(LIMIT) as group:
        # What starts redis-server there is found first, and starts the one that follows it.
        (scratch / "bin").mkdir()
        server = subprocess.run(["sh", "-c", "command -v redis-server"], capture_output=True, check=True).stdout.decode().strip()
        (scratch / "bin" / "redis-server").write_text(
            f"#!/bin/sh\nexec {path()} run --mode {mode} --stats off --sample-interval 20ms --report {page} "
            f"-- {server} \"$@\"\n")
        (scratch / "bin" / "redis-server").chmod(0o755)
        environment = {**os.environ, "PATH": f"{scratch / 'bin'}:{os.environ['PATH']}"}
        with redis_server.running(environment, str(scratch), group.enter) as running:
            running.fill(KEYS)
            with _hog(group.enter):
                _read_all(running)


def test_bare_and_locked() -> None:
    need_root()
    need_privilege()
    try:
        redis_server.need("redis-server")
        with directory() as folder, swap.at_least(2 * HOG):
            bare, locked = browser.kept("redis-bare.html"), browser.kept("redis-locked.html")
            for file in bare, locked:
                file.unlink(missing_ok=True)
            _serve("off", bare)
            _serve("all", locked)
            both = browser.kept("redis.html")
            subprocess.run([path(), "report", "--html", str(both), str(bare), str(locked)], check=True)
    except measure.Skipped as reason:
        raise Skip(str(reason)) from None
    page = page_text.read(both)
    without, with_ = page.runs
    assert without["peak"]["swap_bytes"] > 10 * MIB, without["peak"]
    assert without["kernel"]["major"] > 500, without["kernel"]
    report = page.report(1)
    assert with_["peak"]["swap_bytes"] == 0 and report["faults"]["major_after_lock"] == 0, (with_["peak"], report["faults"])
    # What is asked for while the cgroup is full is not locked; all that was there before still is.
    assert report["memory"]["unlocked_resident_bytes"] <= 64 << 10 and report["memory"]["rss_bytes"] > 40 * MIB, report["memory"]
    assert max(sample[5] for sample in without["timeline"]["samples"]) > 500
    assert figures_are_of(page) >= 25
    browser.need()
    understood = page_text.Page(browser.rendered(both), rendered=True)
    assert figures_are_of(understood) == figures_are_of(page) and understood.text == page.text
    browser.photograph(both, "redis-light", 1200, 3000)
    browser.photograph(both, "redis-dark", 1200, 3000, *browser.DARK)
    browser.printed(both, "redis")
