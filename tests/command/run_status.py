"""autolock run: what it ends with, and what it says when there is nothing to run."""

import os
import signal
import subprocess

import harness
from command import autolock, own, path
from harness import directory

QUIET = ("run", "--stats", "off", "--on-failure", "ignore")


def _script(folder, name: str, text: bytes, mode: int = 0o755) -> str:
    file = folder / name
    file.write_bytes(text)
    file.chmod(mode)
    return str(file)


def test_the_programs_own() -> None:
    for status in 0, 1, 64, 77, 78, 125, 126, 127, 128, 137, 255:
        autolock(*QUIET, "--", "sh", "-c", f"exit {status}").expect(status, b"", b"")


def test_by_a_signal() -> None:
    for number in signal.SIGTERM, signal.SIGKILL, signal.SIGINT, signal.SIGSEGV, signal.SIGRTMAX:
        autolock(*QUIET, "--", "sh", "-c", f"kill -{int(number)} $$").expect(128 + number, b"", b"")


def test_with_and_without_dashes() -> None:
    autolock(*QUIET, "sh", "-c", "echo $0 $1 $2", "a", "--mode", "-x").expect(0, b"a --mode -x\n", b"")
    autolock(*QUIET, "--", "sh", "-c", "echo $0 $1", "--", "--help").expect(0, b"-- --help\n", b"")


def test_not_found() -> None:
    with directory() as folder:
        for name in ("no-such-program", str(folder / "none"), "", str(folder / "none" / "none")):
            done = autolock(*QUIET, "--", name).expect(127, b"")
            assert done.err.count(b"\n") == 1 and b"No such file" in done.err, done
        file = _script(folder, "file", b"")
        autolock(*QUIET, "--", file + "/below").expect(127, b"")


def test_cannot_run() -> None:
    with directory() as folder:
        interpreter = _script(folder, "interpreter", b"#!/no/such/interpreter\n")
        for name, what in ((str(folder), b"Is a directory"),
                           (_script(folder, "plain", b"true\n", 0o644), b"Permission denied"),
                           (_script(folder, "binary", b"\0\1\2\3 nothing\n"), b"Exec format error"),
                           (_script(folder, "elf", b"\x7fELF nothing\0"), b"Exec format error"),
                           (interpreter, b"interpreter /no/such/interpreter is not there")):
            done = autolock(*QUIET, "--", name).expect(126, b"")
            assert done.err.count(b"\n") == 1 and what in done.err, done


def test_found_as_shells_do() -> None:
    with directory() as folder:
        for part in "a", "b", "c":
            (folder / part).mkdir()
        _script(folder, "a/it", b"not to be run", 0o644)
        (folder / "b" / "it").mkdir()
        env = {**os.environ, "PATH": f"{folder}/a:{folder}/b:{folder}/c:/usr/bin:/bin"}
        done = autolock(*QUIET, "--", "it", env=env).expect(126, b"")
        assert b"Permission denied" in done.err, done
        _script(folder, "c/it", b"#!/bin/sh\necho found $0\n")
        autolock(*QUIET, "--", "it", env=env).expect(0, f"found {folder}/c/it\n".encode(), b"")
        # An empty part is the working directory.
        env["PATH"] = ":/usr/bin:/bin"
        autolock(*QUIET, "--", "it", env=env, cwd=str(folder / "c")).expect(0, b"found it\n", b"")
        del env["PATH"]
        autolock(*QUIET, "--", "sh", "-c", "exit 4", env=env).expect(4, b"", b"")


def test_a_text_is_for_the_shell() -> None:
    with directory() as folder:
        script = _script(folder, "script", b"echo \"$0\" \"$@\"\nexit 5\n")
        autolock(*QUIET, "--", script, "a b", "c").expect(5, f"{script} a b c\n".encode(), b"")
        autolock(*QUIET, "--", _script(folder, "empty", b"")).expect(0, b"", b"")


def test_a_core_is_the_programs() -> None:
    """WCOREDUMP of the program is its own; the command leaves none."""
    with directory() as folder:
        done = subprocess.run(["sh", "-c", 'ulimit -c unlimited 2>/dev/null; exec "$@"', "sh", path(), *QUIET, "--",
                               "sh", "-c", "kill -QUIT $$"], cwd=folder, capture_output=True, check=False,
                              timeout=harness.PATIENCE_S)
        assert done.returncode == 128 + signal.SIGQUIT, done
        assert len(os.listdir(folder)) <= 1, os.listdir(folder)


def test_nothing_is_run_when_it_is_called_wrongly() -> None:
    with directory() as folder:
        mark = folder / "mark"
        touch = ("--", "touch", str(mark))
        for wrong in (("--nothing",), ("--mod", "all", "--nothing"), ("--mode", "obsrve"), ("--mode",), ("-x",),
                      ("--flags", "onfault"), ("--min-size", "2M", "--max-size", "1M"), ("--memlock", "much"),
                      ("--pdeathsig", "NOTHING"), ("--pdeathsig", "0"), ("--require=yes",), ("--min-size=-1",),
                      ("--library", str(folder / "none")), ("--library", "/etc/passwd")):
            arguments = wrong if wrong == ("--mode",) else (*wrong, *touch)
            done = autolock("run", *arguments).expect(78, b"")
            assert done.err.startswith(b"autolock run: ") and done.err.count(b"\n") == 1, done
            assert b"using" not in done.err, done
            assert not mark.exists(), done
        autolock(*QUIET, *touch).expect(0, b"", b"")
        assert mark.exists()
        for nothing in (), ("--",), ("--mode", "all", "--"):
            assert b"no program" in autolock("run", *nothing).expect(78, b"").err


def test_what_was_meant_is_named() -> None:
    assert b"did you mean --stats-file?" in autolock("run", "--stats-fiel", "x", "true").expect(78).err
    assert b"did you mean observe?" in autolock("run", "--mode", "obsrve", "true").expect(78).err


def test_help_and_version() -> None:
    done = autolock("run", "--help").expect(0, err=b"")
    assert done.out.startswith(b"usage: autolock run ") and b"--min-size" in done.out, done
    assert all(len(line.decode()) <= 100 for line in done.out.splitlines()), done
    assert autolock("run", "--version").expect(0, err=b"").out.startswith(b"autolock ")
    with open("/dev/full", "wb") as full:
        done = subprocess.run([path(), "run", "--help"], stdout=full, check=False)
    assert done.returncode == 1


def test_ten_thousand_arguments() -> None:
    done = autolock(*QUIET, "--", own("state"), *(str(number) for number in range(10000))).expect(23, err=b"")
    assert b"arguments 10001\n" in done.out
