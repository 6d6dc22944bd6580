"""Programs that give up system calls by seccomp: none of ours kills them, and the report is made before."""

from harness import Run, program, run, without

MODES = "all", "alloc", "observe"


def sandbox(how: str, **settings: str) -> Run:
    without(program("sandbox"), how).expect(0, out=b"done\n")
    return run(program("sandbox"), how, **settings).expect(0, out=b"done\n", err=b"")


def ended(done: Run) -> list:
    """How the reports of the program itself say it ended."""
    return [report["ended"] for report in done.reports if report["pid"] == done.pid]


def test_filter_by_prctl() -> None:
    for mode in MODES:
        done = sandbox("prctl", MODE=mode)
        assert ended(done) == ["running"], done
        assert done.reports[0]["calls"]["mremap"] == 1, done


def test_filter_by_system_call() -> None:
    for mode in MODES:
        assert ended(sandbox("seccomp", MODE=mode)) == ["running"]


def test_strict() -> None:
    for mode in MODES:
        assert ended(sandbox("strict", MODE=mode)) == ["running"]


def test_refused_changes_nothing() -> None:
    for mode in MODES:
        done = sandbox("refused", MODE=mode)
        assert ended(done) == ["running", "exit"], done
        # It goes on counting.
        assert done.reports[1]["calls"]["mremap"] == 2, done


def test_asking_changes_nothing() -> None:
    for mode in MODES:
        assert ended(sandbox("asked", MODE=mode)) == ["exit"]


def test_child_that_shares_our_memory() -> None:
    for mode in MODES:
        done = sandbox("vfork", MODE=mode)
        assert ended(done) == ["exit"], done
        assert done.reports[-1]["calls"]["mremap"] == 2, done


def test_before_anything_was_mapped() -> None:
    for mode in MODES:
        for settings in ({}, {"BUDGET": "unlimited"}, {"HUGEPAGES": "1", "POPULATE_THREADS": "2"}):
            assert ended(sandbox("first", MODE=mode, **settings)) == ["running"]


def test_what_is_reserved_is_not_brought_in() -> None:
    """As long as it could be asked for, there was no room for a sparse terabyte."""
    for mode in MODES:
        assert ended(sandbox("sparse", MODE=mode)) == ["running"]


def test_mode_off() -> None:
    assert not sandbox("prctl", MODE="off").reports
