"""Every call gives what it gives without the library."""

import harness
from harness import EVERY_KIND, behind, program, run, without


def same(name: str, *arguments: str, **settings: str) -> None:
    wanted = without(program(name), *arguments).expect(err=b"")
    found = run(program(name), *arguments, **settings).expect(err=b"")
    assert found.report["mode"] == settings["MODE"]
    wanted_lines, found_lines = wanted.out.splitlines(), found.out.splitlines()
    assert len(wanted_lines) > 10, wanted
    differences = [f"{found_line!r} instead of {wanted_line!r}"
                   for wanted_line, found_line in zip(wanted_lines, found_lines) if found_line != wanted_line]
    assert not differences, "\n".join(differences)
    assert len(found_lines) == len(wanted_lines), found


def test_heap_observed() -> None:
    same("heap_calls", MODE="observe")


def test_heap_locked() -> None:
    same("heap_calls", MODE="all")


def test_mappings_observed() -> None:
    same("map_calls", "--unlocked", MODE="observe")


def test_mappings_of_start_locked() -> None:
    same("map_calls", "--unlocked", MODE="all", FLAGS="current")


def test_mappings_locked() -> None:
    same("map_calls", MODE="all")


def test_mode_alloc() -> None:
    for kinds in "heap,anon", EVERY_KIND:
        for flags in "current,future", "current,future,onfault":
            for name in "heap_calls", "map_calls", "process_calls":
                same(name, MODE="alloc", KINDS=kinds, FLAGS=flags)


def test_processes_observed() -> None:
    same("process_calls", MODE="observe")


def test_processes_locked() -> None:
    same("process_calls", MODE="all")


def test_off() -> None:
    for name in "heap_calls", "map_calls", "process_calls":
        wanted = without(program(name)).expect()
        found = run(program(name), MODE="off").expect(out=wanted.out, err=b"")
        assert not found.written


def test_fork_that_fails() -> None:
    for error in "11", "12":
        command = program("deny"), "clone", error, "0", program("fork_fails")
        wanted = without(*command).expect()
        assert error.encode() in wanted.out, wanted
        report = run(*command).expect(out=wanted.out).reports[-1]
        assert report["calls"]["fork"] == 1 and report["children"]["fork"] == 0, report


def test_sized_frees_are_there() -> None:
    # C23 functions that libc may lack: counted as free in counts.py, here only that a program finds them.
    run(program("known_calls"), "all", "1").expect(err=b"")


def test_exit_of_the_next_library() -> None:
    preload = f"{harness.library}:{behind('next_library')}"
    done = run(program("forwards_to_next"), "_exit", preload=preload)
    done.expect(4, out=b"the next library's _exit\n", err=b"")
    assert done.report["ended"] == "_exit"
