"""The budget: no more is locked, the program goes on, and what stayed unlocked is counted."""

import contextlib
import os
import pathlib
import resource
import shutil
import subprocess
from typing import Iterator

from harness import MIB, NOBODY, Run, Skip, limit, need_no_privilege, need_privilege, need_root, program, run, without

MEMORY = pathlib.Path("/sys/fs/cgroup/memory")

# What the allocator, the stack and libraries take besides.
LITTLE = 6 * MIB


@contextlib.contextmanager
def cgroup(size: int) -> Iterator[pathlib.Path]:
    """A cgroup of version 1 with a memory limit."""
    need_root()
    folder = MEMORY / f"autolock-test-{os.getpid()}"
    try:
        folder.mkdir()
        (folder / "memory.limit_in_bytes").write_text(str(size))
    except OSError as error:
        with contextlib.suppress(OSError):
            folder.rmdir()
        raise Skip(f"no cgroup of version 1 can be made here: {error}") from None
    try:
        yield folder
    finally:
        folder.rmdir()


def enter(folder: pathlib.Path):
    return lambda: (folder / "cgroup.procs").write_text(str(os.getpid()))


def steps(mebibytes: int, **settings) -> Run:
    return run(program("small_steps"), str(mebibytes), **{"MODE": "alloc", "KINDS": "heap,anon", **settings})


def most_locked(done: Run) -> int:
    """What the kernel counted at its most, in bytes."""
    return int(done.out.split()[0]) * 1024


def stays_within(done: Run, budget: int) -> None:
    done.expect(err=b"")
    assert most_locked(done) <= budget, (most_locked(done), budget)
    assert done.report["skipped"]["budget"] > 0, done
    assert not any(done.report["failures"].values()), done


# -- sizes and words ------------------------------------------------------------------------------


def test_a_size() -> None:
    done = steps(32, BUDGET="1M", FLAGS="future")
    stays_within(done, MIB)
    assert most_locked(done) >= MIB // 2
    assert done.report["config"]["budget"] == "1M"
    stays_within(steps(32, BUDGET="5M"), 5 * MIB)


def test_nothing() -> None:
    stays_within(steps(4, BUDGET="0", FLAGS="future"), 0)


def test_what_exists_is_past_it() -> None:
    """That is what was asked for: no failure."""
    for mode in "alloc", "all":
        for on_failure in "warn", "fail":
            done = steps(1, MODE=mode, BUDGET="4K", KINDS="image", ON_FAILURE=on_failure).expect(err=b"")
            assert most_locked(done) <= 4096 and done.report["locked"]["tracked_bytes"] <= 4096, done
            assert done.report["skipped"]["budget"] > 0 and done.report["backend"] == "hooks", done
            assert not any(done.report["failures"].values()), done


def test_large_budgets_leave_nothing_out() -> None:
    need_privilege()
    for budget in ("unlimited", "auto", "50%", "100%", "1T"):
        done = steps(32, BUDGET=budget).expect(err=b"")
        assert most_locked(done) >= 32 * MIB and done.report["skipped"]["budget"] == 0, (budget, done)
        assert done.report["config"]["budget"] == budget


def test_bad_values() -> None:
    for value in ("0%", "101%", "1.5G", "most", "50 %", "-1"):
        done = steps(1, BUDGET=value).expect()
        assert done.err.count(b"\n") == 1, done
        for part in ("AUTOLOCK_BUDGET", value, "1% to 100%", "using auto"):
            assert part in done.err.decode(), done
        assert done.report["config"]["budget"] == "auto"
        steps(1, BUDGET=value, ON_FAILURE="fail").expect(78, out=b"")
    assert b"did you mean auto?" in steps(1, BUDGET="atuo").expect().err


# -- the memlock limit ----------------------------------------------------------------------------


def as_ordinary_user(soft: int, hard: int, **settings) -> Run:
    if os.geteuid() != 0:
        need_no_privilege()
    limit(resource.RLIMIT_MEMLOCK, hard)
    return steps(16, user=NOBODY if os.geteuid() == 0 else None, FLAGS="future", **settings,
                 prepare=lambda: resource.setrlimit(resource.RLIMIT_MEMLOCK, (soft, hard)))


def test_under_a_memlock_limit() -> None:
    for budget in ("auto", "unlimited", "100%", "1G"):
        done = as_ordinary_user(2 * MIB, 2 * MIB, BUDGET=budget)
        stays_within(done, 2 * MIB)
        assert most_locked(done) >= MIB, (budget, done)
    stays_within(as_ordinary_user(4 * MIB, 4 * MIB, BUDGET="50%"), 2 * MIB)
    stays_within(as_ordinary_user(4 * MIB, 4 * MIB, BUDGET="1M"), MIB)


def test_the_soft_limit_is_raised() -> None:
    done = as_ordinary_user(MIB, 4 * MIB)
    stays_within(done, 4 * MIB)
    assert most_locked(done) >= 3 * MIB, done
    assert done.report["memory"]["limit_bytes"] == 4 * MIB


def test_observe_leaves_the_limit() -> None:
    done = as_ordinary_user(MIB, 4 * MIB, MODE="observe", BUDGET="1M").expect(err=b"")
    assert done.report["memory"]["limit_bytes"] == MIB
    assert done.report["skipped"]["budget"] == 0 and done.report["need"]["memlock_bytes"] >= 16 * MIB


# -- the cgroup's limit ---------------------------------------------------------------------------


def test_in_a_cgroup() -> None:
    need_privilege()
    size = 64 * MIB
    # More than the 90 % that may be locked, and as much as fits.
    taken = (size - LITTLE) // MIB
    assert taken * MIB > size // 10 * 9
    with cgroup(size) as folder:
        without(program("small_steps"), str(taken), prepare=enter(folder)).expect()
        done = steps(taken, prepare=enter(folder))
        stays_within(done, size // 10 * 9)
        assert most_locked(done) >= size // 10 * 8, done
        assert done.report["memory"]["cgroup_limit_bytes"] == size
        stays_within(steps(taken, prepare=enter(folder), BUDGET="50%"), size // 2)
        done = steps(taken // 2, prepare=enter(folder), BUDGET="unlimited").expect(err=b"")
        assert done.report["skipped"]["budget"] == 0
        assert done.report["memory"]["cgroup_limit_bytes"] == -1


def test_in_a_cgroup_below() -> None:
    """The limit of the cgroup above holds too."""
    with cgroup(48 * MIB) as folder:
        below = folder / "below"
        below.mkdir()
        try:
            done = steps(1, prepare=enter(below), MODE="all").expect(err=b"")
            assert done.report["memory"]["cgroup_limit_bytes"] == 48 * MIB
            done = steps(1, prepare=enter(below)).expect(err=b"")
            assert done.report["memory"]["cgroup_limit_bytes"] == 48 * MIB
        finally:
            below.rmdir()


def test_libraries_that_only_their_caller_finds() -> None:
    with cgroup(256 * MIB) as folder:
        for name in "dlopen_caller", "dlopen_caller_rpath":
            done = run(program(name), prepare=enter(folder), MODE="all").expect(err=b"")
            assert done.report["backend"] == "kernel" and done.report["calls"]["dlopen"] == 7, done


def test_in_text() -> None:
    with cgroup(48 * MIB) as folder:
        done = steps(1, prepare=enter(folder), STATS="text", STATS_FILE="").expect()
        assert b"cgroup limit 48.0 MiB" in done.err, done


# -- user namespaces ------------------------------------------------------------------------------


def test_in_a_user_namespace() -> None:
    """Every capability is there, and none counts: finding that out is no failure."""
    unshare = shutil.which("unshare")
    if not unshare or subprocess.run([unshare, "-r", "true"], capture_output=True, check=False).returncode:
        raise Skip("no user namespace can be made here")
    done = run(unshare, "-r", program("small_steps"), "16", MODE="alloc", FLAGS="future",
               prepare=limit(resource.RLIMIT_MEMLOCK, 4 * MIB))
    stays_within(done, 4 * MIB)
    assert done.report["memory"]["limit_bytes"] == 4 * MIB
