"""What the locking itself costs, as the report has it: held against the kernel's own word, and against itself."""

import collections
import re
import shutil

import harness
from harness import EVERY_KIND, Run, directory, environment, need_privilege, program, run

SETTINGS = {
    "kernel": {"MODE": "all"},
    "hooks": {"MODE": "all", "BUDGET": "200M"},
    "alloc": {"MODE": "alloc", "KINDS": EVERY_KIND},
    "on_fault": {"MODE": "alloc", "KINDS": "heap,anon", "FLAGS": "current,future,onfault"},
}

# Which row of the report a system call stands in.
ROWS = {"mlock": "mlock2", "mlock2": "mlock2", "munlock": "munlock", "munlockall": "munlock", "mlockall": "mlockall",
        "madvise": "madvise", "msync": "msync"}
TIMES = 100


def traced(settings: dict, *command: str) -> tuple:
    """The report of a run under strace, and how often it made each of the system calls, and read the clock by one."""
    if not shutil.which("strace"):
        raise harness.Skip("strace is not installed")
    with directory() as temporary:
        log, file = temporary / "log", temporary / "report"
        inside = environment({"STATS": "json", "STATS_FILE": str(file), **settings}, harness.library)
        given = [word for name, value in inside.items() for word in ("-E", f"{name}={value}")]
        trace = "trace=clock_gettime,openat," + ",".join(ROWS)
        done = run("strace", "-f", "-o", str(log), "-e", trace, *given, *command, env={"PATH": inside["PATH"]})
        if b"ptrace" in done.err or b"PTRACE" in done.err:
            raise harness.Skip(f"strace does not work here: {done.err.decode(errors='replace')[-200:]}")
        done.expect(0)
        lines = re.findall(r"^\d+ +(\w+)\((.*)$", log.read_text(), re.MULTILINE)
        reports = harness.parse_reports(file.read_bytes()) if file.exists() else []
    # From there on the only report looks at what is locked, by calls that it does not count.
    status = [at for at, (_, arguments) in enumerate(lines) if 'self/status"' in arguments]
    if reports:
        lines = lines[:status[0]]
    # Of the gate's page: it locks nothing, and comes before there is anything to report.
    made = collections.Counter(name for name, arguments in lines if "WIPEONFORK" not in arguments)
    return reports[0] if reports else None, made


def test_calls_are_those_that_the_kernel_saw() -> None:
    need_privilege()
    for name, settings in SETTINGS.items():
        report, made = traced(settings, program("locking_work"), str(TIMES))
        seen: collections.Counter = collections.Counter()
        for call, row in ROWS.items():
            seen[row] += made[call]
        seen["madvise"] -= report["calls"]["madvise"]
        said = {row: report["syscalls"][row]["count"] for row in set(ROWS.values())}
        assert said == {row: seen[row] for row in said}, (settings, said, seen)
        assert report["calls"]["madvise"] == TIMES, report
        # All of them have been there.
        expected = {"kernel": {"mlockall"}, "hooks": {"mlock2", "munlock", "madvise", "msync"}}.get(name, {"mlock2"})
        assert all(said[row] for row in expected), (name, said)


def test_clock_is_read_without_a_system_call() -> None:
    need_privilege()
    for settings in SETTINGS.values():
        _, bare = traced({"MODE": "off"}, program("locking_work"), "clock")
        if bare["clock_gettime"]:
            raise harness.Skip("the clock of this machine is read by a system call")
        report, made = traced(settings, program("locking_work"), str(TIMES))
        assert report["syscalls"]["mlock2"]["count"] + report["syscalls"]["mlockall"]["count"] > 0, report
        assert made["clock_gettime"] == 0, made


def work(*arguments: str, **settings: str) -> Run:
    need_privilege()
    return run(program("locking_work"), str(TIMES), *arguments, **settings).expect()


def expect_ordered(times: dict, count: int, time_ns: int) -> None:
    figures = [times[name] for name in ("p50_ns", "p99_ns", "p999_ns", "max_ns")]
    assert figures == sorted(figures) and figures[-1] <= time_ns, times
    assert all(figure > 0 for figure in figures) if count else not any(figures) and not time_ns, times


def expect_all_ordered(report: dict) -> None:
    for row in report["syscalls"].values():
        expect_ordered(row, row["count"], row["time_ns"])
    hooks = report["hooks"]
    expect_ordered(hooks, hooks["slow_count"], hooks["slow_time_ns"])


def test_percentiles_follow_each_other() -> None:
    for settings in SETTINGS.values():
        expect_all_ordered(work(**settings).report)


def test_one_call_is_all_percentiles() -> None:
    row = work(MODE="all").report["syscalls"]["mlockall"]
    assert row["count"] == 1, row
    assert row["p50_ns"] == row["p99_ns"] == row["p999_ns"] == row["max_ns"] == row["time_ns"], row


def test_slow_hooks_are_counted_and_quick_ones_not() -> None:
    for name in "hooks", "alloc":
        report = work(**SETTINGS[name]).report
        assert report["calls"]["mmap"] >= 2 * TIMES and report["calls"]["malloc"] >= 100_000, report
        # Each mapping is locked by itself; of a hundred thousand small blocks on one page hardly any is.
        assert 2 * TIMES <= report["hooks"]["slow_count"] < 5_000, report["hooks"]


def test_no_hook_is_slow_where_nothing_is_locked() -> None:
    for settings in {"MODE": "observe"}, {"MODE": "observe", "KINDS": EVERY_KIND}:
        report = work(**settings).report
        assert not any(report["hooks"].values()), report["hooks"]


def test_child_begins_at_nothing() -> None:
    for settings in SETTINGS.values():
        done = work("fork", FORK="none", **settings)
        child, = [report for report in done.reports if report["pid"] != done.pid]
        for row in child["syscalls"].values():
            assert not any(row.values()), child["syscalls"]
        assert not any(child["hooks"].values()), child["hooks"]
        expect_all_ordered(done.report)


def test_child_that_locks_again() -> None:
    for settings in SETTINGS.values():
        done = work("fork", FORK="onfault", **settings)
        child, = [report for report in done.reports if report["pid"] != done.pid]
        expect_all_ordered(child)
        assert sum(row["count"] for row in child["syscalls"].values()) > 0, child["syscalls"]


def test_line_in_the_text() -> None:
    wanted = re.compile(rb"^  locking  [\d,]+ calls?, \d+(\.\d)? [num]?s, longest \d+(\.\d)? [num]?s$", re.MULTILINE)
    for settings in SETTINGS.values():
        done = work(STATS="text", STATS_FILE="", **settings)
        assert len(wanted.findall(done.err)) == 1, done
    assert b"  locking  " not in work(MODE="observe", STATS="text", STATS_FILE="").err
