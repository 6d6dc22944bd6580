"""autolock run --format json: what was expected and measured, for programs to read."""

import json
import os
import re
import subprocess

from command import Done, autolock, own
from gating import ALL, NAMES, rows
from harness import directory, parse_reports

QUIET = ("run", "--stats", "off", "--on-failure", "ignore")

UNITS = {"unlocked": "bytes", "locked": "bytes", "swap": "bytes", "coverage": "percent"}


def _run(expected: str, *command: str, options: tuple = (), status: int = 0) -> tuple:
    """The command that has ended, and its object: the one line on standard error."""
    done = autolock(*QUIET, "--format", "json", "--expect", expected, *options, "--", *command).expect(status)
    assert done.err.count(b"\n") == 1 and done.err.endswith(b"}\n"), done
    found = json.loads(done.err)
    assert set(found) == {"schema", "version", "program", "ended", "tree", "passed", "failed", "expectations"}, found
    assert found["schema"] == "autolock-gate/1" and found["program"] == command[0], found
    for row in found["expectations"]:
        assert set(row) == {"expected", "name", "measured", "unit", "ok"}, row
        assert row["unit"] == UNITS.get(row["name"], "count") and row["ok"] in (True, False), row
    assert found["passed"] == sum(row["ok"] for row in found["expectations"]), found
    assert found["passed"] + found["failed"] == len(found["expectations"]) == expected.count(",") + 1, found
    return done, found


def test_one_that_fails() -> None:
    done, found = _run("swap=1,failures>=0, coverage>100%", "echo", "out", status=86)
    assert done.out == b"out\n", done
    assert [row["expected"] for row in found["expectations"]] == ["swap=1", "failures>=0", "coverage>100%"], found
    assert [row["ok"] for row in found["expectations"]] == [False, True, False], found
    assert found["expectations"][0]["measured"] == 0 and found["ended"] == "with status 0", found
    assert found["tree"] is False


def test_all_hold() -> None:
    """It is written then, too, as the table is."""
    _, found = _run(ALL, "true")
    assert found["failed"] == 0 and [row["name"] for row in found["expectations"]] == list(NAMES), found


def test_what_is_measured_is_the_report() -> None:
    with directory() as folder:
        file = folder / "reports"
        _, found = _run(ALL, own("state"), options=("--json", str(file)), status=23)
        measured = {row["name"]: row["measured"] for row in found["expectations"]}
        report, = parse_reports(file.read_bytes())
        assert measured["minflt"] == report["faults"]["minor_after_lock"], (measured, report)
        assert measured["majflt"] == report["faults"]["major_after_lock"], (measured, report)
        assert measured["failures"] == sum(report["failures"].values()), (measured, report)
        assert measured["downgrades"] == len(report["downgrades"]), (measured, report)
        for name, key in ("locked", "locked_bytes"), ("unlocked", "unlocked_resident_bytes"), ("swap", "swap_bytes"):
            assert measured[name] == report["memory"][key] and isinstance(measured[name], int), (measured, report)
        memory = report["memory"]
        covered = 100 * (1 - memory["unlocked_resident_bytes"] / memory["rss_bytes"])
        assert covered - 0.02 < measured["coverage"] <= covered, (measured, covered)
        assert found["ended"] == "with status 23", found


def test_a_tree() -> None:
    """Sums over all programs, as their reports have them."""
    command = ("sh", "-c", "ls / >/dev/null; (true; exec true)")
    _, found = _run(ALL, *command, options=("--tree",))
    assert found["tree"] is True and found["failed"] == 0, found
    assert all(row["measured"] is not None for row in found["expectations"]), found
    with directory() as folder:
        file = folder / "reports"
        _, found = _run("minflt>=0,locked>=0", *command, options=("--tree", "--json", str(file)))
        reports = parse_reports(file.read_bytes())
        assert len(reports) >= 3, reports
        minflt, locked = (row["measured"] for row in found["expectations"])
        assert minflt == sum(report["faults"]["minor_after_lock"] for report in reports), (found, reports)
        assert locked == sum(report["memory"]["locked_bytes"] for report in reports if report["ended"] != "exec")


def test_what_is_not_known_is_null() -> None:
    _, found = _run("swap=0,failures=0", "sh", "-c", "kill -9 $$", status=137)
    assert [(row["measured"], row["ok"]) for row in found["expectations"]] == [(None, False)] * 2, found
    assert found["ended"] == "by signal 9" and found["passed"] == 0, found


def test_names_of_programs() -> None:
    """Whatever is in them, it is JSON and one line."""
    with directory() as folder:
        for name in 'a"b\\c', "a\nb\tc\x01", "ü", "n" * 255:
            program = f"{folder}/{name}"
            os.symlink("/bin/true", program)
            _run("swap=0", program)
        bad = os.fsencode(f"{folder}/") + b"\xff\xfe"
        os.symlink("/bin/true", bad)
        done = subprocess.run([os.environ["COMMAND"], *QUIET, "--format", "json", "--expect", "swap=0", "--", bad],
                              capture_output=True, check=True, timeout=60)
        assert json.loads(done.stderr.decode())["program"] == f"{folder}/\ufffd\ufffd", done


def test_beside_the_others() -> None:
    """JUnit and GitHub are told as ever, and text is the table."""
    with directory() as folder:
        file = folder / "junit.xml"
        env = {**os.environ, "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": ""}
        options = ("--format", "json", "--expect", "swap=1", "--junit", str(file))
        done = autolock(*QUIET, *options, "--", "true", env=env).expect(86)
        first, second = done.err.decode().splitlines()
        assert json.loads(first)["failed"] == 1 and second.startswith("::error "), done
        assert 'failures="1"' in file.read_text()
    done = autolock(*QUIET, "--format", "text", "--expect", "swap=1", "--", "true").expect(86)
    assert rows(done) == {"swap=1": ("0 (0 B)", False)}, done


def _refused(*options: str) -> Done:
    with directory() as folder:
        mark = folder / "mark"
        done = autolock(*QUIET, *options, "--", "touch", str(mark)).expect(78, b"")
        assert done.err.count(b"\n") == 1 and not mark.exists(), done
        return done


def test_wrong_ones() -> None:
    for wrong in "xml", "", "JSON", "json,text":
        done = _refused("--expect", "swap=0", "--format", wrong)
        assert re.match(rb"autolock run: --format .*: it is one of text, json\n", done.err), done
    assert b"without --expect" in _refused("--format", "json").err
