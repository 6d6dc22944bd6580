"""Reserves that cannot be had: said once, in the report too, and the program goes on."""

import resource

from budget import cgroup, enter
from harness import MIB, Run, limit, program, run


def too_large(**settings) -> Run:
    done = run(program("reserves"), "too_large", **settings).expect(out=b"main ran\n")
    assert done.err.count(b"\n") == 1 and done.err.startswith(b"libautolock: AUTOLOCK_"), done
    assert len(done.report["downgrades"]) >= 1, done
    quiet = run(program("reserves"), "too_large", LOG="quiet", **settings).expect(out=b"main ran\n", err=b"")
    assert quiet.report["downgrades"], quiet
    return done


def test_heap() -> None:
    too_large(MODE="observe", HEAP_RESERVE="100T")


def test_heap_in_a_cgroup() -> None:
    with cgroup(128 * MIB) as folder:
        too_large(MODE="observe", HEAP_RESERVE="256M", prepare=enter(folder))


def test_main_stack() -> None:
    for reserve in "1G", "100T":
        done = run(program("reserves"), "too_large", MODE="observe", STACK_RESERVE=reserve,
                   prepare=limit(resource.RLIMIT_STACK, 4 << 20)).expect(out=b"main ran\n")
        assert b"AUTOLOCK_STACK_RESERVE=" in done.err and done.err.count(b"\n") == 1, done
        assert done.report["downgrades"], done


def test_address_space() -> None:
    for name in "HEAP_RESERVE", "STACK_RESERVE":
        done = run(program("reserves"), "too_large", MODE="observe", prepare=limit(resource.RLIMIT_AS, 64 << 20),
                   **{name: "6M" if name == "STACK_RESERVE" else "100M"}).expect(out=b"main ran\n")
        assert name == "STACK_RESERVE" or b"AUTOLOCK_HEAP_RESERVE=100M" in done.err, done


def test_thread_stack() -> None:
    too_large(MODE="observe", THREAD_STACK="1K")


def test_stack_without_a_limit() -> None:
    done = run(program("reserves"), "main_stack", MODE="observe", STACK_RESERVE="64M",
               prepare=limit(resource.RLIMIT_STACK, resource.RLIM_INFINITY))
    done.expect(err=b"")
