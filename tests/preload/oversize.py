"""Address space without memory behind it, and heaps that grow past the budget: nothing is brought in for the lock, the
program lives on in its cgroup, and what fits is still locked."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parents[1] / "bench"))

from budget import cgroup, enter  # noqa: E402
import harness  # noqa: E402
from harness import EVERY_KIND, MIB, Run, Skip, behind, need_privilege, need_root, program, run, without  # noqa: E402
from measure import Skipped  # noqa: E402
import swap  # noqa: E402

SIZE = 512 * MIB
MODES = ({"MODE": "all"}, {"MODE": "all", "FLAGS": "current,future,onfault"}, {"MODE": "alloc", "KINDS": EVERY_KIND})


def sparse(way: str) -> None:
    need_root()
    need_privilege()
    with cgroup(SIZE) as folder:
        without(program("oversize"), way, prepare=enter(folder)).expect(err=b"")
        for settings in MODES:
            done = run(program("oversize"), way, prepare=enter(folder), **settings).expect(err=b"")
            resident = int(done.out.split()[1]) * 1024
            assert resident < 64 * MIB, (settings, done)
            assert done.report["memory"]["cgroup_limit_bytes"] == SIZE, done
            assert not any(done.report["failures"].values()), done


def test_reservation() -> None:
    sparse("reservation")


def test_shared_file() -> None:
    sparse("shared_file")


def test_malloc() -> None:
    sparse("malloc")


def test_calloc() -> None:
    sparse("calloc")


def test_realloc() -> None:
    sparse("realloc")


def test_memalign() -> None:
    sparse("memalign")


def test_mremap() -> None:
    sparse("mremap")


def test_mprotect() -> None:
    sparse("mprotect")


def test_twice_the_cgroup() -> None:
    sparse("twice")


def test_random_places() -> None:
    sparse("random_places")


def in_a_small_cgroup(way: str, least: int = 12 * MIB) -> None:
    """It fits when it is touched as it is; not if all is brought in."""
    need_root()
    need_privilege()
    with cgroup(32 * MIB) as folder:
        without(program("oversize"), way, prepare=enter(folder)).expect(err=b"")
        for settings in MODES:
            done = run(program("oversize"), way, prepare=enter(folder), **settings).expect(err=b"")
            assert not any(done.report["failures"].values()), (settings, done)
            locked = int(done.out.split()[0]) * 1024
            assert locked >= least, (settings, done)


def test_two_mapped() -> None:
    in_a_small_cgroup("two_mapped")


def test_more_than_fits_where_there_is_swap() -> None:
    """What does not fit is swapped, so it is not to be locked as it is touched."""
    try:
        with swap.at_least(128 * MIB):
            in_a_small_cgroup("two_written", least=MIB)
    except Skipped as reason:
        raise Skip(str(reason)) from None


def test_two_allocated() -> None:
    in_a_small_cgroup("two_allocated")


def test_two_grown() -> None:
    in_a_small_cgroup("two_grown")


def test_neighbours_moved() -> None:
    in_a_small_cgroup("neighbours_moved", least=MIB)


def test_two_grown_slowly() -> None:
    in_a_small_cgroup("two_grown_slowly", least=MIB)


def test_two_reallocated() -> None:
    in_a_small_cgroup("two_reallocated")


def test_heap_moved() -> None:
    in_a_small_cgroup("heap_moved", least=MIB)


def test_two_attached() -> None:
    in_a_small_cgroup("two_attached", least=MIB)


def test_two_opened() -> None:
    in_a_small_cgroup("two_opened")


def test_file_and_memory() -> None:
    in_a_small_cgroup("file_and_memory")


def test_many_threads() -> None:
    in_a_small_cgroup("many_threads")


# -- what grows bit by bit ------------------------------------------------------------------------


def grown(mebibytes: int, **settings) -> Run:
    done = run(program("small_steps"), str(mebibytes), **settings).expect(err=b"")
    assert not any(done.report["failures"].values()), done
    return done


def test_a_heap_grows_past_the_budget() -> None:
    need_privilege()
    for settings in MODES:
        done = grown(200, BUDGET="64M", **settings)
        most = int(done.out.split()[0]) * 1024
        # Our own tables may grow when all else is at the budget.
        assert 32 * MIB < most <= 64 * MIB + MIB // 4, (settings, done)
        assert done.report["skipped"]["budget"] > 0, done
        assert done.report["backend"] == "hooks" and not done.report["downgrades"], done


def test_a_heap_within_the_budget() -> None:
    need_privilege()
    done = grown(32, BUDGET="64M")
    assert not done.report["skipped"]["budget"], done
    assert int(done.out.split()[0]) >= 32 << 10, done


def test_a_child_that_shares_memory_does_not_step_down() -> None:
    need_root()
    need_privilege()
    with cgroup(64 * MIB) as folder:
        done = run(program("rescue"), "vfork_grows", prepare=enter(folder), MODE="all").expect(err=b"")
    assert done.report["backend"] == "kernel" and not done.report["downgrades"], done


def test_a_heap_grows_up_to_the_cgroups_limit() -> None:
    need_root()
    need_privilege()
    with cgroup(64 * MIB) as folder:
        done = run(program("small_steps"), "62", prepare=enter(folder), MODE="all").expect(err=b"")
    assert ["up to the budget" in entry["reason"] for entry in done.report["downgrades"]] == [True], done
    assert done.report["backend"] == "hooks", done
    # What counts is resident; of libraries there is also what is mapped, and so locked, but not accessible.
    assert int(done.out.split()[0]) * 1024 <= 64 * MIB * 90 // 100 + MIB, done


def test_stepping_down_keeps_what_is_locked() -> None:
    need_root()
    need_privilege()
    with cgroup(64 * MIB) as folder:
        for settings in ({}, {"FLAGS": "current,future,onfault"}):
            done = run(program("step_keeps"), "30", "32", prepare=enter(folder), MODE="all", **settings).expect(err=b"")
            assert ["up to the budget" in entry["reason"] for entry in done.report["downgrades"]] == [True], done
            least, last = (int(word) * 1024 for word in done.out.split())
            assert least >= 30 * MIB, (settings, done)
            # What has no room is not locked any more, nor is what was left of it.
            assert 30 * MIB <= last <= 64 * MIB * 90 // 100 + MIB, (settings, done)
            assert done.report["locked"]["kernel_bytes"] - done.report["locked"]["tracked_bytes"] <= MIB, done


def test_before_our_start() -> None:
    need_root()
    need_privilege()
    with cgroup(SIZE) as folder:
        for settings in MODES:
            done = run("/bin/true", preload=f"{harness.library}:{behind('early_mapping')}", prepare=enter(folder),
                       **settings).expect(err=b"")
            assert done.report["memory"]["peak_rss_bytes"] < 64 * MIB, (settings, done)
