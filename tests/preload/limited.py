"""Mode all under a memlock limit: what serves latency first is locked first, up to the limit, and the program's own calls
and locks find the limit as they would without us."""

import resource

import harness
from harness import MIB, NOBODY, Run, behind, limit, need_root, program, run, without

LIMIT = 8 * MIB


def limited(*command: str, **settings) -> Run:
    need_root()
    return run(*command, user=NOBODY, prepare=limit(resource.RLIMIT_MEMLOCK, LIMIT), **settings).expect(err=b"")


def test_most_of_the_limit_is_used() -> None:
    done = limited(program("small_steps"), "64")
    most = int(done.out.split()[0]) * 1024
    assert LIMIT * 3 // 4 <= most <= LIMIT, done
    assert LIMIT * 3 // 4 <= done.report["locked"]["kernel_bytes"] <= LIMIT, done
    assert done.report["skipped"]["budget"] > 0 and not any(done.report["failures"].values()), done


def test_program_and_heap_come_first() -> None:
    limited(program("limited"), "order")


def scenario(name: str) -> None:
    need_root()
    without(program("limited"), name, user=NOBODY, prepare=limit(resource.RLIMIT_MEMLOCK, LIMIT)).expect(err=b"")
    for settings in {"MODE": "all"}, {"MODE": "all", "FLAGS": "current,future,onfault"}, {"MODE": "alloc"}:
        limited(program("limited"), name, **settings)


def test_stacks_where_memory_from_before_was() -> None:
    """Nothing of what was there is taken for locked any more: below what is locked of a stack, and where its guard is."""
    preload = f"{harness.library}:{behind('alloc_early')}"
    for kinds in "stack", "anon,stack":
        for how in {}, {"user": NOBODY, "prepare": limit(resource.RLIMIT_MEMLOCK, LIMIT)}:
            need_root()
            done = run(program("ends"), "stacks", preload=preload, MODE="alloc", KINDS=kinds, **how).expect(6)
            locked = done.report["locked"]
            assert locked["tracked_bytes"] <= locked["kernel_bytes"], done
            assert done.report["by_kind"]["stack"]["locked_bytes"] >= 8 * (124 << 10), done


def test_stack_size() -> None:
    scenario("stack_size")
    limited(program("limited"), "stack_size", MODE="alloc", KINDS=harness.EVERY_KIND)


def test_stack_size_in_a_child() -> None:
    harness.need_privilege()
    without(program("limited"), "stack_size_in_a_child").expect(err=b"")
    for fork in "onfault", "relock":
        for settings in {"BUDGET": "512M"}, {"MODE": "alloc", "KINDS": harness.EVERY_KIND}:
            done = run(program("limited"), "stack_size_in_a_child", FORK=fork, **settings).expect(err=b"")
            locked = done.report["locked"]
            assert locked["tracked_bytes"] <= locked["kernel_bytes"], (fork, settings, done)


def test_own_mlock() -> None:
    scenario("own_mlock")


def test_own_mlock2() -> None:
    scenario("own_mlock2")


def test_own_map_locked() -> None:
    scenario("own_map_locked")


def test_own_mlock_grows() -> None:
    scenario("own_mlock_grows")


def test_grows_beside_own_mlock() -> None:
    scenario("grows_beside_own_mlock")


def test_secret_memory() -> None:
    scenario("secret_memory")


def test_own_mlockall() -> None:
    scenario("own_mlockall")


def test_own_mlockall_of_what_comes() -> None:
    scenario("own_mlockall_future")


def test_without_reserve() -> None:
    scenario("without_reserve")


def test_grows_down() -> None:
    scenario("grows_down")


def test_remap_of_parts() -> None:
    scenario("remap_of_parts")


def test_stack() -> None:
    scenario("stack")


def test_tops_of_thread_stacks() -> None:
    scenario("thread_stack")


def test_a_thousand_threads() -> None:
    scenario("thousand_threads")


def test_need_is_more_than_what_was_had() -> None:
    done = limited(program("small_steps"), "32", MODE="alloc", KINDS="heap,anon")
    assert done.report["locked"]["peak_tracked_bytes"] <= LIMIT < 32 * MIB <= done.report["need"]["memlock_bytes"], done
