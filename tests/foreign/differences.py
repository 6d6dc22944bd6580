#!/usr/bin/env python3
"""What the comparison would miss, no suite can find: made-up outcomes, and programs without the library.

    differences.py DIRECTORY LIBRARY
"""

from __future__ import annotations

import os
import sys

import compare
from cell import Cell
from modes import BARE, MODES, Mode, User

USER = User("self", "root" if os.geteuid() == 0 else os.environ.get("USER", "nobody"), exempt=True)


def compared(bares: list, found: dict, again=lambda tests, bare: {}):
    return compare.compare("suite", "all", "root", bares, found, again)


def check(holds: bool, what: str) -> None:
    if not holds:
        raise AssertionError(what)


def names(rows: list) -> list:
    return [row["test"] for row in rows]


def test_outcomes() -> None:
    good = {"unit/a": "ok", "unit/b": "failure"}
    result = compared([good, good], dict(good))
    check((result.tests, result.same, result.differ) == (2, 2, []), "the same is the same")

    result = compared([good, good], {"unit/a": "failure", "unit/b": "failure"},
                      lambda tests, bare: good if bare else {"unit/a": "failure"})
    check(names(result.differ) == ["unit/a"], "a test that fails in the mode alone")
    result = compared([good, good], {"unit/b": "failure"}, lambda tests, bare: good if bare else {})
    check(names(result.differ) == ["unit/a"], "a test that did not run")
    more = {**good, "unit/c": "ok"}
    result = compared([good, good], more, lambda tests, bare: good if bare else more)
    check(names(result.differ) == ["unit/c"], "a test that bare runs do not have")
    result = compared([good, good], {"unit/a": "ok", "unit/b": "ok"},
                      lambda tests, bare: good if bare else {"unit/b": "ok"})
    check(names(result.differ) == ["unit/b"], "a test that the mode alone lets pass")


def test_flaky() -> None:
    good, bad = {"unit/a": "ok"}, {"unit/a": "failure"}
    check(compared([good, bad], bad).same == 1, "bare runs end in both ways")
    result = compared([good, good], bad, lambda tests, bare: bad if bare else good)
    check(names(result.flaky) == ["unit/a"], "bare, run again, it fails too")
    result = compared([good, good], bad, lambda tests, bare: good)
    check(names(result.once) == ["unit/a"] and not result.differ, "not again")


def test_named() -> None:
    compare.named_differences = lambda: [
        {"suite": "suite", "test": "unit/a*", "modes": ["all"], "users": ["root"], "reason": "because"}]
    good, bad = {"unit/a1": "ok", "unit/b": "ok"}, {"unit/a1": "failure", "unit/b": "failure"}
    result = compared([good, good], bad, lambda tests, bare: good if bare else bad)
    check(names(result.named) == ["unit/a1"] and names(result.differ) == ["unit/b"], "named by its pattern alone")
    check(compare.reason_of("suite", "unit/a1", "alloc", "root") is None, "named for one mode")


def test_loaded(directory: str, library: str) -> None:
    cell = Cell(directory, library, MODES["all"], USER)
    cell.command("true")
    check(not cell.unproven and cell.reports, f"the library is in true: {cell.unproven}")
    cell = Cell(directory, library, Mode("silent", {"AUTOLOCK_MODE": "off"}), USER)
    check(cell.unproven, "no report came, and one had to")
    cell = Cell(directory, library, BARE, USER)
    cell.command("true")
    check(not cell.unproven and not cell.reports, "no report came, and none had to")
    try:
        Cell(directory, "/nonexistent/libautolock.so", MODES["all"], USER)
    except AssertionError:
        return
    raise AssertionError("a library that is not there was not missed")


def main() -> int:
    directory, library = (os.path.realpath(path) for path in sys.argv[1:])
    test_outcomes()
    test_flaky()
    test_named()
    test_loaded(directory, library)
    return 0


if __name__ == "__main__":
    sys.exit(main())
