"""Ends, children and threads: what the program and its parent see is the same; reports come once."""

import collections
import pathlib
import platform
import re
import signal

from harness import EVERY_KIND, Run, Skip, behind, need_privilege, program, run, without
import harness


# -- ends -----------------------------------------------------------------------------------------


def ends(how: str, status: int, ended: str | None = None) -> Run:
    """`ended`: what the report must say; None where no library has a say any more."""
    wanted = without(program("ends"), how).expect(status)
    done = run(program("ends"), how).expect(status, out=wanted.out, err=wanted.err)
    assert ended is None or done.report["ended"] == ended, done
    pids = [report["pid"] for report in done.reports]
    assert len(pids) == len(set(pids)), done
    return done


def test_exit() -> None:
    ends("exit", 3, "exit")


def test_exit_at_once() -> None:
    ends("_exit", 3, "_exit")


def test_quick_exit() -> None:
    ends("quick_exit", 3, "quick_exit")


def test_abort() -> None:
    ends("abort", -signal.SIGABRT, "abort")


def test_bad_access() -> None:
    ends("segv", -signal.SIGSEGV)


def test_exec() -> None:
    wanted = without(program("ends"), "exec").expect(7)
    run(program("ends"), "exec").expect(7, out=wanted.out, err=wanted.err)


def test_exec_that_fails() -> None:
    ends("exec_fails", 9, "exit")


def test_signals() -> None:
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGALRM,
                   signal.SIGUSR1, signal.SIGXFSZ):
        ends(f"signal{int(number)}", -number)


def test_main_thread_ends_first() -> None:
    assert b"after main\n" in ends("pthread_exit", 0, "exit").out


def test_figures_when_the_main_thread_has_ended() -> None:
    """The process has no memory in /proc/self any more, but its other threads have."""
    for settings in ({"MODE": "all"}, {"MODE": "alloc"}):
        report = run(program("ends"), "pthread_exit", **settings).expect(0).report
        assert report["memory"]["rss_bytes"] > 1 << 18, report
        assert report["memory"]["unlocked_resident_bytes"] <= report["memory"]["rss_bytes"], report
        assert report["need"]["memlock_bytes"] > 0, report
        if report["backend"] == "kernel":
            assert report["locked"]["kernel_bytes"] > 1 << 18, report


def test_figures_when_the_code_of_the_report_is_not_there_yet() -> None:
    """What comes in while they are taken depends on where the kernel has put the libraries: many times."""
    need_privilege()
    if tuple(int(part) for part in re.findall(r"\d+", platform.release())[:2]) < (6, 17):
        raise Skip("older kernels tell VmRSS with an error of some pages")
    for _ in range(60):
        done = run(program("ends"), "without_code", MODE="alloc").expect(3)
        locked, memory = int(done.out) * 1024, done.report["memory"]
        assert locked > 0 and locked + memory["unlocked_resident_bytes"] <= memory["rss_bytes"], done


def test_detached_threads_still_run() -> None:
    ends("detached", 6, "exit")


def test_exit_in_a_thread() -> None:
    ends("thread", 4, "exit")


def test_exit_on_the_smallest_stack() -> None:
    ends("small_thread", 4, "exit")


def test_exit_in_a_signal_handler() -> None:
    ends("handler", 5, "exit")


def test_exit_handlers_work() -> None:
    ends("in_atexit", 3, "exit")


# -- children -------------------------------------------------------------------------------------


WATCHED = "children", "exit_with"


def children(how: str, executed: int, forked: int = 0) -> None:
    """`executed`: children that are new programs and therefore report; `forked`: those that end by themselves."""
    command = program("children"), how, program("exit_with")
    wanted = without(*command).expect()
    done = run(*command).expect(out=wanted.out, err=wanted.err)
    # What becomes of the shell in between is not for this test to say.
    reports = [report for report in done.reports if report["ended"] != "exec" and report["program"] in WATCHED]
    names = collections.Counter(report["program"] for report in reports)
    assert names == collections.Counter({"children": 1 + forked, "exit_with": executed}), done
    pids = [report["pid"] for report in reports]
    assert len(pids) == len(set(pids)), done


def test_started_by_its_loader() -> None:
    """The kernel tells such a process of the loader, not of the program."""
    name = program("small_steps")
    found = re.search(rb"/lib[0-9a-z_/-]*/ld-[0-9a-z_.-]+", pathlib.Path(name).read_bytes())
    if not found:
        raise Skip("the program names no loader")
    loader = found.group().decode()
    without(loader, name, "2").expect()
    for settings in {"MODE": "all"}, {"MODE": "observe"}, {"MODE": "alloc", "KINDS": EVERY_KIND}:
        run(loader, name, "2", **settings).expect(err=b"")


def test_vfork() -> None:
    children("vfork_exit", 0)


def test_vfork_and_exec() -> None:
    children("vfork_exec", 1)


def test_posix_spawn() -> None:
    children("spawn", 1)


def test_system() -> None:
    children("system", 1)


def test_popen() -> None:
    children("popen", 1)


def test_fork_and_exec() -> None:
    children("fork_exec", 1)


def test_fork_and_exit() -> None:
    children("fork_exit", 0, forked=1)


def test_fork_and_exit_at_once() -> None:
    children("fork__exit", 0, forked=1)


def test_forked_child_is_killed() -> None:
    children("fork_kill", 0)


def test_clone() -> None:
    children("clone", 0, 1)


def test_clone_that_shares_memory() -> None:
    children("clone_vm", 0)


def test_forked_child_reports_itself() -> None:
    reports = run(program("children"), "fork_exit", program("exit_with"), FORK="none").expect().reports
    parent = next(report for report in reports if report["children"]["fork"] == 1)
    child = next(report for report in reports if report is not parent)
    assert child["ppid"] == parent["pid"]
    # Locks are not inherited, and neither is what the parent has counted.
    assert child["locked"]["kernel_bytes"] == 0 and child["downgrades"], child
    assert child["calls"]["fork"] == 0 and child["children"]["fork"] == 0, child


def forked(**settings: str) -> dict:
    """The report of a forked child."""
    need_privilege()
    reports = run(program("children"), "fork_exit", program("exit_with"), **settings).expect().reports
    child = next(report for report in reports if report["children"]["fork"] == 0)
    assert child["calls"]["fork"] == 0, child
    return child


def test_forked_child_is_locked() -> None:
    for how in "onfault", "relock":
        child = forked(FORK=how)
        assert child["backend"] == "kernel" and child["locked"]["kernel_bytes"] > 1 << 20, child
        assert child["syscalls"]["mlockall"]["count"] == 1 and not child["downgrades"], child
        assert not any(child["failures"].values()), child


def test_forked_child_in_mode_alloc() -> None:
    for how in "onfault", "relock":
        child = forked(FORK=how, MODE="alloc", KINDS="heap,anon")
        locked, heap = child["locked"], child["by_kind"]["heap"]
        assert child["backend"] == "hooks" and not child["downgrades"], child
        assert 0 < locked["tracked_bytes"] <= locked["peak_tracked_bytes"] <= locked["total_bytes"] + 4096, locked
        assert abs(locked["tracked_bytes"] - locked["kernel_bytes"]) <= 2 << 20, locked
        # Live blocks came along: freeing them makes no number wrap.
        assert 0 <= heap["requested_bytes"] < 1 << 30 and 0 <= heap["regions"] < 1 << 20, heap


# -- forks of many threads ------------------------------------------------------------------------


def storm(how: str, processes: int, **settings: str) -> None:
    """Every process reports, once, and for itself."""
    done = run(program("fork_storm"), how, **settings).expect(out=b"160\n", err=b"")
    assert len({report["pid"] for report in done.reports}) == len(done.reports) == processes, len(done.reports)


def test_fork_storm() -> None:
    storm("_exit", 161)


def test_fork_storm_with_grandchildren() -> None:
    # Each child has a grandchild, which forks again for every_hook().
    storm("grandchild", 161 + 160 + 160)


def test_fork_storm_with_exit_handlers() -> None:
    storm("exit", 161)


def test_fork_storm_in_mode_alloc() -> None:
    storm("_exit", 161, MODE="alloc", KINDS=EVERY_KIND)


# -- stages of a program's life -------------------------------------------------------------------


def stages(*preload: str, **settings: str) -> list:
    done = run(program("stages"), preload=":".join(preload), **settings).expect(err=b"")
    assert done.report["program"] == "stages"
    lines = done.out.decode().splitlines()
    # Those of the program stand in their order; the library's own place among the others is the loader's choice.
    own = [line for line in lines if line in ("program begins", "main", "atexit handler", "program ends")]
    assert own == ["program begins", "main", "atexit handler", "program ends"], lines
    assert "linked ends" in lines and len([line for line in lines if line.startswith("linked begins")]) == 1, lines
    return lines


def test_all_stages() -> None:
    stages(harness.library)


def test_preloaded_before_another() -> None:
    lines = stages(harness.library, behind("stage_preloaded"))
    assert "preloaded ends" in lines, lines


def test_preloaded_behind_another() -> None:
    lines = stages(behind("stage_preloaded"), harness.library)
    assert "preloaded ends" in lines, lines


def test_all_stages_in_mode_alloc() -> None:
    stages(behind("stage_preloaded"), harness.library, MODE="alloc", KINDS=EVERY_KIND)
    stages(harness.library, behind("stage_preloaded"), MODE="alloc", KINDS=EVERY_KIND)


def test_something_ran_before_the_lock() -> None:
    # Else the two tests above would prove nothing about the time before our constructor.
    lines = stages(behind("stage_preloaded"), harness.library) + stages(harness.library, behind("stage_preloaded"))
    assert [line for line in lines if line.endswith("before the lock")], lines


# -- children that nobody announces ---------------------------------------------------------------


def test_child_by_system_call_reports_of_itself() -> None:
    for mode in "all", "alloc":
        done = run(program("alloc_unannounced"), "one_child", MODE=mode).expect(0)
        assert [report["pid"] == done.pid for report in done.reports] == [False, True], done
        # It counts from its own beginning, or from where it was noticed.
        assert done.reports[0]["calls"]["malloc"] <= 10 and done.reports[0]["ended"] == "_exit", done
