"""The live counters: what a reader made from docs/live.md alone finds is what the library's reader finds, what the
process says of itself, and what the kernel says; in files of processes that were killed as well."""

from __future__ import annotations

import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess

import harness
import live_reader
from budget import cgroup, enter
from ends import EXECS
from harness import MIB, Skip, environment, program, run, without
from live_reader import Area, File, Memory
from live_session import MODES, Session, differences, expect_counted, files, flat, library_reads, look, only

TIMES = 1234


# -- the document ---------------------------------------------------------------------------------


def test_buckets_are_as_the_document_shows() -> None:
    rows = [(int(bucket), start, end) for bucket, start, end in live_reader.TABLES["live_buckets"]]
    assert len(rows) > 10
    for bucket, start, end in rows[:-1]:
        assert live_reader.end_of(bucket) == int(end.split()[0]), bucket
        assert live_reader.end_of(bucket - 1) + 1 == int(start.split()[0]), bucket


def test_commands_of_the_document() -> None:
    """They tell files of processes that run from finished ones, and remove these."""
    if not shutil.which("flock"):
        raise Skip("flock is not there")
    tell, remove = (text for text in re.findall(r"```\n(.*?)```", live_reader.DOCUMENT.read_text(), re.DOTALL)
                    if "flock" in text)
    with harness.directory() as place, Session("live", "return", place=place) as session:
        running = only(place)
        run(program("live"), "return", LIVE_DIR=str(place)).expect()
        (finished,) = set(place.iterdir()) - {running}

        def shell(script: str) -> list:
            done = subprocess.run(["sh", "-c", script.replace("/run/autolock", str(place))], capture_output=True,
                                  check=True, text=True)
            assert not done.stderr, done
            return sorted(done.stdout.splitlines())

        assert shell(tell) == sorted([f"{running}: running", f"{finished}: finished"])
        shell(remove)
        assert list(place.iterdir()) == [running]
        session.kill()
        shell(remove)
        assert not list(place.iterdir())


# -- every key ------------------------------------------------------------------------------------


def kernel_says(pid: int) -> dict:
    status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    names = {"locked.kernel_bytes": "VmLck", "memory.locked_bytes": "VmLck", "memory.rss_bytes": "VmRSS",
             "memory.peak_rss_bytes": "VmHWM", "memory.swap_bytes": "VmSwap"}
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return {**{key: int(status[name].split()[0]) * 1024 for key, name in names.items()},
            "faults.minor": int(stat[7]), "faults.major": int(stat[9])}


def as_running(area: Area, pid: int) -> dict:
    """With the kernel's figures of now in place of those of the last look, as the document says."""
    numbers, kernel = area.numbers(), kernel_says(pid)
    for kind in "minor", "major":
        for since in "lock", "mark":
            numbers[f"faults.{kind}_after_{since}"] = kernel[f"faults.{kind}"] - area.head(f"{kind}_at_{since}")
    numbers["locked.peak_kernel_bytes"] = max(numbers["locked.peak_kernel_bytes"], kernel["locked.kernel_bytes"])
    return {**numbers, **kernel}


class Link(File):
    """Of /proc/PID/map_files, which are symbolic links."""

    def __init__(self, path: str):
        self.descriptor = os.open(path, os.O_RDONLY)



def every_key(place: pathlib.Path | None, **settings: str) -> None:
    with Session("live", "return", place=place, **settings) as session:
        sources = [Memory(session.pid)]
        if os.geteuid() == 0:
            sources.append(Link(live_reader.map_file(session.pid)))
        if place:
            sources.append(File(only(place)))
        report = library_reads(session.pid)
        for source in sources:
            area = Area(source)
            told = as_running(area, session.pid)
            wrong = differences(told, flat(report))
            if isinstance(source, Link) and not place:
                missing = set(wrong) - set(told)
                assert all(key.endswith("_ns") for key in missing), missing
                wrong = {key: values for key, values in wrong.items() if key not in missing}
            assert not wrong, (source, wrong)
            assert area.head("pid") == session.pid == report["pid"]
            assert area.head("program") == "live" == report["program"]
            assert area.head("command") == f"{program('live')} return" == report["command"]
            assert area.head("backend") == report["backend"] != "", report
            assert area.head("version") == report["version"] != ""
            assert area.downgrades() == report["downgrades"]
            assert area.head("state") == 1 and report["ended"] == "running"
            given = dict(option.split("=", 1) for option in area.head("options"))
            assert given["AUTOLOCK_STATS"] == "off" and given["AUTOLOCK_MODE"] == settings["MODE"], given
            assert report["config"]["mode"] == settings["MODE"] and report["config"]["stats"] == "off"
            expect_counted(area, TIMES)
        if place:
            assert not differences(flat(library_reads(only(place))), flat(report))
        assert report["ppid"] == os.getpid()
        assert session.end() == (0, b"", b"")


def test_every_key_from_a_memfd() -> None:
    for settings in MODES:
        every_key(None, **settings)


def test_every_key_from_a_file() -> None:
    for settings in MODES:
        with harness.directory() as place:
            every_key(place, **settings)


def test_a_finished_file_says_what_the_report_says() -> None:
    for settings in MODES:
        with harness.directory() as place:
            done = run(program("live"), "return", LIVE_DIR=str(place), **settings).expect()
            path = only(place)
            report = library_reads(path)
            assert not differences(look(path).numbers(), flat(report)), differences(look(path).numbers(), flat(report))
            assert not differences(flat(report), flat(done.report)), differences(flat(report), flat(done.report))
            assert report["ended"] == "exit" == live_reader.ended(path)
            for key in set(report) - {"ppid"}:
                assert report[key] == done.report[key], key
            assert list(report) == list(done.report)


# -- ends that say so -----------------------------------------------------------------------------


def expect_ends(*command: str, words: list, reports: bool = True) -> None:
    """The words in the files, in their order; output and status are as without the library."""
    with harness.directory() as place:
        wanted = without(*command)
        settings = {"LIVE_DIR": str(place), **({} if reports else {"STATS": "off", "STATS_FILE": ""})}
        done = run(*command, **settings).expect(wanted.status, out=wanted.out, err=wanted.err)
        paths = [path for several in files(place).values() for path in several]
        paths.sort(key=lambda path: path.name.rsplit(".", 2)[1])
        assert [live_reader.ended(path) for path in paths] == words, (paths, words, done)
        assert [library_reads(path)["ended"] for path in paths] == words, (paths, words)
        if reports:
            assert [report["ended"] for report in done.reports] == words, done


def test_every_end() -> None:
    for how, word in (("exit", "exit"), ("_exit", "_exit"), ("quick_exit", "quick_exit"), ("abort", "abort"),
                      ("thread", "exit"), ("handler", "exit"), ("exec_fails", "exit")):
        for reports in True, False:
            expect_ends(program("ends"), how, words=[word], reports=reports)
    for how, word in ("return", "exit"), ("_Exit", "_exit"):
        for settings in {}, {"STATS": "off", "STATS_FILE": ""}:
            with harness.directory() as place:
                run(program("live"), how, LIVE_DIR=str(place), **settings).expect(err=b"")
                assert live_reader.ended(only(place)) == word == library_reads(only(place))["ended"]
                expect_counted(look(only(place)), TIMES)


def test_every_abort() -> None:
    for how in "plain", "blocked", "ignored", "handled", "assertion":
        expect_ends(program("aborts"), how, words=["abort"])
    with harness.directory() as place:
        run(program("aborts"), "survives", LIVE_DIR=str(place)).expect(3)
        assert live_reader.ended(only(place)) == "exit"


def test_every_exec() -> None:
    for how in EXECS:
        for reports in True, False:
            expect_ends(program("execs"), how, program("execs"), words=["exec", "exit"], reports=reports)


def test_sandbox() -> None:
    for how in "prctl", "seccomp", "strict":
        expect_ends(program("sandbox"), how, words=["running"])
    with harness.directory() as place:
        run(program("sandbox"), "refused", LIVE_DIR=str(place)).expect()
        assert live_reader.ended(only(place)) == "exit"


def test_exec_that_fails_is_no_end() -> None:
    with harness.directory() as place, Session("live", "exec_fails", place=place) as session:
        area = look(only(place))
        assert area.head("state") == 1
        session.kill()
        assert live_reader.ended(only(place)) == "killed"
        expect_counted(area, TIMES)


# -- ends that say nothing ------------------------------------------------------------------------


def expect_killed(how: str, status: int, **settings) -> None:
    with harness.directory() as place:
        with Session("live", how, place=place, **settings) as session:
            path = only(place)
            assert live_reader.ended(path) == "running" == library_reads(path)["ended"]
            session.process.stdin.close()
            session.process.stdin = None
            ended, out, err = session.end()
            assert ended == status and not out, (how, ended, out, err)
        assert live_reader.ended(path) == "killed" == library_reads(path)["ended"]
        assert not differences(look(path).numbers(), flat(library_reads(path)))
        expect_counted(look(path), session.told[how][1])


def test_signals() -> None:
    for number in signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGXCPU:
        for settings in MODES:
            expect_killed(f"signal{int(number)}", -number, **settings)
    expect_killed("segv", -signal.SIGSEGV)
    expect_killed("signal9", -signal.SIGKILL, STATS="text")


def test_abort_inside_libc() -> None:
    expect_killed("double_free", -signal.SIGABRT)


def test_sandbox_that_is_refused_is_no_end() -> None:
    expect_killed("refused", -signal.SIGKILL)


def test_bare_system_call() -> None:
    expect_killed("bare", 0)


def test_out_of_memory() -> None:
    with cgroup(32 * MIB) as folder:
        expect_killed("memory", -signal.SIGKILL, prepare=enter(folder))


def raw_status(how: str, place: pathlib.Path, preload: str) -> int:
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    variables = environment({"STATS": "off", "LIVE_DIR": str(place)}, preload)
    process = subprocess.Popen([program("live"), how], cwd=place, env=variables, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (hard, hard)))
    return os.waitpid(process.pid, 0)[1]


def test_status_and_core_are_as_ever() -> None:
    """Whether there is a core dump stands in the status too."""
    for how in "segv", "double_free", "signal6", "signal15":
        with harness.directory() as place:
            assert raw_status(how, place, harness.library) == raw_status(how, place, ""), how
            for file in place.glob("core*"):
                file.unlink()
            assert live_reader.ended(only(place)) == "killed"


# -- threads --------------------------------------------------------------------------------------


def in_threads(how: str, times: int, more: int = 500) -> None:
    for threads in 1, 8, 64, 300:
        for settings in MODES:
            with harness.directory() as place:
                with Session("live", how, str(threads), str(more), place=place, **settings) as session:
                    assert session.told[how][1] == times * threads * more
                    expect_counted(look(only(place)), session.told[how][1])
                    expect_counted(Area(Memory(session.pid)), session.told[how][1])
                    assert library_reads(session.pid)["calls"]["memalign"] == session.told[how][1]
                    session.kill()
                expect_counted(look(only(place)), session.told[how][1])
                assert library_reads(only(place))["calls"]["memalign"] == session.told[how][1]
            with Session("live", how, str(threads), str(more), **settings) as session:
                expect_counted(Area(Memory(session.pid)), session.told[how][1])


def test_threads_that_wait() -> None:
    in_threads("threads", 1)


def test_threads_that_have_ended() -> None:
    in_threads("ended", 1)


def test_blocks_are_used_again() -> None:
    in_threads("waves", 3)


def test_main_thread_ends_first() -> None:
    """Counters and memory are those of the process all the same."""
    with harness.directory() as place:
        for where in None, place:
            with Session("live", "main_ends", place=where) as session:
                (other,) = set(map(int, os.listdir(f"/proc/{session.pid}/task"))) - {session.pid}
                report = library_reads(session.pid)
                assert report["pid"] == session.pid and report["ppid"] == os.getpid(), report
                assert not differences(as_running(Area(Memory(other)), other), flat(report))
                assert report["memory"]["rss_bytes"] > 0
                expect_counted(Area(Memory(other)), TIMES)
                if where:
                    assert not differences(flat(library_reads(only(place))), flat(report))
                assert session.end()[0] == 0
        assert live_reader.ended(only(place)) == "exit"
