"""The figures of programs that have ended come out of a real Prometheus as they went in."""

import os
import shutil

import exposition
import harness
from harness import EVERY_KIND, Run, program, run
from servers import Monitor, monitor


def reports_to(watching: Monitor, *command: str, name: str = "%n.%p.prom", **settings) -> Run:
    return run(*command, STATS="prometheus", STATS_FILE=str(watching.directory / name), **settings).expect(err=b"")


def test_an_ended_program() -> None:
    with monitor() as watching:
        done = reports_to(watching, program("locking_work"), "50", MODE="alloc", KINDS=EVERY_KIND)
        watching.shows(watching.directory / f"locking_work.{done.pid}.prom")
        locked = watching.query(f'autolock_locked_bytes_total{{pid="{done.pid}"}}')
        assert list(locked.values()) != [0], "nothing was locked: the figures could be anybody's"
        watching.has_read_all()


def test_many_programs() -> None:
    """Each mode, odd names, and what another process has left of a file it was about to write."""
    with monitor() as watching:
        (watching.directory / ".autolock-1-2").write_bytes(b"# HELP autolock_info what the r")
        odd = watching.directory.parent / 'a "b"\\c\nd'
        shutil.copy2(program("exit_with"), odd)
        runs = [reports_to(watching, program("exit_with"), "0", MODE=mode) for mode in ("alloc", "observe")]
        # A file whose name is not UTF-8 ends the exporter.
        bad = os.fsencode(watching.directory.parent) + b"/bad\xff"
        shutil.copy2(program("exit_with"), bad)
        runs += [reports_to(watching, name, "0", MODE="observe") for name in (str(odd), bad)]
        for done in runs:
            (file, ) = watching.directory.glob(f"*.{done.pid}.prom")
            watching.shows(file)
        assert len(watching.query("autolock_info")) == len(runs)
        watching.has_read_all()


def test_a_file_that_is_replaced() -> None:
    """The last process that was given the file is the one that is seen."""
    with monitor() as watching:
        file = watching.directory / "last.prom"
        for times in "10", "30":
            done = reports_to(watching, program("locking_work"), times, name=file.name, MODE="observe")
            watching.shows(file)
            watching.wait_for_query("autolock_info", lambda answer: len(answer) == 1)
            ((_, labels), ) = watching.query("autolock_info")
            assert dict(labels)["pid"] == str(done.pid), labels
        watching.has_read_all()


def test_what_is_broken_is_seen() -> None:
    """The exporter that has read all of our files says so of a file that it cannot read."""
    with monitor() as watching:
        done = reports_to(watching, program("exit_with"), "0", MODE="observe")
        whole = (watching.directory / f"exit_with.{done.pid}.prom").read_bytes()
        assert exposition.parse(whole)
        watching.has_read_all()
        (watching.directory / "half.prom").write_bytes(whole[:len(whole) // 2].rstrip(b"\n"))
        try:
            watching.has_read_all()
        except AssertionError:
            return
        raise AssertionError("half a file is read as a whole one")
