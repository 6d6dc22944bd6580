"""What becomes of a program whose memory cannot be locked as asked, or whose settings are wrong."""

import errno
import os
import resource

from harness import MIB, NOBODY, Run, limit, need_no_privilege, need_privilege, program, run

BAD_CONFIGURATION = 78


def as_ordinary_user(memlock: int, *command: str, **settings: str) -> Run:
    if os.geteuid() != 0:
        need_no_privilege()
    return run(*(command or (program("exit_with"), "5")), user=NOBODY if os.geteuid() == 0 else None,
               prepare=limit(resource.RLIMIT_MEMLOCK, memlock), **{"ON_FAILURE": "warn", **settings})


def one_line(done: Run) -> str:
    assert done.err.count(b"\n") == 1 and done.err.startswith(b"libautolock: "), done
    return done.err.decode()


# -- as an ordinary user --------------------------------------------------------------------------


SMALL = 64 << 10  # a limit in which nothing fits that exists at start


def test_fail_under_a_limit() -> None:
    as_ordinary_user(8 * MIB, ON_FAILURE="fail").expect(5, out=b"main ran\n", err=b"")
    one_line(as_ordinary_user(SMALL, ON_FAILURE="fail").expect(BAD_CONFIGURATION, out=b""))


def test_fail_with_limit_0() -> None:
    one_line(as_ordinary_user(0, ON_FAILURE="fail").expect(BAD_CONFIGURATION, out=b""))


def test_warn_under_a_limit() -> None:
    """Where all fits there is nothing to say: each region is locked by itself, the stack's rest below it apart."""
    done = as_ordinary_user(8 * MIB).expect(5, out=b"main ran\n", err=b"")
    assert done.report["backend"] == "hooks" and not done.report["downgrades"], done
    assert MIB < done.report["locked"]["kernel_bytes"] <= 8 * MIB
    assert done.report["skipped"]["budget"] == 0 and not any(done.report["failures"].values()), done
    assert done.report["memory"]["limit_bytes"] == 8 * MIB


def test_warn_under_a_small_limit() -> None:
    done = as_ordinary_user(SMALL).expect(5, out=b"main ran\n")
    assert "only a part is locked" in one_line(done) and "64.0 KiB" in one_line(done), done
    assert done.report["backend"] == "hooks" and 0 < done.report["locked"]["kernel_bytes"] <= SMALL, done
    assert done.report["skipped"]["budget"] > 0 and done.report["need"]["memlock_bytes"] > MIB, done


def test_warn_with_limit_0() -> None:
    done = as_ordinary_user(0).expect(5, out=b"main ran\n")
    one_line(done)
    assert done.report["backend"] == "none" and done.report["locked"]["kernel_bytes"] == 0
    assert done.report["failures"]["EPERM"] >= 1


def test_ignore_under_a_limit() -> None:
    for memlock in 8 * MIB, SMALL:
        done = as_ordinary_user(memlock, ON_FAILURE="ignore").expect(5, out=b"main ran\n", err=b"")
        assert (done.report["skipped"]["budget"] > 0) == (memlock == SMALL), done
        assert 0 < done.report["locked"]["kernel_bytes"] <= memlock, done


def test_ignore_with_limit_0() -> None:
    done = as_ordinary_user(0, ON_FAILURE="ignore").expect(5, out=b"main ran\n", err=b"")
    assert done.report["failures"]["EPERM"] >= 1


def test_current_alone_fits_under_a_limit() -> None:
    done = as_ordinary_user(8 * MIB, FLAGS="current", ON_FAILURE="fail").expect(5, out=b"main ran\n", err=b"")
    assert done.report["locked"]["kernel_bytes"] > MIB and not done.report["downgrades"], done


def test_stack_grows_past_a_limit() -> None:
    # The kernel answers the growth of a locked stack beyond the limit with SIGSEGV.
    for settings in ({}, {"FLAGS": "current"}, {"MODE": "alloc", "KINDS": "stack,heap"}):
        as_ordinary_user(8 * MIB, program("stack_growth"), **settings).expect(0)


def test_heap_grows_past_a_limit() -> None:
    # A limit that holds must never reach the program's own malloc.
    as_ordinary_user(8 * MIB, program("allocator_load")).expect(0)
    as_ordinary_user(8 * MIB, program("allocator_load"), FLAGS="future,onfault").expect(0)


def test_observe_needs_no_privilege() -> None:
    done = as_ordinary_user(0, MODE="observe", ON_FAILURE="fail").expect(5, err=b"")
    assert done.report["need"]["memlock_bytes"] > 0


# -- wrong settings -------------------------------------------------------------------------------


def test_bad_value() -> None:
    done = run(program("exit_with"), "5", FLAGS="current,futre").expect(5, out=b"main ran\n")
    line = one_line(done)
    for part in "AUTOLOCK_FLAGS", "current,futre", "future", "onfault":
        assert part in line, line
    assert set(done.report["flags"]) == {"current", "future"}


def test_bad_value_fails() -> None:
    one_line(run(program("exit_with"), MODE="everything", ON_FAILURE="fail").expect(BAD_CONFIGURATION, out=b""))


def test_unknown_name() -> None:
    done = run(program("exit_with"), "5", MODES="all").expect(5, out=b"main ran\n")
    assert "AUTOLOCK_MODES" in one_line(done) and "AUTOLOCK_MODE?" in one_line(done), done


def test_unknown_name_fails() -> None:
    one_line(run(program("exit_with"), MODES="all", ON_FAILURE="fail").expect(BAD_CONFIGURATION, out=b""))


def test_bad_value_is_ignored_in_silence() -> None:
    run(program("exit_with"), "5", MODES="all", LOG="quiet").expect(5, out=b"main ran\n", err=b"")


def test_onfault_alone() -> None:
    done = run(program("exit_with"), "5", FLAGS="onfault").expect(5)
    assert "AUTOLOCK_FLAGS" in one_line(done)
    assert set(done.report["flags"]) == {"current", "future", "onfault"}


def test_off_is_silent() -> None:
    run(program("exit_with"), "5", MODE="off", FLAGS="nonsense", NO_SUCH_NAME="1", ON_FAILURE="fail").expect(
        5, out=b"main ran\n", err=b"")


# -- kernels and containers that forbid it --------------------------------------------------------


def denied(error: int, flags: str = "0", calls: tuple = ("mlockall",), **settings: str) -> Run:
    need_privilege()
    command = [part for call in calls for part in (program("deny"), call, str(error), flags)]
    return run(*command, program("exit_with"), "5", **{"ON_FAILURE": "warn", "PROGRAMS": "exit_with", **settings})


def no_mlockall(name: str) -> None:
    """Then each region is locked by itself. Without that too, it is a failure."""
    error = getattr(errno, name)
    for on_failure in "warn", "fail":
        done = denied(error, ON_FAILURE=on_failure).expect(5, out=b"main ran\n", err=b"")
        assert done.report["failures"][name] == 1 and done.report["backend"] == "hooks", done
        assert done.report["locked"]["kernel_bytes"] > MIB, done
        assert ["mlockall refused" in entry["reason"] for entry in done.report["downgrades"]] == [True], done
    every = {"calls": ("mlockall", "mlock", "mlock2")}
    done = denied(error, **every).expect(5, out=b"main ran\n")
    line = one_line(done)
    # Not the limit's fault: it must not be blamed.
    assert "limit of locked memory" not in line and "ulimit" not in line, line
    assert done.report["failures"][name] >= 1 and done.report["locked"]["kernel_bytes"] == 0, done
    quiet = denied(error, ON_FAILURE="ignore", **every).expect(5, out=b"main ran\n", err=b"")
    assert quiet.report["failures"][name] >= 1
    one_line(denied(error, ON_FAILURE="fail", **every).expect(BAD_CONFIGURATION, out=b""))


def test_mlockall_eperm() -> None:
    no_mlockall("EPERM")


def test_mlockall_enomem() -> None:
    no_mlockall("ENOMEM")


def test_mlockall_eagain() -> None:
    no_mlockall("EAGAIN")


def test_mlockall_enosys() -> None:
    no_mlockall("ENOSYS")


def test_mlockall_einval() -> None:
    no_mlockall("EINVAL")


def test_other_errors_are_counted_too() -> None:
    assert denied(errno.EIO).expect(5).report["failures"]["other"] == 1


def test_kernel_without_onfault() -> None:
    done = denied(errno.EINVAL, "4", FLAGS="current,future,onfault").expect(5, out=b"main ran\n")
    assert [entry for entry in done.report["downgrades"] if "ONFAULT" in entry["reason"]], done
    assert done.report["backend"] == "kernel" and done.report["locked"]["kernel_bytes"] > 0
    assert done.report["failures"]["EINVAL"] == 1


def test_kernel_without_mlock2_and_a_file_that_ends_early() -> None:
    need_privilege()
    done = run(program("deny"), "mlock2", str(errno.ENOSYS), "0", program("alloc_mappings"),
               "beyond_the_end_without_mlock2", MODE="alloc", KINDS="anon,shared,file", PROGRAMS="alloc_mappings",
               also={"EXPECT_NO_MLOCK2": "1"})
    report = done.expect(0).report
    assert report["failures"]["ENOMEM"] == 1, report
    assert not report["downgrades"], report
