"""The report's calls are those that the program made: not one more, not one less."""

import harness
from harness import EVERY_KIND, need_privilege, program, run


def made(what: str, times: str, **settings: str) -> tuple:
    """What the program says it called, and what the report says."""
    done = run(program("known_calls"), what, times, **{"MODE": "observe", **settings}).expect(err=b"")
    own = {name: int(count) for name, count in (line.split() for line in done.out.decode().splitlines())}
    return own, done.report["calls"]


def difference(what: str, times: str, **settings: str) -> tuple:
    """The same, less what a run without these calls has."""
    own, reported = made(what, times, **settings)
    own_before, reported_before = made(what, "0", **settings)
    return ({name: own[name] - own_before[name] for name in own},
            {name: reported[name] - reported_before[name] for name in own})


def exact(what: str, times: str, **settings: str) -> None:
    own, reported = difference(what, times, **settings)
    assert sum(own.values()) > 0
    wrong = {name: (reported[name], own[name]) for name in own if reported[name] != own[name]}
    assert not wrong, f"reported, made: {wrong}"


def test_every_function_in_eight_threads() -> None:
    exact("all", "500")


def test_every_function_in_mode_alloc() -> None:
    exact("all", "100", MODE="alloc", KINDS=EVERY_KIND)


def test_signal_handlers_in_mode_alloc() -> None:
    exact("signals", "300", MODE="alloc", KINDS=EVERY_KIND)


def test_short_threads_in_mode_alloc() -> None:
    # Without the stacks: 8 MiB a thread take their time.
    exact("short", "5", MODE="alloc", KINDS="heap,anon")


def test_in_signal_handlers() -> None:
    exact("signals", "5000")


def test_short_threads() -> None:
    exact("short", "5")


def one_function(what: str) -> None:
    own, reported = difference(what, "40")
    assert own[what] == 8 * 40
    assert reported[what] == own[what], (reported[what], own[what])


def test_fork() -> None:
    one_function("fork")


def test_dlopen() -> None:
    one_function("dlopen")


def test_pthread_create() -> None:
    one_function("pthread_create")


def test_children_forked() -> None:
    report = run(program("known_calls"), "fork", "40").expect().report
    assert report["children"]["fork"] == 8 * 40


def test_a_heap_that_has_shrunk() -> None:
    """What the heap has given back is not locked any more, though nobody has told of it since."""
    need_privilege()
    for settings in ({"MODE": "alloc"}, {"MODE": "alloc", "FLAGS": "future,onfault"}):
        done = run(program("gives_back"), "8", **settings)
        if done.status == harness.SKIP:
            raise harness.Skip("this allocator does not give the heap's end back")
        locked = done.expect(0).report["locked"]
        assert locked["peak_tracked_bytes"] > 7 << 20, done
        assert locked["tracked_bytes"] <= locked["kernel_bytes"], done
