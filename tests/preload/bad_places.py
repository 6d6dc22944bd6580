"""Places where neither a report nor live counters can be kept. Each gets one clear line on standard error; the
program's output and status are as ever, nothing waits, and nothing is left behind."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pathlib
import resource
import shutil
import signal
from typing import Iterator

import fuse
import harness
import live_reader
from harness import NOBODY, Run, Skip, behind, directory, limit, need_root, parse_reports, program, run
from live_session import library_reads

# What is kept there: a report in one of its formats, or the live counters.
REPORTS = "json", "text"
ALL = *REPORTS, "live"

# Of tests/preload/fixed_clock.c.
FIXED_NS = 1000000000 * 10**9 + 7

SMALL = 30000


def settings_for(what: str, place: object) -> dict:
    """`place`: a directory for the live counters, and for a file of this name there for reports."""
    if what == "live":
        return {"LIVE_DIR": str(place), "STATS": "off", "STATS_FILE": ""}
    return {"STATS": what, "STATS_FILE": str(place)}


def expect_line(done: Run, what: str, *reasons: str) -> None:
    """With one of the reasons, and behind it the report, which has nowhere else to go."""
    done.expect(5, out=b"main ran\n")
    first, rest = done.err.split(b"\n", 1)
    assert first.startswith(b"libautolock: "), done
    assert any(reason.encode() in first for reason in reasons), f"none of {reasons} is the reason: {first!r}\n{done}"
    if what == "live":
        assert b"AUTOLOCK_LIVE_DIR" in first and not rest, done
    elif what == "json":
        assert parse_reports(rest)[0]["ended"] == "exit", done
    else:
        assert rest.startswith(b"libautolock ") and b"exit_with[" in rest, done


def refused(what: str, place: object, *reasons: str, **arguments) -> None:
    expect_line(run(program("exit_with"), "5", **{**settings_for(what, place), **arguments}), what, *reasons)


def below(what: str, place: pathlib.Path) -> pathlib.Path:
    """Where something is to be made in this directory."""
    return place if what == "live" else place / "file"


def left(place: pathlib.Path) -> list:
    return sorted(path.name for path in place.iterdir())


def size_of_first_counters() -> int:
    """Those of a program without many threads."""
    with directory() as place:
        run(program("exit_with"), "5", **settings_for("live", place)).expect(5)
        (path,) = place.iterdir()
        return path.stat().st_size


@contextlib.contextmanager
def filesystem(options: str) -> Iterator[pathlib.Path]:
    """A tmpfs of its own."""
    need_root()
    libc = ctypes.CDLL(None, use_errno=True)
    with directory() as place:
        if libc.mount(b"autolock-test", bytes(place), b"tmpfs", 0, options.encode()):
            raise Skip(f"nothing can be mounted: {os.strerror(ctypes.get_errno())}")
        try:
            yield place
        finally:
            assert libc.umount2(bytes(place), 2) == 0


# -- directories ----------------------------------------------------------------------------------


def test_directory_of_another_user() -> None:
    need_root()
    for what in ALL:
        with directory() as place:
            refused(what, below(what, place), "permission denied", user=NOBODY)
            assert not left(place)


def test_missing_directory() -> None:
    for what in ALL:
        with directory() as place:
            refused(what, below(what, place / "missing"), "no such directory")
            assert not left(place)


def test_what_is_no_directory() -> None:
    for what in ALL:
        with directory() as place:
            (place / "file").write_bytes(b"precious")
            os.mkfifo(place / "fifo")
            for name in "file", "fifo":
                refused(what, below(what, place / name), "a part of the path is no directory")
            refused(what, below(what, pathlib.Path("/dev/full")), "a part of the path is no directory")
            assert left(place) == ["fifo", "file"] and (place / "file").read_bytes() == b"precious"


def test_directory_that_is_no_place_for_files() -> None:
    """/proc is everybody's, and nobody's."""
    for what in ALL:
        refused(what, below(what, pathlib.Path("/proc")), "no such directory", "permission denied")


def test_long_names() -> None:
    for what in ALL:
        refused(what, "/" + "x" * 5000, "shorter than 4096")
        refused(what, below(what, pathlib.Path("/tmp/" + "x" * 300)), "the name is too long")
    # Short enough to be set, but not for the name of a file in it.
    refused("live", "/." * 2040, "the name is too long")


def test_removed_working_directory() -> None:
    """A relative place has to be found from the root."""
    with directory() as place:
        def prepare() -> None:
            os.chdir(place / "gone")
            (place / "gone").rmdir()

        for what in ALL:
            (place / "gone").mkdir()
            refused(what, "here" if what == "live" else "here/file", "no such directory", prepare=prepare)
        assert not left(place)


# -- file systems ---------------------------------------------------------------------------------


def test_read_only_file_system() -> None:
    for what in ALL:
        with filesystem("ro") as place:
            refused(what, below(what, place), "the file system is read-only")


def test_full_disk() -> None:
    for what in ALL:
        with filesystem("size=64k") as place:
            (place / "other").write_bytes(b"x" * 65536)
            refused(what, below(what, place), "no space left")
            assert left(place) == ["other"] or (left(place) == ["file", "other"]
                                                and not (place / "file").stat().st_size), left(place)


def test_disk_without_a_free_inode() -> None:
    for what in ALL:
        with filesystem("nr_inodes=1") as place:
            refused(what, below(what, place), "no space left")
            assert not left(place)


def test_disk_that_is_full_in_the_middle() -> None:
    """Half of the counters fit. Of the report a part, behind what is there already."""
    with filesystem("size=32k") as place:
        refused("live", place, "no space left")
        assert not left(place)
    for what in REPORTS:
        with filesystem("size=4k") as place:
            before = b"x" * 4000 + b"\n"
            (place / "file").write_bytes(before)
            refused(what, place / "file", "no space left")
            assert (place / "file").read_bytes() == before


def test_disk_that_is_full_when_threads_come() -> None:
    """What they count has no room in the file: it says so, and the program goes on."""
    with filesystem("size=96k") as place:
        done = run(program("live"), "threads", "64", "10", LIVE_DIR=str(place), MODE="observe").expect(err=b"")
        assert done.report["calls"]["memalign"] == 640
        (path,) = place.iterdir()
        area = live_reader.Area(live_reader.File(path))
        assert 0 < area.counters()["calls.memalign"] < 640 and not area.complete
        # The disk has the room again that was of no use.
        assert os.statvfs(place).f_bfree * os.statvfs(place).f_frsize >= 96 * 1024 - size_of_first_counters()
        area.close()
        assert live_reader.ended(path) == "exit"


def test_files_that_cannot_be_mapped() -> None:
    """The file system says so when the kernel asks it last, where memory in the way would be gone already."""
    with fuse.without_mmap() as (place, files):
        refused("live", place, "files there cannot be mapped")
        assert not files


def test_neither_name_nor_memfd() -> None:
    """The pages are a file's that has no name: a child of fork has its own all the same."""
    with directory() as place:
        done = run(program("deny"), "memfd_create", "38", "0", program("deny"), "rename", "1", "0", "/bin/sh", "-c",
                   "(exit 0); (exit 0); exit 0", LIVE_DIR=str(place), MODE="observe").expect(0)
        # What made the calls fail could keep its own.
        assert b"permission denied" in done.err and all(name.startswith("deny.") for name in left(place)), done
        report = done.reports[-1]
        assert report["pid"] == done.pid and report["calls"]["fork"] == 2, done


# -- limits ---------------------------------------------------------------------------------------


def file_size(most: int):
    def prepare() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        # Python ignores it, programs are killed by it.
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)

    return prepare


def test_file_size_limit() -> None:
    for what in ALL:
        for most in 0, 100, SMALL if what == "live" else 200:
            with directory() as place:
                refused(what, below(what, place), "the file size limit is reached", prepare=file_size(most))
                assert left(place) in ([], ["file"]), left(place)
                assert not sum(path.stat().st_size for path in place.iterdir())


def test_file_size_limit_when_threads_come() -> None:
    """Room for the first counters, none for more: no signal reaches the program."""
    with directory() as place:
        size = size_of_first_counters()
        run(program("live"), "threads", "64", "10", prepare=file_size(size), MODE="observe",
            **settings_for("live", place)).expect(err=b"")
        (path,) = place.iterdir()
        assert path.stat().st_size == size and live_reader.ended(path) == "exit"


def test_no_descriptor_left_at_start() -> None:
    """The loader itself needs one: 0 is free for it, and for us."""
    def prepare() -> None:
        os.close(0)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))

    with directory() as place:
        for what in ALL:
            done = run(program("exit_with"), "5", prepare=prepare, **settings_for(what, below(what, place)))
            done.expect(5, out=b"main ran\n", err=b"")
        assert len(left(place)) == 2 and "file" in left(place), left(place)


def test_no_descriptor_left_at_the_end() -> None:
    """The table is full and there is no duplicate to give up: the report needs no new one where standard error is."""
    for what in REPORTS:
        with directory() as place:
            done = run(program("descriptors"), "exhaust", prepare=limit(resource.RLIMIT_NOFILE, 20),
                       **settings_for(what, place / "file")).expect()
            assert done.err.startswith(b"libautolock: ") and b"no descriptor left" in done.err.splitlines()[0], done
            assert not left(place)
    with directory() as place:
        run(program("descriptors"), "exhaust", prepare=limit(resource.RLIMIT_NOFILE, 20),
            **settings_for("live", place)).expect(err=b"")
        assert live_reader.ended(next(place.iterdir())) == "exit"


# -- what others have put there -------------------------------------------------------------------


def test_file_of_another_user() -> None:
    need_root()
    for what in REPORTS:
        with directory() as place:
            (place / "file").write_bytes(b"precious")
            (place / "file").chmod(0o600)
            refused(what, place / "file", "permission denied", user=NOBODY)
            assert (place / "file").read_bytes() == b"precious"


def test_full_device() -> None:
    for what in REPORTS:
        refused(what, "/dev/full", "no space left")


def test_fifo_that_nobody_reads() -> None:
    for what in REPORTS:
        with directory() as place:
            os.mkfifo(place / "fifo")
            refused(what, place / "fifo", "nobody reads it")
            assert left(place) == ["fifo"]


def test_link_in_a_shared_directory() -> None:
    need_root()
    for what in REPORTS:
        with directory() as place:
            place.chmod(0o1777)
            (place / "target").write_bytes(b"precious")
            (place / "target").chmod(0o666)
            (place / "file").symlink_to("target")
            os.chown(place / "file", NOBODY, NOBODY, follow_symlinks=False)
            # Some kernels say the one, some the other (fs.protected_symlinks, fs.protected_regular).
            refused(what, place / "file", "symbolic link", "permission denied")
            assert (place / "target").read_bytes() == b"precious"


def planted(place: pathlib.Path, name: str, plant, user: int | None) -> Run:
    """Somebody knows the name of the file before the program does."""
    place.chmod(0o1777)
    with directory() as copies:
        clock = shutil.copy2(behind("fixed_clock"), copies)
        library = shutil.copy2(harness.library, copies)
        command = shutil.copy2(program("exit_with"), copies)

        def prepare() -> None:
            plant(place / name.format(f"exit_with.{os.getpid()}.{FIXED_NS}"))
            if user is not None:
                os.setgroups([])
                os.setgid(user)
                os.setuid(user)

        return run(command, "5", preload=f"{clock}:{library}", prepare=prepare, **settings_for("live", place))


def test_planted_hidden_name() -> None:
    """Whatever has that name: it is neither written to nor removed."""
    need_root()
    for user in None, NOBODY:
        for plant in (lambda path: path.symlink_to("target"), lambda path: path.symlink_to("nowhere"),
                      lambda path: path.write_bytes(b"other"), lambda path: path.mkdir(), os.mkfifo):
            with directory() as place:
                (place / "target").write_bytes(b"precious")
                (place / "target").chmod(0o666)
                expect_line(planted(place, ".{}.new", plant, user), "live", "there is a file of that name already")
                assert len(left(place)) == 2 and not (place / "nowhere").exists(), left(place)
                assert (place / "target").read_bytes() == b"precious"


def test_planted_name() -> None:
    """root may replace it, others in a sticky directory may not; what it points to is not touched."""
    need_root()
    for plant in lambda path: path.symlink_to("target"), lambda path: path.write_bytes(b"other"), os.mkfifo:
        for user in None, NOBODY:
            with directory() as place:
                (place / "target").write_bytes(b"precious")
                (place / "target").chmod(0o666)
                done = planted(place, "{}.live", plant, user)
                (path,) = [path for path in place.iterdir() if path.name != "target"]
                if user is None:
                    done.expect(5, out=b"main ran\n", err=b"")
                    assert path.is_file() and not path.is_symlink()
                    assert library_reads(path)["ended"] == "exit"
                else:
                    expect_line(done, "live", "permission denied")
                assert (place / "target").read_bytes() == b"precious"


def test_planted_directory() -> None:
    need_root()
    with directory() as place:
        expect_line(planted(place, "{}.live", lambda path: path.mkdir(), None), "live", "it is a directory")
        assert len(left(place)) == 1, left(place)
