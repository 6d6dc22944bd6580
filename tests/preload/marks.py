"""What a program marks and asks for, beside its standard error and its report."""

import resource

from harness import NOBODY, Run, limit, need_root, program, run

# What a terminal would obey, and what does not fit on a line.
PHASE = "warm\x1b[2J\n" + "x" * 300


def marked(phase: str, **settings: str) -> Run:
    return run(program("helps"), "marked", also={"PHASE": phase}, **settings).expect()


def test_line_of_the_mark() -> None:
    for log in ("info", "debug"):
        done = marked("warm", LOG=log, MODE="observe")
        line = f"libautolock: helps[{done.pid}]: mark warm\n"
        assert done.err.decode().endswith("\n" + line) and done.err.count(b"mark") == 1, done


def test_line_is_printable_and_short() -> None:
    done = marked(PHASE, LOG="info", MODE="observe")
    line = done.err.decode().splitlines()[-1]
    assert line.startswith(f"libautolock: helps[{done.pid}]: mark warm\\x1b[2J\\x0axxx"), done
    assert line.endswith("xxx...") and len(line) < 250, done


def test_silent_otherwise() -> None:
    for log in ("quiet", "error", "warn"):
        done = marked("warm", LOG=log, MODE="observe")
        assert done.err == b"" and done.out, done
    for settings in ({"MODE": "off"}, {"PROGRAMS": "other"}):
        run(program("helps_anywhere"), "inert", LOG="debug", **settings).expect(out=b"", err=b"")


def test_report_counts_from_the_mark() -> None:
    for settings in ({"MODE": "observe"}, {"MODE": "alloc"}, {"MODE": "alloc", "LOG": "info"}):
        done = marked("warm", **settings)
        before, after, last = map(int, done.out.split())
        faults = done.report["faults"]
        assert before <= faults["minor"] - faults["minor_after_mark"] <= after, done
        assert 300 <= last - after <= faults["minor_after_mark"] < faults["minor_after_lock"], done


def test_report_without_a_mark_counts_from_the_lock() -> None:
    for mode in ("all", "alloc", "observe"):
        faults = run(program("exit_with"), "0", MODE=mode).expect().report["faults"]
        assert faults["minor_after_mark"] == faults["minor_after_lock"] > 0, faults
        assert faults["major_after_mark"] == faults["major_after_lock"], faults


def expect_told(done: Run) -> dict:
    """The totals that the program was told are those of its report."""
    report = done.expect().report
    skipped = report["skipped"]
    wanted = [sum(report["failures"].values()), sum(skipped.values()), skipped["budget"], len(report["downgrades"])]
    assert list(map(int, done.out.split())) == wanted, done
    return report


def test_told_what_is_left_out() -> None:
    assert expect_told(run(program("helps"), "told", MODE="alloc", KINDS="anon", BUDGET="64K"))["skipped"]["budget"]
    # Of a size and of a kind that nobody asked for.
    report = expect_told(run(program("helps"), "told", MODE="alloc", KINDS="anon,file", MIN_SIZE="1M"))
    assert report["skipped"]["size"] > report["skipped"]["budget"], report


def test_told_what_failed() -> None:
    need_root()
    for settings in ({"MODE": "all"}, {"MODE": "alloc"}):
        done = run(program("helps"), "told", user=NOBODY, prepare=limit(resource.RLIMIT_MEMLOCK, 0), **settings)
        report = expect_told(done)
        assert sum(report["failures"].values()) or report["downgrades"], report
