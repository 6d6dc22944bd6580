"""Why a lock could not be had: one line with the cause and what helps, and the program is as it is without us."""

import ctypes
import errno
import os
import resource

from harness import MIB, NOBODY, Run, Skip, limit, need_privilege, need_root, program, run

BAD_CONFIGURATION = 78
CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
MS_REC_PRIVATE = 0x4000 | 0x40000

# The place that is looked for first, so that a test's line is the same wherever it runs.
KUBERNETES = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}
IN_POD = "securityContext"

libc = ctypes.CDLL(None, use_errno=True)


def checked(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), "refused")


def hide_proc() -> None:
    """For `prepare`: an empty directory in the place of /proc."""
    checked(libc.unshare(CLONE_NEWNS))
    checked(libc.mount(b"none", b"/", None, ctypes.c_ulong(MS_REC_PRIVATE), None))
    checked(libc.mount(b"none", b"/proc", b"tmpfs", ctypes.c_ulong(0), None))


def enter_user_namespace() -> None:
    """For `prepare`: root in a user namespace of its own, with all capabilities there."""
    checked(libc.unshare(CLONE_NEWUSER))
    with open("/proc/self/uid_map", "w") as uids:
        uids.write("0 0 1\n")


def hide_proc_in_user_namespace() -> None:
    enter_user_namespace()
    hide_proc()


def possible(prepare) -> None:
    """Skips where it cannot be had."""
    need_root()
    child = os.fork()
    if child == 0:
        try:
            prepare()
            os._exit(0)
        except OSError:
            os._exit(1)
    if os.waitpid(child, 0)[1]:
        raise Skip(f"no namespaces here: {prepare.__name__}")


def start(*command: str, prepare=None, user: int | None = None, **settings: str) -> Run:
    return run(*(command or (program("exit_with"), "5")), prepare=prepare, user=user, also=KUBERNETES,
               # What denies calls is not to complain itself.
               **{"ON_FAILURE": "warn", "PROGRAMS": "exit_with", **settings})


def explained(*command: str, cause: str, helps: str, prepare=None, user: int | None = None, **settings: str) -> Run:
    """Whatever is to be done on a failure, the program is as it is alone, or is not started."""
    if user is not None:
        need_root()
    arguments = {"prepare": prepare, "user": user, **settings}
    done = start(*command, **arguments).expect(5, out=b"main ran\n")
    line = done.err.decode()
    assert line.count("\n") == 1 and line.endswith("\n") and len(line) < 400, done
    assert line.startswith("libautolock: exit_with: "), done
    assert cause in line, f"no {cause!r} in {line}"
    assert helps in line, f"no {helps!r} in {line}"

    ignored = start(*command, **arguments, ON_FAILURE="ignore").expect(5, out=b"main ran\n", err=b"")
    start(*command, **arguments, LOG="quiet").expect(5, out=b"main ran\n", err=b"")
    start(*command, **arguments, LOG="error").expect(5, out=b"main ran\n", err=b"")
    for level in "error", "warn":
        failed = start(*command, **arguments, ON_FAILURE="fail", LOG=level).expect(BAD_CONFIGURATION, out=b"")
        assert failed.err.decode() == line, failed
    start(*command, **arguments, ON_FAILURE="fail", LOG="quiet").expect(BAD_CONFIGURATION, out=b"", err=b"")
    return ignored


def memlock(soft: int, hard: int | None = None):
    if hard is None:
        return limit(resource.RLIMIT_MEMLOCK, soft)
    return lambda: resource.setrlimit(resource.RLIMIT_MEMLOCK, (soft, hard))


# -- limits ---------------------------------------------------------------------------------------


def test_limit_0() -> None:
    done = explained(cause="nothing is locked: the limit of locked memory is 0, and CAP_IPC_LOCK is missing",
                     helps=IN_POD, prepare=memlock(0), user=NOBODY)
    assert done.report["failures"]["EPERM"] >= 1 and done.report["backend"] == "none"


def test_limit_0_in_mode_alloc() -> None:
    for flags in "current,future", "current", "future":
        explained(cause="nothing is locked: the limit of locked memory is 0, and CAP_IPC_LOCK is missing",
                  helps=IN_POD, prepare=memlock(0), user=NOBODY, MODE="alloc", FLAGS=flags)


def test_limit_64k() -> None:
    done = explained(cause="only a part is locked: the limit of locked memory is 64.0 KiB, needed are ",
                     helps=IN_POD, prepare=memlock(64 << 10), user=NOBODY)
    assert done.report["skipped"]["budget"] >= 1


def test_limit_64k_in_mode_alloc() -> None:
    explained(cause="only a part is locked: the limit of locked memory is 64.0 KiB, needed are ", helps=IN_POD,
              prepare=memlock(64 << 10), user=NOBODY, MODE="alloc", KINDS="heap,anon,file,image", FLAGS="current")


def test_limit_that_holds_what_exists() -> None:
    need_root()
    for flags in "current", "current,future", "future":
        for on_failure in "warn", "fail":
            done = start(prepare=memlock(8 * MIB), user=NOBODY, FLAGS=flags, ON_FAILURE=on_failure)
            done.expect(5, out=b"main ran\n", err=b"")
            assert done.report["backend"] == "hooks" and not done.report["downgrades"], done


def test_hard_limit_is_named() -> None:
    if resource.getrlimit(resource.RLIMIT_MEMLOCK)[1] < MIB:
        raise Skip("the hard limit is too low here")
    # It is what holds: the soft one is raised to it.
    done = explained(cause="only a part is locked: the limit of locked memory is 1.0 MiB, needed are ", helps=IN_POD,
                     prepare=memlock(64 << 10, MIB), user=NOBODY)
    assert MIB // 2 < done.report["locked"]["peak_kernel_bytes"] <= MIB, done


def test_service() -> None:
    need_root()
    done = run(program("exit_with"), "5", prepare=memlock(0), user=NOBODY, also={"INVOCATION_ID": "0"},
               ON_FAILURE="warn").expect(5, out=b"main ran\n")
    # The test itself may run in a container or a session.
    assert done.err.count(b"\n") == 1
    assert any(place in done.err for place in (b"LimitMEMLOCK=infinity", b"--ulimit memlock=-1:-1", b"`ulimit -l")), done


# -- a capability that does not count -------------------------------------------------------------


def test_user_namespace() -> None:
    possible(enter_user_namespace)
    lower = memlock(64 << 10)

    def prepare() -> None:
        lower()
        enter_user_namespace()

    done = explained(cause="only a part is locked: CAP_IPC_LOCK does not count in this user namespace, and the limit of "
                     "locked memory is 64.0 KiB, needed are ", helps="LimitMEMLOCK= of the node's container runtime",
                     prepare=prepare)
    assert 0 < done.report["locked"]["kernel_bytes"] <= 64 << 10, done


# -- filters --------------------------------------------------------------------------------------


def denied(error: int, *calls: str) -> list:
    return [part for call in calls for part in (program("deny"), call, str(error), "0")] + [program("exit_with"), "5"]


def filtered(error: int, *calls: str, **settings: str) -> Run:
    need_privilege()
    done = explained(*denied(error, *calls),
                     cause=f"nothing is locked: a seccomp filter refuses mlock ({errno.errorcode[error]}); ",
                     helps="securityContext.seccompProfile", **settings)
    assert done.report["failures"][errno.errorcode[error]] >= 1
    return done


def test_seccomp_eperm() -> None:
    filtered(errno.EPERM, "mlockall", "mlock")


def test_seccomp_enosys() -> None:
    filtered(errno.ENOSYS, "mlockall", "mlock")


def test_seccomp_eperm_in_mode_alloc() -> None:
    filtered(errno.EPERM, "mlock", MODE="alloc")


def test_seccomp_enosys_in_mode_alloc() -> None:
    filtered(errno.ENOSYS, "mlock", MODE="alloc")


def test_a_refused_mlock2_hides_no_exemption() -> None:
    need_privilege()
    for error in errno.EPERM, errno.ENOSYS:
        done = run(*denied(error, "mlock2"), prepare=memlock(64 << 10)).expect(err=b"", status=5)
        assert done.report["backend"] == "kernel" and not any(done.report["failures"].values()), done


def test_no_memory() -> None:
    need_privilege()
    for error in errno.ENOMEM, errno.EAGAIN:
        explained(*denied(error, "mlockall", "mlock", "mlock2"),
                  cause=f"the memory of the machine or the cgroup is used up ({errno.errorcode[error]})",
                  helps="resources.limits.memory")


# -- no /proc -------------------------------------------------------------------------------------


def missing_figures(done: Run) -> bool:
    return any("/proc is not mounted" in entry["reason"] for entry in done.report["downgrades"])


def test_no_proc() -> None:
    # mlockall needs none; but the report has no figures then, and says so.
    need_privilege()
    possible(hide_proc)
    done = start(prepare=hide_proc).expect(5, out=b"main ran\n", err=b"")
    assert done.report["backend"] == "kernel" and done.report["locked"]["kernel_bytes"] == 0
    assert missing_figures(done), done


def test_no_proc_in_mode_alloc() -> None:
    need_privilege()
    possible(hide_proc)
    done = explained(cause="what exists now is not locked: /proc is not mounted, so what exists cannot be looked up; ",
                     helps="mount -t proc proc /proc", prepare=hide_proc, MODE="alloc")
    assert missing_figures(done), done


def test_no_proc_under_a_limit() -> None:
    # Who cannot find the stack does not lock it: past the limit its growth would be a SIGSEGV.
    possible(hide_proc_in_user_namespace)
    lower = memlock(8 * MIB)

    def prepare() -> None:
        lower()
        hide_proc_in_user_namespace()

    explained(cause="what exists now is not locked: /proc is not mounted", helps="mount -t proc proc /proc",
              prepare=prepare)


# -- log levels -----------------------------------------------------------------------------------


def test_info_says_what_is_locked() -> None:
    need_privilege()
    for settings, words in (({}, "all memory is locked by mlockall (current,future); "),
                            ({"BUDGET": "1M"}, "all memory is locked region by region (current,future); "),
                            ({"FLAGS": "current,onfault"}, "all memory is locked by mlockall (current,onfault); "),
                            ({"MODE": "alloc"}, "heap,anon locked region by region (current,future); "),
                            ({"MODE": "observe"}, "nothing is locked in mode observe; ")):
        done = start(LOG="info", **settings).expect(5, out=b"main ran\n")
        assert done.err.startswith(f"libautolock: exit_with: {words}".encode()) and done.err.count(b"\n") == 1, done
        start(LOG="warn", **settings).expect(5, out=b"main ran\n", err=b"")


def test_debug_says_each_step() -> None:
    need_privilege()
    done = start(*denied(errno.EPERM, "mlockall"), LOG="debug").expect(5, out=b"main ran\n")
    lines = done.err.decode().splitlines()
    assert done.report["downgrades"], done
    for entry in done.report["downgrades"]:
        assert f"libautolock: exit_with: {entry['reason']}" in lines, done
    assert "libautolock: exit_with: mlockall failed with EPERM for the first time" in lines, done
    assert len(lines) == len(done.report["downgrades"]) + 2, done


def test_debug_says_an_errno_once() -> None:
    need_privilege()
    done = start(*denied(errno.ENOMEM, "mlock"), LOG="debug", ON_FAILURE="ignore", MODE="alloc",
                 KINDS="heap,anon,file,image").expect(5, out=b"main ran\n")
    assert done.report["failures"]["ENOMEM"] > 1, done
    assert done.err.count(b"exit_with: mlock failed with ENOMEM for the first time\n") == 1, done


def test_who_may_not_lock_asks_once() -> None:
    need_privilege()
    for error in errno.EPERM, errno.ENOSYS:
        done = start(*denied(error, "mlock"), ON_FAILURE="ignore", MODE="alloc",
                     KINDS="heap,anon,file,image").expect(5, out=b"main ran\n", err=b"")
        assert done.report["failures"][errno.errorcode[error]] == 1, done
        assert ["locking given up" in entry["reason"] for entry in done.report["downgrades"]] == [True], done
