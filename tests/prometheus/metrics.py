"""The metrics by themselves: what Prometheus' own linter says of them, and whether they are true."""

import os
import resource
import shutil
import subprocess

import exposition
import harness
from harness import EVERY_KIND, Run, limit, program, run


def reported(*command: str, **settings) -> tuple:
    done = run(*command, **{"STATS": "prometheus", **settings}).expect(err=b"")
    return done, exposition.parse(done.written)


def complaints(text: bytes) -> str:
    """What promtool finds to be wrong; "" if nothing."""
    promtool = shutil.which("promtool")
    if not promtool:
        raise harness.Skip("promtool is not installed")
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False,
                          timeout=harness.PATIENCE_S)
    said = (done.stdout + done.stderr).decode()
    assert bool(done.returncode) == bool(said.strip()), f"status {done.returncode}, and it says {said!r}"
    return said


def clean(**settings) -> Run:
    done, _ = reported(program("locking_work"), "20", **settings)
    assert complaints(done.written) == "", complaints(done.written)
    return done


# -- promtool -------------------------------------------------------------------------------------


def test_promtool_mode_all() -> None:
    harness.need_privilege()
    clean(MODE="all")


def test_promtool_mode_all_by_the_hooks() -> None:
    harness.need_privilege()
    clean(MODE="all", BUDGET="200M")


def test_promtool_mode_alloc() -> None:
    clean(MODE="alloc", KINDS=EVERY_KIND)


def test_promtool_mode_observe() -> None:
    clean(MODE="observe")


def test_promtool_downgrades() -> None:
    """Something became less than was asked for, and a name needs every escape."""
    with harness.directory() as temporary:
        path = temporary / 'a "b"\\c\nd'
        shutil.copy2(program("exit_with"), path)
        done, samples = reported(str(path), "0", MODE="observe", HEAP_RESERVE="1G", LOG="quiet",
                                 prepare=limit(resource.RLIMIT_AS, 1 << 28))
    assert exposition.value(samples, "autolock_downgrades_total") > 0, done
    assert [name for name, _ in samples if name == "autolock_downgrade_seconds"], done
    assert exposition.label(samples, "program") == 'a "b"\\c\nd', done
    assert complaints(done.written) == "", complaints(done.written)


def test_promtool_name_that_is_not_utf8() -> None:
    with harness.directory() as temporary:
        path = os.fsencode(temporary) + b"/bad \xff\xc3"
        shutil.copy2(program("exit_with"), path)
        done, samples = reported(path, "0", MODE="observe")
    assert exposition.label(samples, "program") == "bad \ufffd\ufffd", done
    assert complaints(done.written) == "", complaints(done.written)


def test_promtool_finds_what_is_wrong() -> None:
    """The linter that is happy with us is one that can be unhappy."""
    done, _ = reported(program("exit_with"), "0", MODE="observe")
    for right, wrong in ((b"# HELP autolock_calls_total", b"# autolock_calls_total"),
                         (b"autolock_need_memlock_bytes", b"autolock_need_memlock_kilobytes"),
                         (b"autolock_forks_total", b"autolock_forks"),
                         (b'mode="observe"} 0\n', b'mode="observe} 0\n')):
        assert right in done.written, right
        assert complaints(done.written.replace(right, wrong)), wrong


# -- the numbers ----------------------------------------------------------------------------------


def calls(times: str, **settings: str) -> tuple:
    """What the program says it called, and what the report says."""
    done, samples = reported(program("known_calls"), "all", times, MODE="observe", **settings)
    own = {name: int(count) for name, count in (line.split() for line in done.out.decode().splitlines())}
    return own, {name: exposition.value(samples, "autolock_calls_total", call=name) for name in own}


def test_calls_are_those_that_were_made() -> None:
    own, counted = calls("200")
    own_before, counted_before = calls("0")
    made = {name: own[name] - own_before[name] for name in own}
    assert sum(made.values()) > 0
    assert {name: counted[name] - counted_before[name] for name in own} == made


def test_what_the_run_was() -> None:
    done, samples = reported(program("exit_with"), "0", MODE="observe", FLAGS="future", MAX_SIZE="64K", ARENAS="3")
    assert exposition.label(samples, "pid") == str(done.pid)
    assert exposition.label(samples, "program") == "exit_with"
    assert exposition.label(samples, "mode") == "observe"
    assert exposition.value(samples, "autolock_info", flags="future", backend="none", ended="exit") == 1
    assert exposition.value(samples, "autolock_option_bytes", option="max_size") == 65536
    assert exposition.value(samples, "autolock_option_number", option="arenas") == 3
    assert exposition.value(samples, "autolock_option_info", option="stats", value="prometheus") == 1


def test_the_kernels_word() -> None:
    """By the kernel's own count, what a program that locks all of itself has locked is what it has resident."""
    harness.need_privilege()
    _, samples = reported(program("exit_with"), "0", MODE="all")
    locked = exposition.value(samples, "autolock_locked_kernel_bytes")
    resident = exposition.value(samples, "autolock_memory_rss_bytes")
    assert locked > 0 and abs(locked - resident) < harness.MIB, (locked, resident)
    _, samples = reported(program("exit_with"), "0", MODE="observe")
    assert exposition.value(samples, "autolock_locked_kernel_bytes") == 0


def test_limits() -> None:
    hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)[1]
    for soft in 1 << 20, hard:
        _, samples = reported(program("exit_with"), "0", MODE="observe", prepare=limit(resource.RLIMIT_MEMLOCK, soft))
        expected = float("inf") if soft == resource.RLIM_INFINITY else soft
        assert exposition.value(samples, "autolock_memory_limit_bytes") == expected
        assert exposition.value(samples, "autolock_option_bytes", option="max_size") == float("inf")
