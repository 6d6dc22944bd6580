"""AUTOLOCK_STATS_FILE with metrics: a whole file in the place of another, or the old one as it was."""

from __future__ import annotations

import concurrent.futures
import os
import pathlib
import resource
import signal
import subprocess
import threading

import exposition
import harness
from harness import NOBODY, Run, directory, environment, program, run


def to(file: object, **arguments) -> Run:
    return run(program("exit_with"), "5", STATS="prometheus", STATS_FILE=str(file),
               **arguments).expect(5, out=b"main ran\n")


def is_report(text: bytes, pid: int | None = None) -> None:
    samples = exposition.parse(text)
    assert exposition.value(samples, "autolock_info", program="exit_with") == 1
    # The first metric and the last.
    assert text.startswith(b"# HELP autolock_info ") and b"\nautolock_execs_total{" in text
    assert pid is None or exposition.label(samples, "pid") == str(pid)


def goes_to_stderr(done: Run, reason: str) -> None:
    """One line with the reason, then the report."""
    line, rest = done.err.split(b"\n", 1)
    assert line.startswith(b"libautolock: ") and reason.encode() in line, f"{reason!r} is not the reason given\n{done}"
    is_report(rest)


def names(path: pathlib.Path) -> list:
    return sorted(os.listdir(path))


# -- where it goes --------------------------------------------------------------------------------


def test_standard_error() -> None:
    is_report(to("").err)


def test_replaced() -> None:
    with directory() as temporary:
        for _ in range(3):
            done = to(temporary / "file.prom")
            assert done.err == b""
            is_report((temporary / "file.prom").read_bytes(), done.pid)
            assert names(temporary) == ["file.prom"]


def test_one_a_process() -> None:
    with directory() as temporary:
        pids = [to(temporary / "%n.%p.prom").pid for _ in range(3)]
        assert names(temporary) == sorted(f"exit_with.{pid}.prom" for pid in pids)


def test_relative() -> None:
    with directory() as temporary:
        assert to("file.prom", cwd=temporary).err == b""
        assert names(temporary) == ["file.prom"]


def test_mode() -> None:
    with directory() as temporary:
        to(temporary / "file", prepare=lambda: os.umask(0))
        assert (temporary / "file").stat().st_mode & 0o7777 == 0o644
        to(temporary / "file", prepare=lambda: os.umask(0o027))
        assert (temporary / "file").stat().st_mode & 0o7777 == 0o640


def test_many_at_once() -> None:
    """Whenever it is read there is one whole report."""
    with directory() as temporary:
        file = temporary / "file.prom"
        variables = environment({"STATS": "prometheus", "STATS_FILE": str(file), "ON_FAILURE": "ignore"},
                                harness.library)
        command = [program("exit_with"), "0"]
        pids = set()
        seen = set()
        done = threading.Event()

        def start(_: int) -> None:
            process = subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL)
            assert process.wait(harness.PATIENCE_S) == 0
            pids.add(str(process.pid))

        def watch() -> None:
            while not done.is_set():
                seen.add(file.read_bytes())

        start(0)
        with concurrent.futures.ThreadPoolExecutor(9) as pool:
            watching = pool.submit(watch)
            try:
                list(pool.map(start, range(80)))
            finally:
                done.set()
            watching.result()
        seen.add(file.read_bytes())
        for text in seen:
            is_report(text)
            assert exposition.label(exposition.parse(text), "pid") in pids
        assert names(temporary) == ["file.prom"]


def test_fifo() -> None:
    with directory() as temporary:
        os.mkfifo(temporary / "fifo")
        goes_to_stderr(to(temporary / "fifo"), "nobody reads")
        reader = os.open(temporary / "fifo", os.O_RDONLY | os.O_NONBLOCK)
        assert to(temporary / "fifo").err == b""
        is_report(os.read(reader, 1 << 20))
        os.close(reader)
        assert (temporary / "fifo").is_fifo() and names(temporary) == ["fifo"]


def test_device() -> None:
    assert to("/dev/null").err == b""
    assert pathlib.Path("/dev/null").is_char_device()
    goes_to_stderr(to("/dev/full"), "no space left")


# -- where it cannot go ---------------------------------------------------------------------------


def test_symbolic_link() -> None:
    with directory() as temporary:
        (temporary / "target").write_bytes(b"precious")
        (temporary / "link").symlink_to("target")
        (temporary / "dangling").symlink_to("nothing")
        goes_to_stderr(to(temporary / "link"), "symbolic link")
        goes_to_stderr(to(temporary / "dangling"), "symbolic link")
        goes_to_stderr(to("/proc/self/fd/2"), "symbolic link")
        assert (temporary / "target").read_bytes() == b"precious"
        assert (temporary / "link").is_symlink() and names(temporary) == ["dangling", "link", "target"]


def test_directory() -> None:
    with directory() as temporary:
        goes_to_stderr(to(temporary), "is a directory")
        goes_to_stderr(to(f"{temporary}/"), "is a directory")
        goes_to_stderr(to(temporary / "missing" / "file"), "no such directory")
        assert names(temporary) == []


def test_permission_denied() -> None:
    """To change the directory, or in one like /tmp, to take the place of another user's file."""
    harness.need_root()
    with directory() as temporary:
        (temporary / "file").write_bytes(b"precious")
        (temporary / "file").chmod(0o666)
        goes_to_stderr(to(temporary / "file", user=NOBODY), "permission denied")
        goes_to_stderr(to(temporary / "new", user=NOBODY), "permission denied")
        temporary.chmod(0o1777)
        goes_to_stderr(to(temporary / "file", user=NOBODY), "permission denied")
        assert to(temporary / "new", user=NOBODY).err == b""
        assert (temporary / "file").read_bytes() == b"precious" and names(temporary) == ["file", "new"]


def test_too_long() -> None:
    goes_to_stderr(to("/" + "x" * 5000), "shorter than 4096")
    with directory() as temporary:
        goes_to_stderr(to(temporary / ("x" * 256)), "too long")
        assert names(temporary) == []


def test_as_long_as_can_be() -> None:
    """The name that it has at first is short, and looked up in its directory, whose own name may be long."""
    with directory() as temporary:
        assert to(temporary / ("x" * 255)).err == b""
        assert names(temporary) == ["x" * 255]
        prefix = f"{temporary}/"
        path = prefix + "./" * ((4094 - len(prefix)) // 2)
        path += "y" * (4095 - len(path))
        assert len(path) == 4095
        assert to(path).err == b""
        assert len(names(temporary)) == 2


def test_file_size_limit() -> None:
    def prepare() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        # Python ignores it, programs are killed by it.
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)

    with directory() as temporary:
        to(temporary / "file")
        whole = (temporary / "file").read_bytes()
        goes_to_stderr(to(temporary / "file", prepare=prepare), "file size limit")
        assert (temporary / "file").read_bytes() == whole and names(temporary) == ["file"]


def mounted(temporary: pathlib.Path, script: str) -> tuple:
    """
    Runs the program in a mount namespace of its own that the script has made; returns the run, and what it leaves of
    the directory `$0/mount`: names, and what is in its "file".
    """
    harness.need_root()
    (temporary / "mount").mkdir()
    show = '"$@"; status=$?; ls -A "$0/mount" >"$0/names"; cat "$0/mount/file" >"$0/contents"; exit $status'
    done = run("unshare", "-m", "sh", "-c", f"set -e; {script}; set +e; {show}", str(temporary), "env",
               f"LD_PRELOAD={harness.library}", "AUTOLOCK_STATS=prometheus",
               f"AUTOLOCK_STATS_FILE={temporary}/mount/file", program("exit_with"), "5", preload="")
    if b"mount:" in done.err or b"unshare" in done.err:
        raise harness.Skip(done.err.decode().strip())
    done.expect(5, out=b"main ran\n")
    return done, (temporary / "names").read_text().split(), (temporary / "contents").read_bytes()


def test_full_disk() -> None:
    with directory() as temporary:
        done, left, contents = mounted(temporary, 'mount -t tmpfs -o size=16k none "$0/mount"; '
                                       'printf precious >"$0/mount/file"; head -c 8192 /dev/zero >"$0/mount/other"')
        goes_to_stderr(done, "no space left")
        assert contents == b"precious" and left == ["file", "other"], (contents, left)


def test_read_only() -> None:
    with directory() as temporary:
        done, left, contents = mounted(temporary, 'mount -t tmpfs none "$0/mount"; printf precious >"$0/mount/file"; '
                                       'mount -o remount,ro "$0/mount"')
        goes_to_stderr(done, "read-only")
        assert contents == b"precious" and left == ["file"], (contents, left)


def test_mount_point() -> None:
    """A single file that a container has been given."""
    with directory() as temporary:
        done, left, contents = mounted(temporary, 'printf precious >"$0/given"; : >"$0/mount/file"; '
                                       'mount --bind "$0/given" "$0/mount/file"')
        goes_to_stderr(done, "mount point")
        assert contents == b"precious" and left == ["file"], (contents, left)


def test_gone_together_with_stderr() -> None:
    assert to("/dev/full", err=subprocess.DEVNULL).err == b""
