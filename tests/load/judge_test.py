#!/usr/bin/env python3
"""What is wrong with a trial is noticed: of figures that are made up, each in turn is made wrong."""

from __future__ import annotations

import copy
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
for folder in "bench", "preload":
    sys.path.append(os.path.join(os.path.dirname(HERE), folder))

import table  # noqa: E402
from configurations import BARE, Ready  # noqa: E402
from measure import Failed  # noqa: E402
from judge import GROWTH_KIB, HELD, HELD_BY_BUDGET, judge  # noqa: E402
from servers import bytes_of, nginx, postgres, redis  # noqa: E402
from trial import Sample, Side  # noqa: E402

_GOOD = {"status": 0, "status again": 0, "operations": 10, "major faults": 0, "killed for want of memory": 0,
         "left unlocked": 0, "failures": 0, "reports compared": 2, "major after the lock, as reported": 0}


def _side(mode: str) -> Side:
    own = {} if mode == BARE else {"server 1": ("kernel", 300), "server 2": ("kernel", 200)}
    locked = 0 if mode == BARE else 100
    samples = [Sample(seconds, 0, 0, locked, 100, copy.deepcopy(own)) for seconds in (0.0, 1.0, 2.0)]
    return Side(Ready(mode, {}, {}), None, None, result=dict(_GOOD), samples=samples)


def _judged(mode: str, change) -> list:
    sides = [_side(BARE), _side(mode)]
    change(sides[1])
    judge(sides)
    assert not sides[0].wrong, sides[0].wrong
    return sides[1].wrong


def _result(**changes):
    return lambda side: side.result.update({name.replace("_", " "): value for name, value in changes.items()})


def _grown(by: int, backend: str = "kernel"):
    def change(side: Side) -> None:
        side.samples[1].own["server 2"] = backend, 200 + by
        side.samples[2].own["server 2"] = backend, 200 + by
    return change


def _unlocked(side: Side) -> None:
    for sample in side.samples:
        sample.locked_kib = 0


def _swapped(side: Side) -> None:
    side.samples[1].swap_kib = 4


def _unseen(side: Side) -> None:
    for sample in side.samples:
        sample.own.clear()


def _refused(traffic, request: tuple, answer) -> bool:
    try:
        traffic.check(request, answer)
    except Failed:
        return True
    return False


def _clients() -> int:
    """A client does not take for good what it was not to get."""
    keys = redis.Traffic("", 2)
    assert not _refused(keys, (1, 1, b""), b"+OK\r\n") and not _refused(keys, (1, None, b""), redis.value(1, 1))
    assert _refused(keys, (1, None, b""), redis.value(1, 0)) and _refused(keys, (0, 1, b""), b"-OOM\r\n")
    files = nginx.Traffic((), 2, 2)
    body, headers = bytes_of("file1", nginx.size_of(1)), {b"x-target": nginx.target_of(0).encode()}
    assert not _refused(files, (0, 1, 0), (b"HTTP/1.1 200 OK\r\n", headers, body))
    assert _refused(files, (0, 1, 0), (b"HTTP/1.1 200 OK\r\n", headers, body[:-1] + b"x"))
    assert _refused(files, (0, 1, 1), (b"HTTP/1.1 200 OK\r\n", headers, body))
    assert _refused(files, (0, 1, 0), (b"HTTP/1.1 500 Oh\r\n", headers, body))
    accounts = postgres.Traffic("", 2)
    assert not _refused(accounts, (1, 5, ""), [("5", postgres.filler(1))])
    assert _refused(accounts, (1, None, ""), [("0", postgres.filler(1))]) and _refused(accounts, (1, None, ""), [])
    assert (keys.written, files.read, accounts.written) == (1, 1, 1)
    return 7


def main() -> None:
    noticed = _clients()
    for mode in HELD, HELD_BY_BUDGET, "alloc":
        for change in _result(), _grown(GROWTH_KIB), _grown(10 * GROWTH_KIB, "hooks"):
            assert not _judged(mode, change), (mode, _judged(mode, change))
        for change in (_result(status=1), _result(status_again=-9), _result(operations=0),
                       _result(killed_for_want_of_memory=1), _result(reports_compared=0),
                       _grown(GROWTH_KIB + 1), _unlocked, _unseen):
            assert _judged(mode, change), mode
            noticed += 1
    for change in _result(major_faults=1), _swapped:
        for mode in HELD, HELD_BY_BUDGET:
            assert _judged(mode, change), mode
            noticed += 1
        assert not _judged("alloc", change)
    assert _judged(HELD, _result(failures=1)) and not _judged("alloc", _result(failures=1))
    assert not _judged(HELD_BY_BUDGET, _result(major_faults=1, left_unlocked=1))
    assert _judged(HELD, _result(major_faults=1, left_unlocked=1))
    found = {"servers": [{"server": "one", "sides": [{"mode": "all", "wrong": ["this"], "samples": []}]},
                         {"server": "other", "sides": [], "wrong": "that"}]}
    assert table.wrong(found) == ["one, all: this", "other: that"], table.wrong(found)
    print(f"{noticed} wrong results are noticed")


if __name__ == "__main__":
    main()
