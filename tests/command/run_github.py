"""autolock run in a job of GitHub Actions: annotations, and the summary of the job."""

import os
import re

from command import autolock
from harness import directory

QUIET = ("run", "--stats", "off", "--on-failure", "ignore")


def _run(expected: str, *command: str, summary: str = "", actions: str = "true", status: int = 86):
    env = {**os.environ, "GITHUB_ACTIONS": actions, "GITHUB_STEP_SUMMARY": summary}
    return autolock(*QUIET, "--expect", expected, "--", *command, env=env).expect(status)


def _annotations(done) -> list:
    return [line for line in done.err.decode().splitlines() if line.startswith("::")]


def test_annotations() -> None:
    done = _run("swap=1,failures>=0,coverage>100%", "echo", "out")
    # The program's output is as it would be.
    assert done.out == b"out\n", done
    first, second = _annotations(done)
    assert first == "::error title=autolock%3A echo::expected swap=1, measured 0 (0 B)", first
    assert re.fullmatch(r"::error title=autolock%3A echo::expected coverage>100%25, measured [\d.]+%25", second), second
    assert not _annotations(_run("failures>=0", "true", status=0))
    assert not _annotations(_run("swap=1", "true", actions="false"))
    assert not _annotations(_run("swap=1", "true", actions=""))


def test_no_name_is_a_command() -> None:
    with directory() as folder:
        program = f"{folder}/a:b,c%d\n::error ::e\rf"
        os.symlink("/bin/true", program)
        annotations = _annotations(_run("swap=1", program))
        # Beside it there is the name as the command itself says it, which GitHub reads as well.
        assert [line for line in annotations if "title" in line] == [
            f"::error title=autolock%3A {folder}/a%3Ab%2Cc%25d%0A%3A%3Aerror %3A%3Ae%0Df::expected swap=1, measured 0 (0 B)"]


def test_summary() -> None:
    with directory() as folder:
        file = folder / "summary"
        file.write_text("what the step has said before\n")
        program = f"{folder}/a|b<c>"
        os.symlink("/bin/true", program)
        _run("swap=1,failures>=0,locked<1K,locked>=1K", program, summary=str(file))
        _run("swap=0", "true", summary=str(file), status=0)
        text = file.read_text()
        assert text.startswith("what the step has said before\n### autolock: "), text
        assert "a&#124;b&#60;c&#62;" in text and "<" not in text, text
        assert "Failed: 2 of 4 expectations failed; the program ended with status 0." in text, text
        assert "Passed: 1 of 1 expectations hold; the program ended with status 0." in text, text
        table = [line for line in text.splitlines() if line.startswith("|")]
        assert len(table) == 9 and all(line.count("|") == 4 for line in table), table
        assert table[2] == "| swap=1 | 0 &#40;0 B&#41; | **FAILED** |", table
        assert table[3].startswith("| failures&#62;=0 | ") and table[3].endswith(" | ok |"), table
        # Where it cannot be written there is a line, and no other status.
        done = _run("swap=0", "true", summary=str(folder), status=0)
        assert b"GITHUB_STEP_SUMMARY " in done.err, done
        done = _run("swap=0", "true", summary="/dev/full", status=0)
        assert b"GITHUB_STEP_SUMMARY /dev/full: " in done.err, done
