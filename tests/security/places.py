"""Files in places that others have prepared, or change while they are written: none is followed to somewhere else, and
what is made is nobody else's to write."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import subprocess
from typing import Iterator

import command
from harness import NOBODY, directory, need_root, parse_reports, program, run
from live_session import library_reads
from secure_root import own

FORMATS = "json", "text", "prometheus"
REPORTS_ROUNDS, LIVE_ROUNDS, METRICS_ROUNDS = 60, 10, 40

@contextlib.contextmanager
def attacked(names: list) -> Iterator[tuple]:
    """A directory of nobody's, what he wants to have written to, and he at work."""
    need_root()
    with directory() as place:
        attacking = shutil.copy2(own("attacker"), place)
        theirs = place / "theirs"
        theirs.mkdir()
        theirs.chmod(0o777)
        os.chown(theirs, NOBODY, NOBODY)
        target = place / "target"
        target.write_bytes(b"precious")
        target.chmod(0o666)  # so that the kernel lets him link it
        with subprocess.Popen([attacking, str(theirs), str(target), *names], stdout=subprocess.PIPE, user=NOBODY, group=NOBODY,
                              extra_groups=[]) as attacker:
            try:
                assert attacker.stdout is not None and attacker.stdout.readline() == b"begun\n"
                yield theirs, target
                assert attacker.poll() is None
            finally:
                attacker.kill()


def _mode(path: pathlib.Path) -> int:
    return path.lstat().st_mode & 0o7777


# -- modes ----------------------------------------------------------------------------------------


def test_modes_of_what_the_library_makes() -> None:
    """Whatever the umask: nobody else may write it, and of the live counters nobody else may read them."""
    for umask in 0o000, 0o022, 0o027, 0o077, 0o777:
        def prepare() -> None:
            os.umask(umask)

        for form in FORMATS:
            with directory() as place:
                run(program("exit_with"), "5", STATS=form, STATS_FILE=str(place / "file"), prepare=prepare).expect(5, err=b"")
                assert _mode(place / "file") == 0o644 & ~umask, (form, oct(umask), oct(_mode(place / "file")))
        with directory() as place:
            run(program("exit_with"), "5", LIVE_DIR=str(place), STATS="off", STATS_FILE="", prepare=prepare).expect(5, err=b"")
            (path,) = place.iterdir()
            assert _mode(path) == 0o600 & ~umask, (oct(umask), oct(_mode(path)))


def test_modes_of_what_the_command_makes() -> None:
    for umask in 0o000, 0o077:
        with directory() as place:
            done = command.autolock("run", "--on-failure", "ignore", "--expect", "majflt>=0", f"--faults={place}/faults",
                                    "--json", f"{place}/json", "--junit", f"{place}/junit", "--report", f"{place}/report",
                                    "--", "true", umask=umask)
            assert done.status == 0, done
            command.autolock("report", "--html", f"{place}/page", f"{place}/json", umask=umask).expect(0, err=b"")
            with command.held(ON_FAILURE="ignore") as process:
                command.autolock("export", "--textfile", str(place), "--once", str(process.pid), umask=umask).expect(0, b"", b"")
            made = {path.name: oct(_mode(path)) for path in place.iterdir()}
            assert len(made) == 6 and set(made.values()) == {oct(0o644 & ~umask)}, (oct(umask), made)


# -- links ----------------------------------------------------------------------------------------


def test_another_name_of_a_file() -> None:
    """Appended to, that would be any file of ours that somebody has named there; a new file in its place is none."""
    for form in FORMATS:
        with directory() as place:
            (place / "target").write_bytes(b"precious")
            os.link(place / "target", place / "file")
            done = run(program("exit_with"), "5", STATS=form, STATS_FILE=str(place / "file"))
            done.expect(5, out=b"main ran\n")
            assert (place / "target").read_bytes() == b"precious", form
            if form == "prometheus":
                assert not done.err and b"autolock_info{" in (place / "file").read_bytes(), done
                continue
            first, rest = done.err.split(b"\n", 1)
            assert b"it has another name as well (a hard link)" in first, done
            assert rest.startswith(b"libautolock ") if form == "text" else parse_reports(rest), done


def test_names_that_change() -> None:
    """The directory's owner changes what is there all the time: nothing of ours is written, and the program is as ever."""
    reports = rounds = 0
    with attacked(["file"]) as (place, target):
        # Where he is quicker than we are, until one has been written at all.
        while rounds < REPORTS_ROUNDS or (not reports and rounds < 10 * REPORTS_ROUNDS):
            form = FORMATS[rounds % len(FORMATS)]
            rounds += 1
            done = run(program("exit_with"), "5", STATS=form, STATS_FILE=str(place / "file"))
            done.expect(5, out=b"main ran\n")
            reports += not done.err
            assert not done.err or done.err.startswith(b"libautolock: the report cannot be written to "), done
            assert target.read_bytes() == b"precious", (rounds, form)
    print(f"{reports} of {rounds} reports were written there")
    print(f"COUNT: {rounds} files written while their names change")
    assert reports, "he never left it a chance: nothing was told"


def test_live_counters_in_a_directory_of_somebody_else() -> None:
    """He may take the files away and put others there, also while they are to grow."""
    with attacked([]) as (place, target):
        for i in range(LIVE_ROUNDS):
            done = run(program("live"), "threads", "64", "10", LIVE_DIR=str(place), MODE="observe")
            assert done.status == 0 and (not done.err or b"AUTOLOCK_LIVE_DIR" in done.err), done
            assert done.report["calls"]["memalign"] == 640, done
            assert target.read_bytes() == b"precious" and target.stat().st_size == len(b"precious"), i
    print(f"COUNT: {LIVE_ROUNDS} files written while their names change")


def test_metrics_in_a_directory_of_somebody_else() -> None:
    """The command, as root, with names that can be known beforehand."""
    with command.held(ON_FAILURE="ignore") as process, attacked([f"autolock.hold_on.{process.pid}.prom"]) as (place, target):
        for i in range(METRICS_ROUNDS):
            done = command.autolock("export", "--textfile", str(place), "--once", str(process.pid))
            assert done.status in (0, 1), done
            assert target.read_bytes() == b"precious", i
    print(f"COUNT: {METRICS_ROUNDS} files written while their names change")


def test_one_may_read_ones_own() -> None:
    """And nobody else: the live counters have a user's command line, and addresses."""
    need_root()
    with directory() as place:
        place.chmod(0o1777)
        run(program("exit_with"), "5", LIVE_DIR=str(place), STATS="off", STATS_FILE="").expect(5, err=b"")
        (path,) = place.iterdir()
        assert library_reads(path)["ended"] == "exit"
        reader = subprocess.run(["cat", str(path)], capture_output=True, check=False, user=NOBODY, group=NOBODY, extra_groups=[])
        assert reader.returncode != 0 and b"Permission denied" in reader.stderr and not reader.stdout, reader
