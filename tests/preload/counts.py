"""The report's calls are those that the program made: not one more, not one less."""

from harness import program, run


def made(what: str, times: str) -> tuple:
    """What the program says it called, and what the report says."""
    done = run(program("known_calls"), what, times, MODE="observe").expect(err=b"")
    own = {name: int(count) for name, count in (line.split() for line in done.out.decode().splitlines())}
    return own, done.report["calls"]


def difference(what: str, times: str) -> tuple:
    """The same, less what a run without these calls has."""
    own, reported = made(what, times)
    own_before, reported_before = made(what, "0")
    return ({name: own[name] - own_before[name] for name in own},
            {name: reported[name] - reported_before[name] for name in own})


def exact(what: str, times: str) -> None:
    own, reported = difference(what, times)
    assert sum(own.values()) > 0
    wrong = {name: (reported[name], own[name]) for name in own if reported[name] != own[name]}
    assert not wrong, f"reported, made: {wrong}"


def test_every_function_in_eight_threads() -> None:
    exact("all", "500")


def test_in_signal_handlers() -> None:
    exact("signals", "20000")


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
