"""The table at the end of tests/run.sh: what was run, what it counted, what failed, and what was left out and why.

    closing.py NOTES

NOTES is what run.sh has written down while it went, a line each, with tabs between the words:

    tested    DIRECTORY  JUNIT  STATUS     ctest has run there, and has ended with this status
    unbuilt   DIRECTORY                    the build failed
    left out  WHAT       REASON            a part that cannot be had here

A test counts things by lines of its output: `COUNT: 312 faults injected`. Lines with the same words are added up,
each part's by themselves.
"""

from __future__ import annotations

import collections
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree
from typing import Iterable, NamedTuple

COUNT = re.compile(r"^COUNT: ([0-9][0-9,]*) (\S.*?)\s*$", re.MULTILINE)
REASON = re.compile(r"^(?:skipped: )+(.+?)\s*$", re.MULTILINE)

# What a build directory stands for; the others are called by their own names.
BUILDS = {"release": "", "musl": "musl", "asan": "ASan+UBSan", "tsan": "TSan", "fuzz": ""}

# What XML cannot hold, and a test may print.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class Test(NamedTuple):
    part: str
    name: str
    state: str  # passed, failed or skipped
    seconds: float
    output: str


def plain(text: str) -> str:
    """One line that a terminal takes as it is."""
    return "".join(c if c.isprintable() else "\ufffd" for c in " ".join(text.split()))


def state_of(case: ElementTree.Element) -> str:
    """As run.sh counts it: a test without its program is `skipped` to ctest, and has failed."""
    skipped = case.find("skipped")
    if case.get("status") == "run":
        return "passed"
    if case.get("status") == "disabled" or (skipped is not None and skipped.get("message", "").startswith("SKIP_")):
        return "skipped"
    return "failed"


def part_of(name: str, directory: str) -> str:
    build = pathlib.PurePath(directory).name
    under = BUILDS.get(build, build)
    part = name.split(".")[0]
    return f"{part}, {under}" if under else part


def tests_of(directory: str, junit: str, status: str) -> Iterable[Test]:
    """Where ctest itself was in trouble, that is a test that failed."""
    tests = []
    trouble = ""
    try:
        text = pathlib.Path(junit).read_bytes().decode(errors="replace")
        suite = ElementTree.fromstring(FORBIDDEN.sub("\ufffd", text).encode())
        for case in suite.iter("testcase"):
            name = plain(case.get("name", "?"))
            tests.append(Test(part_of(name, directory), name, state_of(case), float(case.get("time") or 0),
                              case.findtext("system-out") or ""))
    except (OSError, ElementTree.ParseError, ValueError) as error:
        trouble = f"{junit}: {error}"
    if status != "0" and not trouble and all(test.state != "failed" for test in tests):
        trouble = f"ctest ended with {status}"
    if trouble:
        tests.append(Test(part_of("ctest", directory), f"ctest in {directory} ({plain(trouble)})", "failed", 0, ""))
    return tests


def read(notes: str) -> tuple:
    """The tests, and what was left out with its reason."""
    tests: list = []
    left_out = []
    for line in notes.splitlines():
        kind, *words = line.split("\t")
        if kind == "tested":
            tests += tests_of(*words)
        elif kind == "unbuilt":
            tests.append(Test("build", words[0], "failed", 0, ""))
        elif kind == "left out":
            left_out.append((words[0], words[1]))
        else:
            raise ValueError(f"not a note: {line!r}")
    return tests, left_out


def table(tests: list) -> list:
    states = "passed", "failed", "skipped"
    rows: dict = collections.defaultdict(lambda: dict.fromkeys(states, 0) | {"seconds": 0.0})
    for test in tests:
        for part in test.part, "all":
            rows[part][test.state] += 1
            rows[part]["seconds"] += test.seconds
    order = sorted(part for part in rows if part != "all") + ["all"]
    if not tests:
        return ["no tests were run"]
    width = max(len(part) for part in order)
    lines = [f"{'part':<{width}}  passed  failed  skipped  seconds"]
    for part in order:
        row = rows[part]
        lines.append(f"{part:<{width}}  {row['passed']:>6,}  {row['failed']:>6,}  {row['skipped']:>7,}  "
                     f"{row['seconds']:>7,.0f}")
    return lines


def counts(tests: list) -> list:
    sums: dict = collections.Counter()
    for test in tests:
        for number, what in COUNT.findall(test.output):
            sums[test.part, plain(what)] += int(number.replace(",", ""))
    width = max((len(f"{number:,}") for number in sums.values()), default=0)
    return [f"{sums[part, what]:>{width},} {what} ({part})" for part, what in sorted(sums)]


def reason_of(test: Test) -> str:
    reasons = REASON.findall(test.output)
    return plain(reasons[-1]) if reasons else "it gives no reason"


def closing(notes: str) -> str:
    tests, left_out = read(notes)
    lines = table(tests)
    for title, rows in (
            ("counted:", counts(tests)),
            ("failed:", [f"{test.part}: {test.name}" for test in tests if test.state == "failed"]),
            ("skipped:", [f"{test.name} ({test.part}): {reason_of(test)}" for test in tests if test.state == "skipped"]),
            ("left out:", [f"{plain(what)}: {plain(reason)}" for what, reason in left_out])):
        if rows:
            lines += ["", title] + [f"  {row}" for row in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    sys.stdout.write(closing(pathlib.Path(sys.argv[1]).read_text(errors="replace")))
