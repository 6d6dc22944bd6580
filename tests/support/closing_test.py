"""closing.py, by samples of what ctest and run.sh write."""

import contextlib
import importlib.util
import pathlib
import subprocess
import sys
import tempfile
from typing import Iterator

SCRIPT = pathlib.Path(__file__).with_name("closing.py")
ROOT = SCRIPT.parents[2]
SUITE = '<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="(empty)" tests="7">{}</testsuite>\n'

# As ctest 3.25 writes them.
PASSED = '<testcase name="unit.base.io" classname="unit.base.io" time="1.5" status="run"><system-out>100%\n</system-out></testcase>'
FAILED = '<testcase name="preload.ends" time="0.5" status="fail"><failure message=""/><system-out>x</system-out></testcase>'
SKIPPED = ('<testcase name="preload.huge" time="0" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/><system-out>'
           "Running\nskipped: skipped: no huge pages are set aside\n</system-out></testcase>")
SILENT = ('<testcase name="preload.silent" time="0" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/>'
          "<system-out></system-out></testcase>")
DISABLED = '<testcase name="preload.off" time="0" status="disabled"><system-out>Disabled</system-out></testcase>'
MISSING = ('<testcase name="unit.gone" time="0" status="notrun"><skipped message="Unable to find executable: gone"/>'
           "</testcase>")
COUNTED = ('<testcase name="faults.{0}" time="2" status="run"><system-out>one\nCOUNT: {1} faults injected\n'
           "no COUNT: 5 of these\nCOUNT: 7 rows \nCOUNT: none\nend</system-out></testcase>")


def load() -> object:
    spec = importlib.util.spec_from_file_location("closing", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


closing = load()


@contextlib.contextmanager
def suites(**texts: str) -> Iterator[dict]:
    with tempfile.TemporaryDirectory() as folder:
        paths = {}
        for name, text in texts.items():
            paths[name] = pathlib.Path(folder) / f"{name}.xml"
            paths[name].write_bytes(text.encode("utf-8", "surrogateescape"))
        yield paths


def shown(notes: str) -> dict:
    """The rows of the table by part, and the lines below each title."""
    first, *rest = closing.closing(notes).rstrip("\n").split("\n\n")
    answer: dict = {"table": {}}
    for line in first.splitlines()[1:]:
        part, *numbers = line.rsplit(maxsplit=4)
        answer["table"][part] = [int(number.replace(",", "")) for number in numbers]
    for block in rest:
        title, *lines = block.splitlines()
        answer[title] = [line.strip() for line in lines]
    return answer


def test_every_state() -> None:
    with suites(all=SUITE.format(PASSED + FAILED + SKIPPED + SILENT + DISABLED + MISSING)) as paths:
        answer = shown(f"tested\tbuild/release\t{paths['all']}\t8\n")
    assert answer["table"] == {"unit": [1, 1, 0, 2], "preload": [0, 1, 3, 0], "all": [1, 2, 3, 2]}, answer
    assert answer["failed:"] == ["preload: preload.ends", "unit: unit.gone"], answer
    assert answer["skipped:"] == ["preload.huge (preload): no huge pages are set aside",
                                  "preload.silent (preload): it gives no reason",
                                  "preload.off (preload): it gives no reason"], answer
    assert set(answer) == {"table", "failed:", "skipped:"}, answer


def test_the_sums_are_those_of_the_shell() -> None:
    """run.sh counts by itself, with grep."""
    text = SUITE.format("\n".join((PASSED, FAILED, SKIPPED, DISABLED, MISSING)).replace("><", ">\n<"))
    script = (ROOT / "tests/run.sh").read_text()
    begin, end = script.index("    all=$(matching"), script.index("    # Nothing to run, or ctest itself")
    with suites(all=text) as paths:
        counted = subprocess.run(["sh", "-euc", 'matching() { grep -c "$1" "$0" || :; }\n' + script[begin:end] +
                                  '\necho $good $bad $idle', str(paths["all"])], capture_output=True, text=True, check=True)
        answer = shown(f"tested\tbuild/release\t{paths['all']}\t8\n")
    assert [int(number) for number in counted.stdout.split()] == answer["table"]["all"][:3] == [1, 2, 2], (counted, answer)


def test_builds_are_told_apart() -> None:
    with suites(a=SUITE.format(PASSED)) as paths:
        answer = shown("".join(f"tested\tbuild/{build}\t{paths['a']}\t0\n" for build in ("release", "asan", "tsan", "musl", "fuzz",
                                                                                          "other")))
    assert answer["table"] == {"unit": [2, 0, 0, 3], "unit, ASan+UBSan": [1, 0, 0, 2], "unit, TSan": [1, 0, 0, 2],
                               "unit, musl": [1, 0, 0, 2], "unit, other": [1, 0, 0, 2], "all": [6, 0, 0, 9]}, answer


def test_counts_are_added_up() -> None:
    with suites(a=SUITE.format(COUNTED.format("a", "300") + COUNTED.format("b", "1,012"))) as paths:
        answer = shown(f"tested\tbuild/release\t{paths['a']}\t0\n")
    assert answer["counted:"] == ["1,312 faults injected (faults)", "14 rows (faults)"], answer


def test_trouble_of_the_whole() -> None:
    """No test has failed, and something is wrong all the same."""
    with suites(none=SUITE.format(""), good=SUITE.format(PASSED), broken="<testsuite>", empty="") as paths:
        for name, status, said in (("none", "8", "ctest ended with 8"), ("good", "1", "ctest ended with 1"),
                                   ("broken", "0", "no element found"), ("empty", "0", "no element found")):
            answer = shown(f"tested\tbuild/asan\t{paths[name]}\t{status}\n")
            assert answer["table"]["all"][1] == 1 and len(answer["failed:"]) == 1, answer
            assert "ctest in build/asan" in answer["failed:"][0], answer
            assert said in answer["failed:"][0], answer
        assert shown("tested\tbuild/asan\t/nonexistent\t0\n")["table"]["all"][1] == 1
        assert "failed:" not in shown(f"tested\tbuild/asan\t{paths['good']}\t0\n")


def test_what_was_not_built_or_left_out() -> None:
    answer = shown("unbuilt\tbuild/musl\nleft out\tthe fuzzers\tno clang here\n")
    assert answer["table"] == {"build": [0, 1, 0, 0], "all": [0, 1, 0, 0]}, answer
    assert answer["failed:"] == ["build: build/musl"] and answer["left out:"] == ["the fuzzers: no clang here"], answer
    assert closing.closing("") == "no tests were run\n"


def test_nothing_that_a_terminal_obeys() -> None:
    """Tests print what they like, also what XML cannot hold."""
    bad = SKIPPED.replace("no huge pages", "no\x1b[31m &#x202e;pages\x00").replace("preload.huge", "preload.\x07h")
    with suites(a=SUITE.format(bad + FAILED.replace("x<", "\udcff<"))) as paths:
        text = closing.closing(f"tested\tbuild/release\t{paths['a']}\t8\n")
    assert all(line.isprintable() for line in text.splitlines()), text
    assert "preload.\ufffdh (preload): no\ufffd[31m \ufffdpages\ufffd are set aside" in text, text


def test_notes_that_are_none() -> None:
    try:
        closing.closing("nonsense\n")
    except ValueError as error:
        assert "nonsense" in str(error)
    else:
        raise AssertionError("nonsense is taken for a note")


def test_as_a_program() -> None:
    with suites(a=SUITE.format(PASSED)) as paths, tempfile.NamedTemporaryFile("w") as notes:
        notes.write(f"tested\tbuild/release\t{paths['a']}\t0\n")
        notes.flush()
        done = subprocess.run([sys.executable, "-B", str(SCRIPT), notes.name], capture_output=True, text=True, check=True,
                              env={"LC_ALL": "C", "PYTHONIOENCODING": "ascii"})
    assert done.stdout.splitlines()[0].split() == ["part", "passed", "failed", "skipped", "seconds"], done
    assert done.stdout.splitlines()[-1].split() == ["all", "1", "0", "0", "2"], done


def main() -> None:
    tests = [test for name, test in globals().items() if name.startswith("test_")]
    for test in tests:
        test()
    print(f"{len(tests)} of what it shows")


if __name__ == "__main__":
    main()
