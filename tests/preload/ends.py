"""No end is silent: each finds its report, and the program and its parent see what they see without the library."""

from __future__ import annotations

import collections
import os
import pathlib
import resource
import shutil
import signal
import subprocess

import harness
from harness import Run, directory, environment, parse_reports, program, run, without

EXECS = ("execve", "execveat", "execveat_fd", "execveat_nofollow", "fexecve", "execv", "execvp", "execvpe", "execl",
         "execlp", "execle")
SEARCHES = "execvp", "execvpe", "execlp"


def ended(done: Run) -> list:
    return [report["ended"] for report in done.reports]


def same(*command: str, reports: list, **arguments) -> Run:
    """Output, standard error and status are those without the library."""
    wanted = without(*command, **arguments)
    done = run(*command, **arguments).expect(wanted.status, out=wanted.out, err=wanted.err)
    assert ended(done) == reports, f"not {reports}\n{done}"
    return done


# -- exec -----------------------------------------------------------------------------------------


def test_every_exec() -> None:
    for how in EXECS:
        done = same(program("execs"), how, program("execs"), reports=["exec", "exit"])
        before, after = done.reports
        assert before["pid"] == after["pid"] == done.pid, done
        assert before["children"]["exec"] == 1 and after["children"]["exec"] == 0, done
        assert b"3 \n" in done.out and b"SHOWN" in done.out, done


def test_in_text() -> None:
    with directory() as temporary:
        done = run(program("execs"), "execv", program("execs"), STATS="text", STATS_FILE=str(temporary / "file"))
        written = (temporary / "file").read_text()
        assert written.count("], exec\n") == 1 and written.count("], exit\n") == 1, (done, written)
        for how, word in ("plain", "abort"), ("handlers", "quick_exit"):
            run(program("aborts"), how, STATS="text", STATS_FILE=str(temporary / how))
            written = (temporary / how).read_text()
            assert written.count("libautolock ") == 1 and f"], {word}\n" in written, written


def fails(how: str, file: object, *, reports: tuple = ("exit",), **arguments) -> None:
    done = same(program("execs"), how, str(file), reports=list(reports), **arguments)
    assert b"failed with " in done.out, done
    assert done.report["children"]["exec"] == 1, done


def test_exec_that_fails() -> None:
    with directory() as temporary:
        (temporary / "text").write_text("exit 3\n")
        (temporary / "text").chmod(0o755)
        (temporary / "empty").touch()
        (temporary / "empty").chmod(0o755)
        shutil.copy2(program("execs"), temporary / "forbidden")
        (temporary / "forbidden").chmod(0o644)
        (temporary / "script").write_text("#!/there/is/no interpreter\n")
        (temporary / "script").chmod(0o755)
        (temporary / "loop").symlink_to("loop")
        for how in EXECS:
            for name in "nothing", "forbidden", "loop", "text/nothing":
                fails(how, temporary / name)
            # Through a descriptor of O_PATH nobody can read what it is.
            if how != "execveat_fd":
                fails(how, temporary / "script")
            if how not in SEARCHES + ("execveat_fd",):
                fails(how, temporary / "text")
                fails(how, temporary / "empty")
        for how in "execve", "execl", "execvp", "execveat":
            fails(how, temporary)
        fails("execve", "/dev/null")
        (temporary / "link").symlink_to(program("execs"))
        fails("execveat_nofollow", temporary / "link")
        same(program("execs"), "execv", str(temporary / "link"), reports=["exec", "exit"])


def test_exec_with_bad_arguments() -> None:
    fails("bad_path", "")
    fails("execveat_flags", program("execs"))
    # What only the kernel can know: the report is there, and another one comes at the end.
    fails("bad_argv", program("execs"), reports=("exec", "exit"))


def test_shell_runs_texts() -> None:
    """execvp hands to the shell what the kernel does not know."""
    with directory() as temporary:
        (temporary / "text").write_text('echo "$0"; kill -KILL $$\n')
        (temporary / "text").chmod(0o755)
        for how in SEARCHES:
            same(program("execs"), how, str(temporary / "text"), reports=["exec"])


def test_search_path() -> None:
    with directory() as temporary:
        (temporary / "first").mkdir()
        (temporary / "second").mkdir()
        shutil.copy2(program("execs"), temporary / "second" / "sought")
        (temporary / "first" / "sought").write_text("exit 3\n")
        path = f"{temporary}/none::{temporary}/first:{temporary}/second"
        for how in SEARCHES:
            same(program("execs"), how, "sought", reports=["exec", "exit"], also={"PATH": path})
            fails(how, "sought", also={"PATH": f"{temporary}/first"})
            fails(how, "sought", also={"PATH": ""})
            fails(how, "s" * 300)
            fails(how, "")
        same(program("execs"), "execvp", "sought", reports=["exec", "exit"], also={"PATH": ""},
             cwd=temporary / "second")


def test_script() -> None:
    with directory() as temporary:
        (temporary / "script").write_text(f"#! {program('execs')} show\n")
        (temporary / "script").chmod(0o755)
        for how in "execve", "execlp":
            same(program("execs"), how, str(temporary / "script"), reports=["exec", "exit"])


def test_execute_only() -> None:
    """An ordinary user may execute what he cannot read."""
    harness.need_root()
    with directory() as temporary:
        shutil.copy2(program("execs"), temporary / "unreadable")
        (temporary / "unreadable").chmod(0o711)
        done = run(program("execs"), "execve", str(temporary / "unreadable"), user=harness.NOBODY).expect()
        assert ended(done) == ["exec", "exit"], done


def test_exec_in_vfork() -> None:
    """Only the parent counts: one program, and two that were not there."""
    done = same(program("execs"), "vfork", program("execs"), reports=["exit", "exit"])
    assert done.report["children"]["exec"] == 3 and done.report["calls"]["calloc"] == 1, done


def test_exec_in_a_thread() -> None:
    same(program("execs"), "thread", program("execs"), reports=["exec", "exit"])


def test_exec_with_another_stderr() -> None:
    """The new program's report goes where its standard error is; nothing of the old one gets there."""
    with directory() as temporary:
        shutil.copy2(program("execs"), temporary / "copy")
        done = run(program("execs"), "redirected", str(temporary / "copy"), STATS_FILE="").expect()
        assert [report["program"] for report in parse_reports(done.err)] == ["execs"], done
        assert [report["program"] for report in parse_reports((temporary / "copy.err").read_bytes())] == ["copy"]


def test_without_reports() -> None:
    for settings in {"STATS": "off"}, {"MODE": "off"}:
        wanted = without(program("execs"), "execl", program("execs"))
        done = run(program("execs"), "execl", program("execs"), STATS_FILE="", **settings).expect(0, out=wanted.out, err=b"")
        assert not done.written, done


# -- programs that execute programs ---------------------------------------------------------------


def chain(*command: str, execs: int) -> None:
    """`execs`: how often a program takes another one's place. The last report of each process is of its end."""
    if not shutil.which(command[0]):
        raise harness.Skip(f"{command[0]} is not there")
    with directory() as temporary:
        for name in "one", "two", "three":
            (temporary / name).touch()
        wanted = without(*command, cwd=temporary)
        done = run(*command, cwd=temporary).expect(wanted.status, out=wanted.out, err=wanted.err)
        words = collections.Counter(ended(done))
        assert words["exec"] == execs, f"{words}\n{done}"
        last = {report["pid"]: report["ended"] for report in done.reports}
        assert set(last.values()) <= {"exit", "_exit"}, done


def test_shells() -> None:
    for shell in "sh", "bash":
        chain(shell, "-c", "exec true", execs=1)
        chain(shell, "-c", "exec /there/is/nothing", execs=0)
    # In a child of fork, and env itself. Other shells have children of vfork, which report nothing.
    chain("bash", "-c", "env true; exit 3", execs=2)


def test_env_and_nohup() -> None:
    chain("env", "A=b", "sh", "-c", "echo $A", execs=1)
    chain("env", "there-is-nothing", execs=0)
    chain("nohup", "false", execs=1)


def test_xargs() -> None:
    chain("sh", "-c", "printf '%s\\n' a b c | xargs -n 1 -P 3 true; exit 0", execs=4)


def test_find() -> None:
    chain("find", ".", "-type", "f", "-exec", "true", "{}", ";", execs=3)


# -- abort ----------------------------------------------------------------------------------------


def test_abort() -> None:
    for how in "plain", "blocked", "ignored", "handled":
        done = same(program("aborts"), how, reports=["abort"])
        assert done.status == -signal.SIGABRT, done


def test_assertion() -> None:
    done = same(program("aborts"), "assertion", reports=["abort"])
    assert done.status == -signal.SIGABRT and b"argc == 0" in done.err, done


def test_abort_whose_handler_exits() -> None:
    assert same(program("aborts"), "exits", reports=["abort", "exit"]).status == 5


def test_abort_that_is_survived() -> None:
    done = same(program("aborts"), "survives", reports=["abort", "exit"])
    assert done.status == 3 and b"survived" in done.out, done
    assert [report["calls"]["calloc"] for report in done.reports] == [0, 1234], done


def test_abort_in_vfork() -> None:
    assert same(program("aborts"), "vfork", reports=["exit"]).status == 3


def raw_status(how: str, preload: str, temporary: pathlib.Path) -> int:
    unlimited = resource.getrlimit(resource.RLIMIT_CORE)[1]
    process = subprocess.Popen([program("aborts"), how], cwd=temporary, stdout=subprocess.DEVNULL,
                               env=environment({"STATS_FILE": str(temporary / "report")}, preload),
                               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (unlimited, unlimited)))
    return os.waitpid(process.pid, 0)[1]


def test_core_is_dumped() -> None:
    with directory() as temporary:
        for how in "plain", "handled":
            wanted = raw_status(how, "", temporary)
            assert raw_status(how, harness.library, temporary) == wanted, hex(wanted)
        assert (temporary / "report").read_text().count("], abort\n") == 2


# -- quick_exit -----------------------------------------------------------------------------------


def test_quick_exit_has_its_handlers() -> None:
    done = same(program("aborts"), "handlers", reports=["quick_exit"])
    assert done.status == 4 and done.out == b"first\nsecond\n", done
    # The report follows what they did.
    assert done.report["calls"]["calloc"] == 1234, done


# -- many at once ---------------------------------------------------------------------------------


def two_hundred_at_once(where: str | None) -> None:
    hows = ("exit", "_exit", "quick_exit", "exec")
    with directory(where) as temporary:
        variables = environment({"STATS": "json", "STATS_FILE": str(temporary / "file"), "ON_FAILURE": "ignore",
                                 "MODE": "observe"}, harness.library)
        reader, writer = os.pipe()
        processes = [subprocess.Popen([program("execs"), "wait", hows[i % 4]], env=variables, stdin=reader,
                                      stdout=subprocess.DEVNULL) for i in range(200)]
        os.close(reader)
        os.close(writer)
        assert [process.wait(harness.PATIENCE_S) for process in processes] == [0] * 200
        reports = parse_reports((temporary / "file").read_bytes())
    last = {report["pid"]: report["ended"] for report in reports}
    assert set(last) == {process.pid for process in processes}
    assert collections.Counter(report["ended"] for report in reports) == {
        "exit": 100, "_exit": 50, "quick_exit": 50, "exec": 50}


def test_two_hundred_at_once() -> None:
    two_hundred_at_once(None)


def test_two_hundred_at_once_in_memory() -> None:
    if not os.access("/dev/shm", os.W_OK):
        raise harness.Skip("no /dev/shm to write to")
    two_hundred_at_once("/dev/shm")
