"""Outcomes of a mode held against those of the bare runs."""

from __future__ import annotations

import fnmatch
import json
import os
from dataclasses import dataclass, field

AGAIN = 3  # how often what differs is run again, bare and in the mode

NAMED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "named.json")


@dataclass
class Compared:
    tests: int = 0
    same: int = 0
    flaky: list = field(default_factory=list)  # bare runs end in both ways too
    once: list = field(default_factory=list)  # never bare, but not again in the mode either
    named: list = field(default_factory=list)
    differ: list = field(default_factory=list)


def named_differences() -> list:
    with open(NAMED, encoding="utf-8") as file:
        return json.load(file)


def reason_of(suite: str, test: str, mode: str, user: str):
    for row in named_differences():
        if (row["suite"] == suite and fnmatch.fnmatchcase(test, row["test"]) and mode in row.get("modes", [mode])
                and user in row.get("users", [user])):
            return row["reason"]
    return None


def different(bares: list, found: dict) -> list:
    """Tests that end in this mode as in none of the bare runs; one that is missing has ended in no way."""
    tests = set(found).union(*bares)
    return sorted(test for test in tests if found.get(test) not in [bare.get(test) for bare in bares])


def compare(suite: str, mode: str, user: str, bares: list, found: dict, again) -> Compared:
    """`again(tests, bare)` runs tests once more and returns their outcomes."""
    result = Compared(tests=len(set(found).union(*bares)))
    odd = different(bares, found)
    result.same = result.tests - len(odd)
    more_bare = [again(odd, True) for _ in range(AGAIN)] if odd else []
    more = [again(odd, False) for _ in range(AGAIN)] if odd else []
    for test in odd:
        ended, known = found.get(test), [bare.get(test) for bare in (*bares, *more_bare)]
        row = {"test": test, "bare": known[0], "locked": ended}
        reason = reason_of(suite, test, mode, user)
        if ended in known:
            result.flaky.append(row)
        elif reason:
            result.named.append({**row, "reason": reason})
        elif all(each.get(test) in known for each in more):
            result.once.append(row)
        else:
            result.differ.append(row)
    return result
