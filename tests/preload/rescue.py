"""A program that comes under a memlock limit while it runs: its calls succeed as without the library, no more is
locked than the limit allows, and the report says what happened, once."""

import resource

from harness import (EVERY_KIND, MIB, NOBODY, Run, directory, limit, need_privilege, need_root, program,
                     run, without)

LOWER = limit(resource.RLIMIT_MEMLOCK, 8 * MIB)


def rescue(*arguments: str, **settings) -> Run:
    """The report lies where another user can write it."""
    need_root()
    need_privilege()
    with directory() as temporary:
        temporary.chmod(0o777)
        file = temporary / "report.jsonl"
        done = run(program("rescue"), *arguments, **{"prepare": LOWER, "STATS_FILE": str(file), **settings})
        done.written = file.read_bytes() if file.exists() else b""
    return done.expect(err=b"")


def stepped_down(done: Run, reason: str) -> None:
    report = done.report
    assert report["backend"] == "hooks", done
    assert [reason in entry["reason"] for entry in report["downgrades"]] == [True], done
    assert 0 < report["locked"]["kernel_bytes"] <= 8 * MIB, done
    assert report["locked"]["kernel_bytes"] <= report["memory"]["limit_bytes"] == 8 * MIB, done


def gives_up(way: str, reason: str) -> None:
    without(program("rescue"), way, prepare=LOWER).expect(err=b"")
    done = rescue(way)
    stepped_down(done, reason)
    # Each call was counted once, whatever functions were in the table when it came.
    observed = rescue(way, MODE="observe", also={"RESCUE_UNLOCKED": "1"})
    assert done.report["calls"] == observed.report["calls"], (done, observed)


def test_setuid() -> None:
    gives_up("setuid", "another user")


def test_seteuid() -> None:
    gives_up("seteuid", "another user")


def test_setreuid() -> None:
    gives_up("setreuid", "another user")


def test_setresuid() -> None:
    gives_up("setresuid", "another user")


def test_capset() -> None:
    gives_up("capset", "gave up rights")


def test_unshare() -> None:
    gives_up("unshare", "gave up rights")


def test_by_syscall() -> None:
    gives_up("syscall", "gave up rights")


def test_setrlimit() -> None:
    done = rescue("setrlimit", prepare=lambda: resource.setrlimit(
        resource.RLIMIT_MEMLOCK, (resource.getrlimit(resource.RLIMIT_MEMLOCK)[1],) * 2))
    stepped_down(done, "lowered its memlock limit")


def test_on_fault() -> None:
    stepped_down(rescue("setuid", FLAGS="current,future,onfault"), "another user")


def test_future_alone() -> None:
    stepped_down(rescue("setuid", FLAGS="future"), "another user")


def test_in_mode_alloc() -> None:
    done = rescue("setuid", MODE="alloc", KINDS=EVERY_KIND)
    stepped_down(done, "another user")


def past_the_hooks(*what: str) -> None:
    """A bare system call tells nobody: what fails for it is made to succeed."""
    for one in what:
        stepped_down(rescue("raw", one), "a call of the program failed")


def test_heap_past_the_hooks() -> None:
    past_the_hooks("malloc", "calloc", "realloc", "memalign", "small")


def test_mappings_past_the_hooks() -> None:
    past_the_hooks("mmap", "mremap", "brk", "sbrk", "shmat")


def test_threads_past_the_hooks() -> None:
    past_the_hooks("threads", "c11_threads")


def test_libraries_past_the_hooks() -> None:
    done = rescue("raw", "dlopen").report
    assert done["backend"] == "hooks" and len(done["downgrades"]) == 1, done


def test_reservations_past_the_hooks() -> None:
    rescue("raw", "reservation")


def test_among_threads() -> None:
    # Whoever's call fails first may be faster than the thread that gives up its rights.
    for _ in range(5):
        stepped_down(rescue("threads"), "each region is locked by itself")


def test_vfork() -> None:
    done = rescue("vfork").report
    assert done["backend"] == "kernel" and not done["downgrades"], done


def test_a_lower_limit() -> None:
    need_root()
    for mode in "all", "alloc":
        done = run(program("rescue"), "lower", prepare=LOWER, user=NOBODY, MODE=mode).expect(err=b"")
        assert done.report["locked"]["kernel_bytes"] <= 4 * MIB, done


def test_a_limit_that_is_lowered_from_outside() -> None:
    need_root()
    for mode in "all", "alloc":
        done = run(program("rescue"), "outside", prepare=LOWER, user=NOBODY, MODE=mode, KINDS=EVERY_KIND).expect(err=b"")
        assert done.report["backend"] == "hooks", done


def test_the_programs_own_soft_limit() -> None:
    need_root()
    for mode in "all", "alloc":
        run(program("rescue"), "lower_soft", prepare=LOWER, user=NOBODY, MODE=mode).expect(err=b"")


def test_address_space() -> None:
    done = rescue("address_space").report
    assert done["backend"] == "kernel" and not done["downgrades"], done
    # At the start as well.
    done = run("/bin/true", prepare=limit(resource.RLIMIT_AS, 9 * MIB)).report
    assert done["backend"] == "kernel" and not done["downgrades"], done
