"""AUTOLOCK_STATS_FILE: where the report goes, and what becomes of it when it cannot go there."""

import concurrent.futures
import os
import pathlib
import resource
import shutil
import signal
import subprocess

import harness
from harness import NOBODY, Run, directory, environment, limit, parse_reports, program, run


def to(file: object, *, command: tuple = (), **arguments) -> Run:
    command = command or (program("exit_with"), "5")
    return run(*command, STATS_FILE=str(file), **arguments).expect(5, out=b"main ran\n")


def goes_to_stderr(done: Run, reason: str) -> dict:
    """One line with the reason, then the report."""
    lines = done.err.splitlines(keepends=True)
    assert len(lines) == 2 and lines[0].startswith(b"libautolock: "), done
    assert reason.encode() in lines[0], f"{reason!r} is not the reason given\n{done}"
    return parse_reports(lines[1])[0]


def read(file: pathlib.Path) -> list:
    return parse_reports(file.read_bytes())


# -- names ----------------------------------------------------------------------------------------


def test_is_appended() -> None:
    with directory() as temporary:
        for count in 1, 2, 3:
            assert to(temporary / "file").err == b""
            assert len(read(temporary / "file")) == count


def test_pid_program_and_percent() -> None:
    with directory() as temporary:
        assert to(temporary / "%n-%p-%%-%x-100%").err == b""
        (file,) = temporary.iterdir()
        (report,) = read(file)
        assert file.name == f"exit_with-{report['pid']}-%-%x-100%", file.name
        assert report["config"]["stats_file"].endswith("%n-%p-%%-%x-100%")


def test_odd_program_names_make_sane_files() -> None:
    for name in 'a "b"', "new\nline", "../up", "%p%n", "esc\x1b[31m":
        with directory() as temporary:
            (temporary / "bin").mkdir()
            (temporary / "out").mkdir()
            binary = temporary / "bin" / name.replace("/", "_")
            shutil.copy2(program("exit_with"), binary)
            assert to(temporary / "out" / "%n.json", command=(str(binary), "5")).err == b""
            (file,) = (temporary / "out").iterdir()
            assert file.name.isprintable(), file.name
            assert len(read(file)) == 1


def test_script_name() -> None:
    with directory() as temporary:
        script = temporary / "backup.sh"
        script.write_text(f"#!{program('exit_with')} 5\n")
        script.chmod(0o755)
        to(temporary / "%n.json", command=(str(script), ))
        assert read(temporary / "backup.sh.json")[0]["program"] == "backup.sh"


def test_mode_is_not_open_to_others() -> None:
    with directory() as temporary:
        to(temporary / "file", prepare=lambda: os.umask(0))
        assert (temporary / "file").stat().st_mode & 0o133 == 0


def test_no_file_when_off() -> None:
    with directory() as temporary:
        assert to(temporary / "file", MODE="off").err == b""
        assert to(temporary / "file", STATS="off", LOG="quiet").err == b""
        assert not list(temporary.iterdir())


def test_many_programs_share_a_file() -> None:
    with directory() as temporary:
        settings = {"STATS": "json", "STATS_FILE": str(temporary / "file"), "ON_FAILURE": "ignore"}
        variables = environment(settings, harness.library)
        command = [program("exit_with"), "0"] + ["an argument"] * 150
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            assert not any(pool.map(lambda _: subprocess.call(command, env=variables, stdout=subprocess.DEVNULL),
                                    range(80)))
        assert len(read(temporary / "file")) == 80


# -- when it cannot be written --------------------------------------------------------------------


def test_directory() -> None:
    with directory() as temporary:
        goes_to_stderr(to(temporary), "is a directory")
        goes_to_stderr(to(f"{temporary}/"), "is a directory")


def test_missing_directory() -> None:
    with directory() as temporary:
        goes_to_stderr(to(temporary / "missing" / "file"), "no such directory")
        assert not list(temporary.iterdir())


def test_part_is_no_directory() -> None:
    with directory() as temporary:
        (temporary / "file").touch()
        goes_to_stderr(to(temporary / "file" / "file"), "no directory")


def test_permission_denied() -> None:
    harness.need_root()
    with directory() as temporary:
        done = run(program("exit_with"), "5", user=NOBODY, STATS_FILE=str(temporary / "file"))
        goes_to_stderr(done.expect(5, out=b"main ran\n"), "permission denied")


def test_symbolic_link() -> None:
    with directory() as temporary:
        (temporary / "target").write_bytes(b"precious")
        (temporary / "link").symlink_to("target")
        (temporary / "dangling").symlink_to("nothing")
        goes_to_stderr(to(temporary / "link"), "symbolic link")
        goes_to_stderr(to(temporary / "dangling"), "symbolic link")
        assert (temporary / "target").read_bytes() == b"precious"
        assert not (temporary / "nothing").exists()


def test_fifo_without_reader() -> None:
    with directory() as temporary:
        os.mkfifo(temporary / "fifo")
        goes_to_stderr(to(temporary / "fifo"), "nobody reads")


def test_fifo_with_reader() -> None:
    with directory() as temporary:
        os.mkfifo(temporary / "fifo")
        reader = os.open(temporary / "fifo", os.O_RDONLY | os.O_NONBLOCK)
        assert to(temporary / "fifo").err == b""
        assert parse_reports(os.read(reader, 65536))[0]["program"] == "exit_with"
        os.close(reader)


def test_fifo_that_is_full() -> None:
    with directory() as temporary:
        os.mkfifo(temporary / "fifo")
        reader = os.open(temporary / "fifo", os.O_RDONLY | os.O_NONBLOCK)
        writer = os.open(temporary / "fifo", os.O_WRONLY | os.O_NONBLOCK)
        try:
            while os.write(writer, b"x" * 4096):
                pass
        except BlockingIOError:
            pass
        goes_to_stderr(to(temporary / "fifo"), "nobody reads")
        os.close(reader)
        os.close(writer)


def test_too_long() -> None:
    goes_to_stderr(to("/" + "x" * 5000), "shorter than 4096")


def test_too_long_component() -> None:
    with directory() as temporary:
        goes_to_stderr(to(temporary / ("x" * 300)), "too long")


def test_too_long_once_expanded() -> None:
    with directory() as temporary:
        binary = temporary / ("x" * 200)
        shutil.copy2(program("exit_with"), binary)
        goes_to_stderr(to("/%n" * 50, command=(str(binary), "5")), "too long")


def test_full_device() -> None:
    if not os.path.exists("/dev/full"):
        raise harness.Skip("no /dev/full here")
    goes_to_stderr(to("/dev/full"), "no space left")


def test_full_disk() -> None:
    harness.need_root()
    with directory() as temporary:
        script = 'mount -t tmpfs -o size=8k none "$0" && head -c 9000 /dev/zero >"$0/other" 2>/dev/null; "$@"'
        done = run("unshare", "-m", "sh", "-c", script, str(temporary), "env", f"LD_PRELOAD={harness.library}",
                   "AUTOLOCK_STATS=json", f"AUTOLOCK_STATS_FILE={temporary}/file", program("exit_with"), "5",
                   preload="")
        if b"mount" in done.err or b"unshare" in done.err:
            raise harness.Skip(done.err.decode().strip())
        goes_to_stderr(done.expect(5, out=b"main ran\n"), "no space left")


def test_file_size_limit() -> None:
    def prepare() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        # Python ignores it, programs are killed by it.
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)

    with directory() as temporary:
        goes_to_stderr(to(temporary / "file", prepare=prepare), "file size limit")


def test_no_half_line_is_left() -> None:
    """Where only a part fits, the file stays as it was: the next report would be lost with it."""
    with directory() as temporary:
        to(temporary / "file")
        whole = (temporary / "file").read_bytes()
        done = to(temporary / "file", prepare=limit(resource.RLIMIT_FSIZE, len(whole) + 500))
        goes_to_stderr(done, "file size limit")
        assert (temporary / "file").read_bytes() == whole


def test_gone_together_with_stderr() -> None:
    done = to("/dev/full", err=subprocess.DEVNULL)
    assert done.err == b""
