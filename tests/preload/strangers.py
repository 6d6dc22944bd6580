"""Programs that replace what the library hooks: sanitizers' are left alone, allocators of a program's own noticed."""

import os

from budget import cgroup, enter
from harness import MIB, Skip, need_root, program, run

MODES = ("all", "alloc")
LEFT_ALONE = b"libautolock: %s: left alone, nothing is locked: it is built with %s\n"
OWN = "heap calls did not reach us"


def built(name: str) -> str:
    if not os.path.exists(program(name)):
        raise Skip(f"the compiler here makes no {name}")
    return program(name)


def sanitized(name: str, sanitizer: bytes) -> None:
    command = built(name)
    run(command, MODE="off").expect(status=3, out=b"2016\n", err=b"")
    for mode in MODES:
        done = run(command, MODE=mode, ON_FAILURE="warn")
        done.expect(status=3, out=b"2016\n", err=LEFT_ALONE % (name.encode(), sanitizer))
        assert not done.reports, done
        run(command, MODE=mode, ON_FAILURE="warn", LOG="quiet").expect(status=3, out=b"2016\n", err=b"")


def test_address_sanitizer() -> None:
    sanitized("strangers_asan", b"AddressSanitizer")


def test_thread_sanitizer() -> None:
    sanitized("strangers_tsan", b"ThreadSanitizer")


def test_memory_sanitizer() -> None:
    sanitized("strangers_msan", b"MemorySanitizer")


def test_a_sanitizer_that_nothing_tells_of() -> None:
    # Linked in, it exports no name; its shadow of terabytes is there before us.
    need_root()
    command = built("strangers_asan_static")
    with cgroup(1024 * MIB) as folder:
        for mode in MODES:
            run(command, prepare=enter(folder), MODE=mode).expect(status=3, out=b"2016\n", err=b"")


def test_an_allocator_of_its_own() -> None:
    for mode in MODES:
        done = run(program("strangers_own"), MODE=mode).expect(status=3, out=b"2016\n")
        assert [OWN in entry["reason"] for entry in done.report["downgrades"]].count(True) == 1, done


def test_an_allocator_as_usual() -> None:
    for mode in MODES:
        done = run(program("strangers"), MODE=mode).expect(status=3, out=b"2016\n")
        assert not [entry for entry in done.report["downgrades"] if OWN in entry["reason"]], done
