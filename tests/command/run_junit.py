"""autolock run --junit: the verdict as those who run tests read it."""

import os
import pathlib
import shutil
import subprocess
import xml.etree.ElementTree as tree

from command import Done, autolock
from gating import rows
from harness import Skip, directory

SCHEMA = pathlib.Path(__file__).with_name("junit.xsd")
QUIET = ("run", "--stats", "off", "--on-failure", "ignore")


def _validate(file: pathlib.Path) -> None:
    if not shutil.which("xmllint"):
        raise Skip("no xmllint here")
    done = subprocess.run(["xmllint", "--noout", "--nonet", "--schema", str(SCHEMA), str(file)], capture_output=True,
                          check=False)
    assert done.returncode == 0, (done.stderr, file.read_bytes())


def _junit(folder: pathlib.Path, *arguments: str, status: int) -> tuple:
    """What was done, and the suite."""
    file = folder / "junit.xml"
    file.write_text("what was there before")
    done = autolock(*QUIET, "--junit", str(file), *arguments).expect(status)
    assert os.listdir(folder) == ["junit.xml"], "something half-written is left"
    suites = tree.parse(file).getroot()
    suite = suites.find("testsuite")
    assert suite is not None
    assert {key: suites.get(key) for key in ("tests", "failures", "errors", "time")}.items() <= suite.attrib.items()
    _told_as_in_the_table(done, suite)
    _validate(file)
    return done, suite


def _told_as_in_the_table(done: Done, suite) -> None:
    cases = {case.get("name"): case for case in suite.findall("testcase")}
    table = rows(done)
    assert set(cases) == set(table) and suite.get("tests") == str(len(table)), (done, cases)
    assert suite.get("failures") == str(sum(not holds for _, holds in table.values())), done
    output = suite.findtext("system-out")
    for expected, (measured, holds) in table.items():
        failure = cases[expected].find("failure")
        assert (failure is None) == holds, (expected, done)
        if failure is not None:
            assert failure.get("message") == failure.text == f"expected {expected}, measured {measured}", failure.attrib
        assert expected in output and measured in output, output


def test_a_case_for_each() -> None:
    with directory() as folder:
        _, suite = _junit(folder, "--expect", "swap=0,locked>=0,coverage>=0%", "--", "true", status=0)
        assert suite.get("name") == "true" and suite.get("failures") == "0"
        _, suite = _junit(folder, "--mode", "observe", "--expect", "swap=0,swap=1", "--expect", "locked<=0K", "--",
                          "/bin/sh", "-c", ":", status=86)
        assert suite.get("name") == "/bin/sh" and suite.get("failures") == "1" and suite.get("tests") == "3"
        assert {case.get("classname") for case in suite.findall("testcase")} == {"autolock.sh"}
        assert suite.find("testcase/failure").get("type") == "swap"


def test_how_it_ends() -> None:
    """It is written in any case, once the program has run."""
    with directory() as folder:
        _, suite = _junit(folder, "--expect", "swap=0", "--", "sh", "-c", "exit 3", status=3)
        assert "sh ended with status 3\n" in suite.findtext("system-out")
        done, suite = _junit(folder, "--expect", "swap=0", "--", "sh", "-c", "kill -9 $$", status=137)
        assert "ended by signal 9\n" in suite.findtext("system-out") and suite.get("failures") == "1", done
        done, suite = _junit(folder, "--mode", "off", "--expect", "swap=0", "--", "true", status=86)
        assert "measured not known" in suite.find("testcase/failure").get("message"), done
        _, suite = _junit(folder, "--tree", "--expect", "swap=0", "--", "sh", "-c", "ls /", status=0)
        assert "sh, with all that it started, ended with status 0" in suite.findtext("system-out")
        _, suite = _junit(folder, "--duration", "1s", "--expect", "swap=0", "--", "sleep", "1000", status=0)
        assert float(suite.get("time")) >= 1, suite.attrib
        # Nothing was run, so nothing is said.
        file = folder / "junit.xml"
        for status, command in ((127, "no-such-program"), (126, "/etc/passwd")):
            file.write_text("what was there before")
            autolock(*QUIET, "--expect", "swap=0", "--junit", str(file), "--", command).expect(status, b"")
            assert file.read_text() == "what was there before"


def test_any_name() -> None:
    """Control characters, markup, bytes that are no text."""
    with directory() as folder, directory() as place:
        for name, shown in ((b"a<b>&\"'c]]>", "a<b>&\"'c]]>"), (b"\x01\x7f\x1b[31m", "\ufffd\ufffd\ufffd[31m"),
                            (b"\xff\xc0\x80\xed\xa0\x80", "\ufffd" * 4), (b"\xef\xbf\xbf!", "\ufffd!"),
                            (b"\xf4\x90\x80\x80\xe2\x82", "\ufffd" * 6),
                            ("grün\u2026\U0001f512".encode(), "grün\u2026\U0001f512"), (b"a\r\nb\tc", "a\r\nb\tc")):
            program = os.fsencode(place) + b"/" + name
            os.symlink("/bin/sleep", program)
            _, suite = _junit(folder, "--expect", "swap=0", "--", os.fsdecode(program), "0", status=0)
            text = suite.findtext("system-out")
            assert text.startswith(f"{place}/{shown} ended"), (text, shown)
            # An attribute has blanks where there are newlines and tabs.
            assert suite.get("name") == f"{place}/{shown}".replace("\n", " ").replace("\t", " "), suite.attrib


def test_what_cannot_be() -> None:
    with directory() as folder:
        mark = folder / "mark"
        for wrong in ("--junit", str(folder)), ("--junit", "/no/such/place"), ("--junit", ""):
            done = autolock(*QUIET, "--expect", "swap=0", *wrong, "--", "touch", str(mark)).expect(78, b"")
            assert done.err.startswith(b"autolock run: --junit ") and done.err.count(b"\n") == 1, done
        done = autolock(*QUIET, "--junit", str(folder / "junit.xml"), "--", "touch", str(mark)).expect(78, b"")
        assert b"no test without --expect" in done.err and os.listdir(folder) == [], done
        # What cannot be written is no success; that something does not hold says more.
        for expected, status in ("swap=0", 1), ("swap=1", 86):
            done = autolock(*QUIET, "--expect", expected, "--junit", "/dev/full", "--", "true").expect(status, b"")
            assert b"--junit /dev/full: " in done.err, done
