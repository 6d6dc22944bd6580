"""AUTOLOCK_PROGRAMS: which programs of a process tree have a library that does anything."""

import os
import shutil

from harness import directory, program, run


def reported(*command: str, **settings: str) -> set:
    """The names of the programs that reported."""
    return {report["program"] for report in run(*command, **settings).expect().reports}


def tree(programs: str) -> set:
    """A program that has another one run."""
    return reported(program("children"), "spawn", program("exit_with"), PROGRAMS=programs)


def test_all() -> None:
    assert tree("*") == {"children", "exit_with"}


def test_by_name() -> None:
    assert tree("exit_*") == {"exit_with"}
    assert tree("children") == {"children"}
    assert tree("nobody") == set()


def test_excluded() -> None:
    assert tree("!exit_with") == {"children"}
    assert tree("*,!chil*") == {"exit_with"}


def test_by_path() -> None:
    folder = os.path.dirname(program("exit_with"))
    assert tree(f"{folder}/exit*") == {"exit_with"}
    assert tree("/nowhere/*") == set()


def test_by_path_of_what_is_started_from_here() -> None:
    # Of a script: the file that the kernel runs lies elsewhere.
    with directory() as temporary:
        script = temporary / "script.sh"
        script.write_text(f"#!{program('exit_with')} 0\n")
        script.chmod(0o755)
        done = run("./script.sh", cwd=temporary, PROGRAMS=f"{temporary}/s*").expect()
        assert len(done.reports) == 1, done


def test_the_others_are_silent_and_unlocked() -> None:
    # nothing_locked proves that the library is there, and that the kernel has locked nothing.
    done = run(program("nothing_locked"), PROGRAMS="other", STATS="text", STATS_FILE="", LOG="debug", NO_SUCH="1")
    done.expect(out=b"main ran\n", err=b"")


def test_script_and_interpreter() -> None:
    with directory() as temporary:
        script = temporary / "script.sh"
        script.write_text(f"#!{program('exit_with')} 0\n")
        script.chmod(0o755)
        for programs in "script.sh", "exit_with", f"{temporary}/*":
            assert reported(str(script), PROGRAMS=programs) == {"script.sh"}, programs
        for programs in "!script.sh", "!exit_with", "sh":
            assert reported(str(script), PROGRAMS=programs) == set(), programs


def test_symbolic_link() -> None:
    with directory() as temporary:
        shutil.copy2(program("exit_with"), temporary / "target")
        (temporary / "link").symlink_to("target")
        for programs in "link", "target":
            assert reported(str(temporary / "link"), "0", PROGRAMS=programs) == {"link"}, programs
