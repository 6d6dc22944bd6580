"""The live counters: what a reader made from docs/live.md alone finds is what the library's reader finds, what the
process says of itself, and what the kernel says; in files of processes that were killed as well."""

import collections
import fcntl
import json
import os
import pathlib
import resource
import signal
import subprocess

import harness
import live_reader
from budget import cgroup, enter
from ends import EXECS
from harness import MIB, environment, need_root, program, run, without
from live_reader import Area, File, Memory

TIMES = 1234


def library_reads(what: object) -> dict:
    """By the library's own reader."""
    reader = harness.programs.parent / "support" / "read_live"
    done = subprocess.run([reader, "json", str(what)], capture_output=True, check=False)
    assert done.returncode == 0 and not done.stderr, (what, done)
    return json.loads(done.stdout)


def flat(report: dict, prefix: str = "") -> dict:
    """The numbers of a report by their full names."""
    found = {}
    for key, value in report.items():
        if isinstance(value, dict):
            found.update(flat(value, f"{prefix}{key}."))
        else:
            found[prefix + key] = value
    return {key: value for key, value in found.items() if key in dict(live_reader.FIELDS)}


def differences(one: dict, other: dict) -> dict:
    return {key: (one.get(key), other.get(key)) for key in {**one, **other} if one.get(key) != other.get(key)}


def look(path: object) -> Area:
    return Area(File(path))


def files(place: pathlib.Path) -> dict:
    """Of each process its files, in the order in which they were made. Only such files are there."""
    found = collections.defaultdict(list)
    for path in sorted(place.iterdir(), key=lambda path: path.name.rsplit(".", 2)[1]):
        name, pid, _, end = path.name.rsplit(".", 3)
        assert end == "live" and name, path
        assert path.stat().st_mode & 0o7777 == 0o600, oct(path.stat().st_mode)
        found[int(pid)].append(path)
    return found


def only(place: pathlib.Path, pid: int | None = None) -> pathlib.Path:
    found = files(place)
    paths = found[pid] if pid else [path for several in found.values() for path in several]
    assert len(paths) == 1, found
    return paths[0]


class Session:
    """A program that tells what it has counted, and waits."""

    def __init__(self, *command: str, lines: int = 1, place: pathlib.Path | None = None, prepare=None,
                 preload: str | None = None, **settings: str):
        self.place = place
        variables = {"STATS": "off", "MODE": "observe", **settings}
        if place:
            variables["LIVE_DIR"] = str(place)
        self.process = subprocess.Popen([program(command[0]), *command[1:]], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=prepare,
                                        env=environment(variables, harness.library if preload is None else preload))
        self.pid = self.process.pid
        self.told = {}
        for _ in range(lines):
            line = self.process.stdout.readline().split()
            assert len(line) == 3, (command, line, self.process.stderr.read())
            self.told[line[0].decode()] = int(line[1]), int(line[2])

    def end(self) -> tuple:
        out, err = self.process.communicate(timeout=harness.PATIENCE_S)
        return self.process.returncode, out, err

    def kill(self) -> None:
        self.process.kill()
        assert self.end()[0] == -signal.SIGKILL

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def gone(path: pathlib.Path) -> None:
    """Waits until the process of this file is."""
    with open(path, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)


def expect_counted(area: Area, times: int) -> None:
    numbers = area.counters()
    assert area.complete
    assert numbers["calls.memalign"] == times, (numbers["calls.memalign"], times)
    area.close()


# -- the document ---------------------------------------------------------------------------------


def test_buckets_are_as_the_document_shows() -> None:
    rows = [(int(bucket), start, end) for bucket, start, end in live_reader.TABLES["live_buckets"]]
    assert len(rows) > 10
    for bucket, start, end in rows[:-1]:
        assert live_reader.end_of(bucket) == int(end.split()[0]), bucket
        assert live_reader.end_of(bucket - 1) + 1 == int(start.split()[0]), bucket


# -- every key ------------------------------------------------------------------------------------


CHANGING = {"faults.minor", "faults.minor_after_lock", "faults.minor_after_mark", "memory.rss_bytes",
            "memory.peak_rss_bytes"}


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
        for since in f"faults.{kind}_after_lock", f"faults.{kind}_after_mark":
            numbers[since] += kernel[f"faults.{kind}"] - numbers[f"faults.{kind}"]
    numbers["locked.peak_kernel_bytes"] = max(numbers["locked.peak_kernel_bytes"], kernel["locked.kernel_bytes"])
    return {**numbers, **kernel}


class Link(File):
    """Of /proc/PID/map_files, which are symbolic links."""

    def __init__(self, path: str):
        self.descriptor = os.open(path, os.O_RDONLY)


MODES = ({"MODE": "observe"}, {"MODE": "all"}, {"MODE": "alloc", "KINDS": harness.EVERY_KIND})


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
            wrong = differences(as_running(area, session.pid), flat(report))
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
    for how in "prctl", "seccomp":
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


def test_bare_system_call() -> None:
    expect_killed("bare", 0)


def test_out_of_memory() -> None:
    with cgroup(32 * MIB) as folder:
        expect_killed("memory", -signal.SIGKILL, prepare=enter(folder))


def raw_status(how: str, place: pathlib.Path, preload: str) -> int:
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    process = subprocess.Popen([program("live"), how], cwd=place, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env=environment({"STATS": "off", "LIVE_DIR": str(place)}, preload),
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


# -- children -------------------------------------------------------------------------------------


def family(how: str, *more: str, members: tuple = ("parent", "child"), owners: tuple | None = None, lines: int | None = None,
           **settings: str) -> None:
    """Each member has counters of its own, in a file if it is among the owners, from 0 and exact. Then they end."""
    owners = members if owners is None else owners
    for mode in MODES:
        with harness.directory() as place:
            place.chmod(0o700)
            with Session("live_forks", how, *more, lines=lines or len(members), place=place, **mode, **settings) as session:
                found = files(place)
                for member in members:
                    pid, times = session.told[member]
                    expect_counted(Area(Memory(pid)), times)
                    name = live_reader.mapping(pid)[2]
                    assert (".live" in name) == (member in owners), (member, name)
                    if member in owners:
                        expect_counted(look(found[pid][0]), times)
                        assert live_reader.ended(found[pid][0]) == "running"
                        assert library_reads(found[pid][0])["calls"]["memalign"] == times
                    assert library_reads(pid)["calls"]["memalign"] == times
                status, _, err = session.end()
                assert status == 0 and not err, (status, err)
            for member in owners:
                pid, times = session.told[member]
                (path,) = found[pid]
                gone(path)
                assert live_reader.ended(path) in ("exit", "_exit"), path
                expect_counted(look(path), times)


def test_forked_child() -> None:
    family("fork")
    for fork in "none", "relock":
        family("fork", FORK=fork)


def test_fork_without_handlers() -> None:
    family("_Fork")


def test_grandchild() -> None:
    family("grandchild", members=("parent", "child", "grandchild"))


def test_fork_among_threads() -> None:
    family("threads")


def test_child_with_one_descriptor() -> None:
    """That of the duplicate of standard error, which a child gives up."""
    family("descriptors")


def test_child_without_descriptors() -> None:
    """It can have neither a file nor a memfd: nobody sees what it counts, and all else is as it would be."""
    with harness.directory() as place:
        with Session("live_forks", "descriptors", lines=2, place=place, prepare=lambda: os.close(2)) as session:
            expect_counted(look(only(place)), session.told["parent"][1])
            done = subprocess.run([harness.programs.parent / "support" / "read_live", "json",
                                   str(session.told["child"][0])], capture_output=True, check=False)
            assert done.returncode == 1 and not done.stdout, done
            assert session.end()[0] == 0
        expect_counted(look(only(place)), session.told["parent"][1])


def test_child_in_another_root() -> None:
    need_root()
    with harness.directory() as root:
        family("chroot", str(root), owners=("parent",))


def test_child_of_nobody() -> None:
    need_root()
    family("nobody", owners=("parent",))


def test_vfork_is_no_end() -> None:
    with harness.directory() as place, Session("live_forks", "vfork", place=place) as session:
        pid, times = session.told["parent"]
        (path,) = files(place)[pid]
        assert live_reader.ended(path) == "running" and look(path).head("state") == 1
        expect_counted(look(path), times)
        assert len(files(place)) == 2, files(place)
        session.kill()
        assert live_reader.ended(path) == "killed"


def daemon(how: str, ends: list) -> None:
    with harness.directory() as place, Session("live_forks", how, place=place) as session:
        pid, times = session.told["daemon"]
        assert session.process.wait(harness.PATIENCE_S) == 0
        found = files(place)
        (own,) = found.pop(pid)
        assert live_reader.ended(own) == "running" == library_reads(own)["ended"]
        assert sorted(live_reader.ended(path) for (path,) in found.values()) == ends, found
        expect_counted(look(own), times)
        session.process.stdin.close()
        session.process.stdin = None
        gone(own)
        assert live_reader.ended(own) == "_exit"


def test_daemon() -> None:
    # libc's daemon() ends its caller without a word.
    daemon("daemon", ["killed"])
    daemon("by_hand", ["_exit", "_exit"])


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
