"""autolock check: what it says of the place where a program runs is what happens there."""

import ctypes
import errno
import json
import os
import resource
import shutil
import subprocess

from budget import cgroup, enter
from checking import Surroundings, as_nobody, as_root, made, set_capabilities, subjects, true_of, words
from command import Done, autolock, path
from explain import checked, enter_user_namespace, libc, memlock, possible
from harness import MIB, NOBODY, Skip, directory, need_privilege, need_root, program
from terminal import Terminal

SIGSYS = 31


def test_with_privilege() -> None:
    with directory() as folder:
        answer = true_of(as_root(), made(folder), verdict="all", loaded=True)
        assert subjects(answer, "ok") == {"limit", "program"} and not answer["limit_fixes"], answer
        assert not subjects(answer, "part", "none"), answer


def test_nobody_with_8m() -> None:
    with directory() as folder:
        answer = true_of(as_nobody(8 * MIB), made(folder), verdict="some", loaded=True)
        assert "limit of locked memory is 8.0 MiB" in words(answer, "limit"), answer
        assert answer["here"]["memlock_holds_bytes"] == 8 * MIB and answer["here"]["user"] == NOBODY, answer
        fixes = answer["limit_fixes"]
        for place, fix in (("shell", "`ulimit -l unlimited`"), ("shell", f":{NOBODY} - memlock unlimited"),
                           ("shell", "/etc/security/limits.d/"), ("systemd", "LimitMEMLOCK=infinity"),
                           ("docker", "docker run --ulimit memlock=-1:-1"), ("kubernetes", "LimitMEMLOCK=")):
            assert fix in fixes[place], fixes


def test_what_helps_does() -> None:
    """A higher limit in a shell, and the capability as an ambient one."""
    need_root()
    need_privilege()
    lower = memlock(8 * MIB)
    with directory() as folder:
        answer = Surroundings(user=NOBODY, prepare=lower).check(made(folder))
        fix = next(finding["fix"] for finding in answer["findings"] if finding["subject"] == "capability")
        if "`" not in fix:
            raise Skip("in a service its unit gives capabilities")
        before = fix.split("`")[1].removesuffix(" PROGRAM").split()
        if not shutil.which(before[0]):
            raise Skip(f"no {before[0]} here")
        answer = true_of(Surroundings(*before, prepare=lower), str(folder / "waits"), verdict="all", loaded=True)
        assert answer["here"]["user"] == NOBODY, answer


def test_nobody_with_0() -> None:
    with directory() as folder:
        answer = true_of(as_nobody(0), made(folder), verdict="none", loaded=True)
        assert subjects(answer, "none") == {"limit"}, answer
        assert "the limit of locked memory is 0" in words(answer, "limit"), answer


def test_a_hard_limit_is_what_holds() -> None:
    need_root()
    here = Surroundings(user=NOBODY, prepare=memlock(64 << 10, 4 * MIB))
    answer = here.check()
    assert answer["here"]["memlock_soft_bytes"] == 64 << 10, answer
    assert answer["here"]["memlock_holds_bytes"] == 4 * MIB, answer


def test_an_ambient_capability() -> None:
    need_root()
    setpriv = shutil.which("setpriv")
    if not setpriv:
        raise Skip("no setpriv here")
    before = (setpriv, f"--reuid={NOBODY}", "--clear-groups", "--inh-caps=+ipc_lock", "--ambient-caps=+ipc_lock")
    if subprocess.run([*before, "true"], capture_output=True, check=False).returncode:
        raise Skip("no ambient capability can be given here")
    with directory() as folder:
        answer = true_of(Surroundings(*before, prepare=memlock(64 << 10)), made(folder), verdict="all", loaded=True)
        assert "CAP_IPC_LOCK counts here" in words(answer, "limit"), answer


def test_a_capability_of_the_command_alone() -> None:
    """What the command can do by its file's capabilities, the program cannot."""
    need_root()
    with directory() as folder:
        command = shutil.copy2(path(), folder)
        set_capabilities(str(command), "cap_ipc_lock+ep")
        for limit, status in (8 * MIB, 1), (0, 2):
            process = subprocess.run([command, "check"], capture_output=True, check=False, user=NOBODY, group=NOBODY,
                                     extra_groups=[], preexec_fn=memlock(limit))
            assert process.returncode == status and not process.stderr, process


def test_a_capability_that_cannot_be_had() -> None:
    need_root()
    capsh = shutil.which("capsh")
    if not capsh:
        raise Skip("no capsh here")
    before = (capsh, "--drop=cap_ipc_lock", "--", "-c", 'exec "$0" "$@"')
    answer = Surroundings(*before, prepare=memlock(8 * MIB)).check()
    assert answer["verdict"] == "some" and "not in the bounding set" in words(answer, "capability"), answer
    with directory() as folder:
        true_of(Surroundings(*before, prepare=memlock(8 * MIB)), made(folder), verdict="some", loaded=True)


def test_user_namespace() -> None:
    possible(enter_user_namespace)
    lower = memlock(64 << 10)

    def prepare() -> None:
        lower()
        enter_user_namespace()

    with directory() as folder:
        answer = true_of(Surroundings(prepare=prepare), made(folder), verdict="some", loaded=True)
        assert "does not count in this user namespace" in words(answer, "limit"), answer
        assert answer["here"]["user_namespace"], answer


def test_cgroup() -> None:
    need_privilege()
    with cgroup(64 * MIB) as group, directory() as folder:
        answer = true_of(Surroundings(prepare=enter(group)), made(folder), verdict="all", loaded=True)
        assert answer["here"]["cgroup_limit_bytes"] == 64 * MIB, answer
        assert 0 <= answer["here"]["cgroup_used_bytes"] < 64 * MIB, answer
        assert "at most 57.5 MiB are locked" in words(answer, "cgroup"), answer
        answer = Surroundings(prepare=enter(group), BUDGET="16M").check()
        assert "at most 16.0 MiB are locked" in words(answer, "cgroup"), answer


def test_cgroup_that_is_full() -> None:
    need_privilege()
    with cgroup(64 * MIB) as group, directory() as folder:
        hog = made(folder, name="hog", source="""
            #include <string.h>
            #include <stdlib.h>
            #include <unistd.h>
            int main(void)
            {
                char c;
                memset(malloc(60 << 20), 1, 60 << 20);
                return write(1, "ready\\n", 6) != 6 || read(0, &c, 1) < 0;
            }
            """)
        with subprocess.Popen([hog], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              preexec_fn=enter(group)) as process:
            assert process.stdout is not None and process.stdout.readline() == b"ready\n"
            answer = Surroundings(prepare=enter(group)).check()
            process.kill()
        assert answer["verdict"] == "some" and subjects(answer, "part") == {"cgroup"}, answer


def denied(error: int, *calls: str) -> tuple:
    return tuple(part for call in calls for part in (program("deny"), call, str(error), "0"))


def test_seccomp() -> None:
    need_privilege()
    with directory() as folder:
        for error in errno.EPERM, errno.ENOSYS:
            # With mlock2 alone the library would lock its own tables, and nothing of the program.
            here = Surroundings(*denied(error, "mlockall", "mlock"))
            assert here.check()["verdict"] == "none", error
            here = Surroundings(*denied(error, "mlockall", "mlock", "mlock2"))
            answer = true_of(here, made(folder), verdict="none", loaded=True)
            assert subjects(answer, "none") == {"seccomp"} and answer["here"]["seccomp_filter"], answer
            assert f"a seccomp filter refuses mlock ({errno.errorcode[error]})" in words(answer, "seccomp"), answer


def test_seccomp_of_mlockall_alone() -> None:
    need_privilege()
    with directory() as folder:
        answer = true_of(Surroundings(*denied(errno.EPERM, "mlockall")), made(folder), verdict="all", loaded=True)
        assert subjects(answer, "note") >= {"seccomp"}, answer


def test_who_locks_is_killed() -> None:
    need_privilege()

    def prepare() -> None:
        """A filter: mlockall and mlock kill."""
        instructions = b"".join(code.to_bytes(2, "little") + bytes(jumps) + value.to_bytes(4, "little")
                                for code, jumps, value in ((0x20, (0, 0), 0), (0x15, (1, 0), 151), (0x15, (0, 1), 149),
                                                           (0x06, (0, 0), 0x80000000), (0x06, (0, 0), 0x7FFF0000)))
        code = ctypes.create_string_buffer(instructions, len(instructions))
        head = (ctypes.c_uint64 * 2)(len(instructions) // 8, ctypes.addressof(code))
        checked(libc.prctl(38, 1, 0, 0, 0))
        checked(libc.prctl(22, 2, head, 0, 0))

    if os.uname().machine != "x86_64":
        raise Skip("the numbers of system calls here are not known")
    here = Surroundings(prepare=prepare)
    answer = here.check()
    assert answer["verdict"] == "none", answer
    assert f"killed by signal {SIGSYS}" in words(answer, "seccomp"), answer
    with directory() as folder, here.running(made(folder)) as process:
        assert process.wait() == -SIGSYS


def test_settings() -> None:
    need_privilege()
    with directory() as folder:
        for settings, expected in (({"MODE": "off"}, "inert"), ({"MODE": "observe"}, "nothing is locked"),
                                   ({"PROGRAMS": "!waits"}, "leaves"), ({"PROGRAMS": "/elsewhere/*"}, "leaves")):
            here = Surroundings(**settings)
            answer = true_of(here, made(folder), verdict="none", loaded=settings.get("MODE") == "observe")
            assert expected in words(answer, "settings"), answer
        for settings in ({"PROGRAMS": "waits"}, {"PROGRAMS": f"{folder}/*"}, {"MODE": "all"}):
            true_of(Surroundings(**settings), made(folder), verdict="all", loaded=True)
        answer = Surroundings(MODE="al").check()
        assert answer["verdict"] == "all" and "did you mean" in words(answer, "settings"), answer
        assert Surroundings(MODE="al", ON_FAILURE="fail").check()["verdict"] == "none"


# -- the command ----------------------------------------------------------------------------------


def test_what_cannot_be() -> None:
    for arguments in (("--format",), ("--format", "xml"), ("--nothing",), ("true", "false"), ("true", "--format"),
                      ("x" * 5000,)):
        done: Done = autolock("check", *arguments).expect(64, b"")
        assert done.err.count(b"\n") >= 1, done
    with open("/dev/full", "wb") as full:
        process = subprocess.run([path(), "check"], stdout=full, stderr=subprocess.PIPE, check=False)
        assert process.returncode == 74 and b"cannot be written" in process.stderr, process


def test_help() -> None:
    assert autolock("check", "--help").expect(0, err=b"").out.startswith(b"usage: autolock check ")


def test_names_are_harmless() -> None:
    with directory() as folder:
        name = str(folder / "a\033[31m\nb\xff\"")
        done = autolock("check", name).expect(2, err=b"")
        assert b"\033" not in done.out and b'\\x1b' in done.out.lower(), done
        done = autolock("check", "--format", "json", name).expect(2, err=b"")
        assert json.loads(done.out)["program"]["file"].endswith('"'), done
        # Each of these bytes is written as six, as often as there are places for them.
        name = ("\1" * 250 + "/") * 16
        done = autolock("check", "--format", "json", name).expect(2, err=b"")
        assert json.loads(done.out)["program"]["name"] == name, done


def test_colours() -> None:
    """On a terminal that has them, unless they are not wanted; never in JSON."""
    plain = {"PATH": os.environ["PATH"], "TERM": "xterm"}
    for env, coloured in ((plain, True), ({**plain, "NO_COLOR": "1"}, False), ({**plain, "TERM": "dumb"}, False)):
        for form in "text", "json":
            with Terminal(path(), "check", "--format", form, "true", env=env) as terminal:
                assert os.waitstatus_to_exitcode(terminal.end()) in (0, 1, 2)
                assert terminal.written and (b"\033[" in terminal.written) == (coloured and form == "text"), terminal.written
    assert b"\033" not in autolock("check", "true", env=plain).out


def test_nothing_stays() -> None:
    """Neither a limit nor a lock of who asks."""
    before = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    autolock("check", "true")
    assert resource.getrlimit(resource.RLIMIT_MEMLOCK) == before
