"""Files of counters that somebody has spoilt, or that are none: the library's reader neither believes them nor waits."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import resource
import struct
import subprocess
from typing import Iterator

import harness
from harness import directory, program, run

# docs/live.md
BACKEND, ENDED, PROGRAM, COMMAND, OPTIONS, DOWNGRADES, SLAB = 120, 128, 144, 400, 2448, 6544, 11552
DOWNGRADE = struct.Struct("<Q248s")

# What a chain without end may take of the processor.
SECONDS = 8


def _read(what: pathlib.Path, how: str = "json") -> subprocess.CompletedProcess:
    def prepare() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))

    reader = harness.programs.parent / "support" / "read_live"
    done = subprocess.run([reader, how, str(what)], capture_output=True, check=False, preexec_fn=prepare,
                          timeout=harness.PATIENCE_S)
    assert done.returncode in (0, 1), done
    return done


@contextlib.contextmanager
def _file() -> Iterator[tuple[pathlib.Path, bytearray]]:
    with directory() as place:
        run(program("exit_with"), "5", LIVE_DIR=str(place)).expect(5)
        (path,) = place.iterdir()
        assert _read(path).returncode == 0
        yield path, bytearray(path.read_bytes())


def test_short_files() -> None:
    with _file() as (path, whole):
        for length in (0, 7, 8, 100, SLAB, len(whole) // 2):
            path.write_bytes(whole[:length])
            done = _read(path)
            assert done.returncode == 1 and not done.stdout, done


def test_what_is_no_file() -> None:
    with _file() as (path, _):
        (path.parent / "link").symlink_to(path.name)
        os.mkfifo(path.parent / "fifo")
        for other in (path.parent, path.parent / "link", path.parent / "fifo", pathlib.Path("/dev/zero")):
            done = _read(other)
            assert done.returncode == 1 and not done.stdout, done


def test_slabs_without_end() -> None:
    """One that leads to itself, with as many blocks as it likes to have, in a file that has room for them."""
    with _file() as (path, whole):
        here = len(whole)
        struct.pack_into("<QQ", whole, SLAB, 1, here)
        for blocks in (0, 146, 4096, 1 << 63):
            path.write_bytes(whole + struct.pack("<QQQQ", 1, here, blocks, here))
            os.truncate(path, here + (4 << 20))
            done = _read(path)
            assert done.returncode == 0 and b"is missing" in done.stderr, done
            json.loads(done.stdout)


def test_texts_that_are_none() -> None:
    """Without an end, and with what a terminal would take for orders."""
    evil = b"\x1b]0;x\x07\n\"\\{}\xff"
    with _file() as (path, whole):
        for start, length in ((BACKEND, 8), (ENDED, 16), (PROGRAM, 256), (COMMAND, 2048)):
            whole[start:start + length] = (evil * length)[:length]
        given = b"AUTOLOCK_LIVE_DIR=" + evil.replace(b"\xff", b"") + b"\0AUTOLOCK_" + evil * 4096
        whole[OPTIONS:OPTIONS + 4096] = given[:4096]
        whole[DOWNGRADES:DOWNGRADES + 8] = b"\xff" * 8
        for i in range(16):
            DOWNGRADE.pack_into(whole, DOWNGRADES + 8 + i * DOWNGRADE.size, 1, (evil * 248)[:248])
        path.write_bytes(whole)
        for how in ("text", "json"):
            done = _read(path, how)
            assert done.returncode == 0 and b"\x1b" not in done.stdout and b"\x07" not in done.stdout, done
        assert json.loads(_read(path).stdout.decode())["pid"] > 0
        assert _read(path, "prometheus").stdout.decode()
