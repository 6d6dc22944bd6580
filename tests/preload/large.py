"""Large regions, brought in with huge pages and by several threads: as locked and as whole as without, and no bigger."""

import ctypes
import itertools
import json
import os
import pathlib

from harness import MIB, NOBODY, Run, Skip, need_privilege, program, run, without

ANONYMOUS = ("mmap", "opened", "malloc", "calloc", "aligned_alloc", "heap", "thread")
OTHERS = ("file", "shared", "readable")
# What lies in the same mapping besides: headers of blocks, what the heap has grown ahead.
AROUND = MIB
HUGE = 2 * MIB
FAST = {"HUGEPAGES": "1", "POPULATE_THREADS": "2"}


def _large(how: str, size: int, *more: str, starter=run, **settings) -> tuple:
    done = starter(program("large"), how, str(size), *more, **settings).expect(0, err=b"")
    return json.loads(done.out), done


def need_huge_pages() -> None:
    chosen = pathlib.Path("/sys/kernel/mm/transparent_hugepage/enabled")
    if not chosen.exists() or "[never]" in chosen.read_text():
        raise Skip("the kernel gives no transparent huge pages here")


def _is_whole(found: dict, done: Run, size: int) -> None:
    assert found["resident"] >= size, (found, done)
    assert found["locked"] >= size, (found, done)
    assert found["faults"] <= 2, (found, done)
    assert not any(done.report["failures"].values()), done


def _check_anonymous(mode: str) -> None:
    need_privilege()
    for how, size in itertools.product(ANONYMOUS, (5 * MIB + 4096, 64 * MIB)):
        plain, _ = _large(how, size, MODE=mode)
        for settings in ({"POPULATE_THREADS": "2"}, {"HUGEPAGES": "1"}, FAST):
            found, done = _large(how, size, MODE=mode, **settings)
            _is_whole(found, done, size)
            # What was there before is the same within a block's slack: nothing is brought in that nobody asked for.
            assert found["resident"] <= plain["resident"] + AROUND, (how, settings, plain, found)
            assert found["locked"] <= plain["locked"] + AROUND, (how, settings, plain, found)
            if "HUGEPAGES" not in settings:
                assert found["huge"] == 0, (how, settings, found)


def test_all() -> None:
    _check_anonymous("all")


def test_alloc() -> None:
    _check_anonymous("alloc")


def test_huge_pages_are_used() -> None:
    need_privilege()
    need_huge_pages()
    size = 64 * MIB
    for mode, how in itertools.product(("all", "alloc"), ("mmap", "malloc", "calloc", "aligned_alloc")):
        found, done = _large(how, size, MODE=mode, **FAST)
        # As many as lie within the region; the kernel may have none left of a kind, but not of most.
        assert found["huge"] >= size - 2 * HUGE - size // 4, (mode, how, found, done)


def test_where_nobody_writes() -> None:
    need_privilege()
    for mode, how in itertools.product(("all", "alloc"), OTHERS):
        settings = {"MODE": mode, "KINDS": "heap,anon,file,shared"}
        plain, _ = _large(how, 16 * MIB, **settings)
        found, done = _large(how, 16 * MIB, **settings, **FAST)
        assert abs(found["resident"] - plain["resident"]) <= AROUND, (mode, how, plain, found, done)
        # Tables of ours are locked too: how many there are depends on the addresses.
        assert abs(found["locked"] - plain["locked"]) <= AROUND, (mode, how, plain, found, done)
        assert not any(done.report["failures"].values()), done


def test_what_exists_at_the_start() -> None:
    need_privilege()
    need_huge_pages()
    size = 64 * MIB
    for settings in ({}, {"POPULATE_THREADS": "2"}, FAST):
        done = run(program("large_bss"), "bss", str(size), MODE="all", **settings).expect(0, err=b"")
        found = json.loads(done.out)
        _is_whole(found, done, size)
        assert (found["huge"] >= size // 2) == ("HUGEPAGES" in settings), (settings, found, done)


def _maps_grow_upwards() -> None:
    """As under `ulimit -s unlimited`: mappings lie below the heap."""
    personality = ctypes.CDLL(None).personality
    assert personality(personality(0xFFFFFFFF) | 0x0200000) >= 0  # ADDR_COMPAT_LAYOUT


def test_mappings_below_the_heap() -> None:
    need_privilege()
    size = 16 * MIB
    for how in ("malloc", "calloc", "aligned_alloc", "heap"):
        found, done = _large(how, size, prepare=_maps_grow_upwards, **FAST)
        _is_whole(found, done, size)


def test_on_fault_nothing_is_brought_in() -> None:
    need_privilege()
    for mode, how in itertools.product(("all", "alloc"), ("mmap", "malloc")):
        found, done = _large(how, 64 * MIB, MODE=mode, FLAGS="current,future,onfault", **FAST)
        assert found["resident"] < 8 * MIB, (mode, how, found, done)
        assert found["locked"] >= 64 * MIB, (mode, how, found, done)


def test_without_a_limit_of_ours() -> None:
    need_privilege()
    for mode in ("all", "alloc"):
        found, done = _large("mmap", 64 * MIB, MODE=mode, BUDGET="unlimited", **FAST)
        _is_whole(found, done, 64 * MIB)


def test_past_the_budget_nothing_is_brought_in() -> None:
    for mode in ("all", "alloc"):
        found, done = _large("mmap", 64 * MIB, MODE=mode, BUDGET="32M", **FAST)
        assert found["locked"] <= 32 * MIB, (mode, found, done)
        assert found["resident"] <= 32 * MIB, (mode, found, done)


def test_where_no_thread_can_be_made() -> None:
    """The limit of processes does not hold for root: nobody locks what its limit allows."""
    found, done = _large("mmap", 5 * MIB, "no-threads", MODE="alloc", user=NOBODY, **FAST)
    assert found["resident"] >= 5 * MIB and found["locked"] >= 5 * MIB, (found, done)


def test_calls_are_counted() -> None:
    need_privilege()
    if (os.cpu_count() or 1) < 2:
        raise Skip("one processor, and so one thread")
    _, plain = _large("mmap", 64 * MIB, MODE="alloc")
    _, done = _large("mmap", 64 * MIB, MODE="alloc", **FAST)
    pieces = done.report["syscalls"]["madvise"]["count"] - plain.report["syscalls"]["madvise"]["count"]
    assert pieces >= 3, done  # the advice, and the pieces
    assert done.report["calls"] == plain.report["calls"], (plain, done)
    assert done.report["syscalls"]["madvise"]["max_ns"] <= done.report["syscalls"]["madvise"]["time_ns"], done


def test_as_without() -> None:
    """In the program's own view all is as it is without the library, but for the faults and the locks."""
    for how in ANONYMOUS:
        bare, _ = _large(how, 8 * MIB, starter=without)
        found, _ = _large(how, 8 * MIB, **FAST)
        assert bare["locked"] == 0 and found.keys() == bare.keys()
