"""autolock export: files of metrics of processes that run, which are gone when these are."""

import os
import pathlib
import signal
import subprocess

from command import autolock, held, path, wait_for
from harness import directory


def _files(folder: pathlib.Path) -> set:
    return {name for name in os.listdir(folder) if not name.startswith("other")}


def _text(folder: pathlib.Path, pid: int) -> str:
    return (folder / f"autolock.hold_on.{pid}.prom").read_text()


def test_once() -> None:
    with directory() as folder, held(MODE="alloc") as one, held(MODE="observe") as another:
        (folder / "other.prom").write_text("autolock is not in it\n")
        (folder / "autolock.gone.1.prom").write_text("of a process that is no more\n")
        autolock("export", "--textfile", str(folder), "--once", str(one.pid), str(another.pid)).expect(0, b"", b"")
        assert _files(folder) == {f"autolock.hold_on.{process.pid}.prom" for process in (one, another)}
        assert 'mode="alloc"' in _text(folder, one.pid) and 'ended="running"' in _text(folder, one.pid)
        assert (folder / "other.prom").exists()


def test_every_process() -> None:
    with directory() as folder, held() as one:
        autolock("export", "--textfile", str(folder), "--once").expect(0, b"", b"")
        assert f"autolock.hold_on.{one.pid}.prom" in _files(folder)


def test_files_are_renewed_and_dropped() -> None:
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        with directory() as folder, held() as one, held() as another:
            command = [path(), "export", "--textfile", str(folder), "--interval", "0.05"]
            with subprocess.Popen(command, stderr=subprocess.PIPE) as exporting:
                def both() -> bool:
                    return all(f"autolock.hold_on.{process.pid}.prom" in _files(folder) for process in (one, another))

                wait_for("both files", both)
                another.kill()
                another.wait()
                wait_for("the end of a file", lambda: f"autolock.hold_on.{another.pid}.prom" not in _files(folder))
                before = _text(folder, one.pid)
                assert one.stdin is not None and one.stdout is not None
                one.stdin.write(b"x")
                one.stdin.flush()
                assert one.stdout.readline() == b"allocated\n"
                wait_for("other figures", lambda: _text(folder, one.pid) != before)
                exporting.send_signal(number)
                assert exporting.wait() == 0, number
                assert exporting.stderr is not None and exporting.stderr.read() == b""


def test_what_cannot_be() -> None:
    with directory() as folder:
        gone = subprocess.Popen(["true"])
        gone.wait()
        done = autolock("export", "--textfile", str(folder), "--once", str(gone.pid)).expect(1, b"")
        assert done.err == b"autolock export: process %d cannot be read: No such process\n" % gone.pid
        done = autolock("export", "--textfile", str(folder), "--once", str(os.getpid())).expect(1, b"")
        assert b"does not have the library" in done.err, done
        assert not _files(folder)
        file = folder / "file"
        file.write_text("")
        for arguments, status in (((), 64), (("--textfile",), 64), (("--textfile", str(file)), 1),
                                  (("--textfile", str(folder / "none")), 1), (("--nothing",), 64),
                                  (("--textfile", str(folder), "--interval", "0"), 64),
                                  (("--textfile", str(folder), "--interval", "soon"), 64),
                                  (("--textfile", str(folder), "x"), 64), (("--textfile", str(folder), "-1"), 64)):
            done = autolock("export", *arguments).expect(status, b"")
            assert done.err.count(b"\n") >= 1, done


def test_help() -> None:
    for arguments in (("--help",), ("export", "--help")):
        done = autolock(*arguments).expect(0, err=b"")
        assert done.out.startswith(b"usage: autolock "), done
    assert autolock("--version").expect(0, err=b"").out.startswith(b"autolock ")
    autolock().expect(64, b"")
    assert b'no call "nothing"' in autolock("nothing").expect(64, b"").err
