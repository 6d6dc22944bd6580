"""The command as root, on what others have made: processes that have spoilt their own counters, pipes among the reports,
directories that look like its own. It ends, shows nothing that a terminal obeys, and touches nothing of theirs."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import struct
import subprocess
from typing import Iterator

import exposition
import harness
import live_reader
from command import autolock, path
from harness import NOBODY, directory, environment, need_root, program

# docs/live.md
BACKEND, ENDED, PROGRAM, COMMAND, OPTIONS, DOWNGRADES, SLAB, BLOCKS = 120, 128, 144, 400, 2448, 6544, 11552, 11632
DOWNGRADE = struct.Struct("<Q248s")
EVIL = b"../../\x1b]0;x\x07\r\n\"'<script>&{}\\\xff\x9b\xe2\x80\xae"


@contextlib.contextmanager
def nobodys(**settings: str) -> Iterator[subprocess.Popen]:
    """A program of nobody's under the library, waiting."""
    need_root()
    with directory() as place:
        library = shutil.copy2(harness.library, place)
        waiting = shutil.copy2(program("hold_on"), place)
        variables = environment({"STATS": "off", "ON_FAILURE": "ignore", **settings}, library)
        with subprocess.Popen([waiting], env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, user=NOBODY,
                              group=NOBODY, extra_groups=[]) as process:
            try:
                assert process.stdout is not None and process.stdout.readline() == b"ready\n"
                yield process
            finally:
                process.kill()


def _spoil(pid: int, place: int, data: bytes) -> None:
    """As the process itself may at any time."""
    start, _, _ = live_reader.mapping(pid)
    memory = os.open(f"/proc/{pid}/mem", os.O_WRONLY)
    assert os.pwrite(memory, data, start + place) == len(data)
    os.close(memory)


def _spoil_texts(pid: int) -> None:
    for start, length in ((BACKEND, 8), (ENDED, 16), (PROGRAM, 256), (COMMAND, 2048)):
        _spoil(pid, start, (EVIL * length)[:length])
    _spoil(pid, OPTIONS, (b"AUTOLOCK_LIVE_DIR=" + EVIL + b"\0AUTOLOCK_STATS_FILE=" + EVIL * 4096)[:4096])
    _spoil(pid, DOWNGRADES, b"\xff" * 8)
    for i in range(16):
        _spoil(pid, DOWNGRADES + 8 + i * DOWNGRADE.size, DOWNGRADE.pack(1 << 62, (EVIL * 248)[:248]))


def _spoil_slabs(pid: int) -> None:
    """One that leads to itself, with as many blocks as it likes."""
    start, _, _ = live_reader.mapping(pid)
    _spoil(pid, SLAB, struct.pack("<QQ", start + SLAB, 1 << 63))
    _spoil(pid, SLAB + 16, struct.pack("<Q", 64))


def _harmless(text: bytes) -> str:
    """Lines of text, and nothing else."""
    decoded = text.decode()
    wrong = [line for line in decoded.split("\n") if not line.isprintable()]
    assert not wrong, wrong[:3]
    return decoded


def test_processes_that_lie() -> None:
    """Their own pid is the kernel's word; whatever they have written is text."""
    with nobodys() as one, nobodys() as other, directory() as parent:
        place = parent / "metrics"
        place.mkdir()
        _spoil_texts(one.pid)
        _spoil_slabs(other.pid)
        for process, forms in (one, ("text", "json")), (other, ("json",)):
            for form in forms:
                done = autolock("status", "--format", form, str(process.pid)).expect(0)
                _harmless(done.out)
                assert form == "text" or json.loads(done.out)["pid"] == process.pid, done
        autolock("export", "--textfile", str(place), "--once", str(one.pid), str(other.pid)).expect(0)
        assert os.listdir(parent) == ["metrics"]
        names = os.listdir(place)
        assert len(names) == 2 and all(name.startswith("autolock.") and name.endswith(".prom") for name in names), names
        for process in one, other:
            (name,) = [name for name in names if name.endswith(f".{process.pid}.prom")]
            text = (place / name).read_bytes()
            samples = exposition.parse(text)
            assert exposition.label(samples, "pid") == str(process.pid), name


def test_live_files_that_lie() -> None:
    """Of a user's own making, in a directory where root looks for them."""
    with directory() as place:
        folder = place / "live"
        folder.mkdir()
        folder.chmod(0o1777)
        with nobodys(LIVE_DIR=str(folder)) as process:
            (file,) = folder.iterdir()
            _spoil_texts(process.pid)
            for options in (), ("--format", "json"):
                _harmless(autolock("report", *options, str(file)).expect(0).out)
            autolock("report", "--html", str(place / "page"), str(file)).expect(0)
            page = _harmless((place / "page").read_bytes())
            assert "<script>&" not in page and "&lt;script&gt;&amp;" in page, page
            # A number that no program has counted: it is not passed over in silence.
            _spoil(process.pid, DOWNGRADES + 8, struct.pack("<Q", 1 << 63))
            done = autolock("report", str(file)).expect(65, b"")
            assert done.err == f"autolock report: {file}: not a report: a number in it is none that was counted\n".encode(), done


def test_pipes_among_reports() -> None:
    """One that somebody else has put there is not waited for; one's own is, as ever."""
    need_root()
    with directory() as place:
        place.chmod(0o1777)
        harness.run("true", STATS="json", STATS_FILE=str(place / "good")).expect(0)
        theirs = place / "theirs.live"
        os.mkfifo(theirs)
        os.chown(theirs, NOBODY, NOBODY)
        writing = os.open(theirs, os.O_RDWR)  # he keeps it open, and silent
        done = autolock("report", str(place / "good"), str(theirs)).expect(65)
        assert done.err == f"autolock report: {theirs}: it is somebody else's pipe\n".encode() and b"true" in done.out, done
        os.close(writing)
        own = place / "own"
        os.mkfifo(own)
        with subprocess.Popen([path(), "report", str(own)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as reading:
            with open(own, "wb") as writer:  # waits for the reader
                writer.write((place / "good").read_bytes())
            out, err = reading.communicate(timeout=harness.PATIENCE_S)
        assert reading.returncode == 0 and b"true" in out and not err, (out, err)


def test_directories_that_look_like_its_own() -> None:
    """Somebody else's, and links to root's: nothing in them is taken away."""
    need_root()
    shared = pathlib.Path("/dev/shm")
    with directory() as place:
        (place / "precious").write_text("precious")
        link, theirs = shared / f"autolock-run-link{os.getpid()}", shared / f"autolock-run-own{os.getpid()}"
        link.symlink_to(place)
        theirs.mkdir()
        try:
            (theirs / "precious").write_text("precious")
            os.chown(theirs, NOBODY, NOBODY)
            os.chown(link, NOBODY, NOBODY, follow_symlinks=False)
            autolock("run", "--stats", "off", "--on-failure", "ignore", "--expect", "majflt>=0", "--", "true").expect(0)
            assert (place / "precious").read_text() == (theirs / "precious").read_text() == "precious"
            assert link.is_symlink()
        finally:
            shutil.rmtree(theirs)
            link.unlink()


def test_metrics_beside_planted_names() -> None:
    """In a directory where everybody may make files: a link is refused, in one line, and the others are written."""
    with nobodys() as one, nobodys() as other, directory() as place:
        place.chmod(0o1777)
        (place / "precious").write_text("precious")
        planted = place / f"autolock.hold_on.{one.pid}.prom"
        planted.symlink_to("precious")
        os.chown(planted, NOBODY, NOBODY, follow_symlinks=False)
        done = autolock("export", "--textfile", str(place), "--once", str(one.pid), str(other.pid)).expect(1)
        assert done.err.count(b"\n") == 1 and str(one.pid).encode() in done.err, done
        assert (place / "precious").read_text() == "precious"
        assert (place / f"autolock.hold_on.{other.pid}.prom").is_file()
