"""The library under valgrind's memcheck: it reads nothing that is not there, and gives the kernel nothing undefined."""

import os
import pathlib
import shutil
import subprocess

from harness import EVERY_KIND, Skip, program, run

# Valgrind stands for the C library's malloc; ours, before it, is left as it is.
VALGRIND = ("valgrind", "-q", "--tool=memcheck", "--soname-synonyms=somalloc=nouserintercepts", "--error-exitcode=99",
            "--show-mismatched-frees=no", "--track-origins=yes",
            f"--suppressions={pathlib.Path(__file__).with_name('memcheck.supp')}")

MODES = ({"MODE": "all"}, {"MODE": "all", "FLAGS": "current,future,onfault"}, {"MODE": "alloc"},
         {"MODE": "alloc", "KINDS": EVERY_KIND}, {"MODE": "observe", "KINDS": EVERY_KIND}, {"MODE": "off"})


def _need(command: tuple) -> None:
    """Skips where valgrind, or the program under it without the library, is not well."""
    if not shutil.which("valgrind"):
        raise Skip("valgrind is not installed")
    bare = subprocess.run(("valgrind", "-q", "--error-exitcode=99", *command), stdin=subprocess.DEVNULL, capture_output=True)
    if bare.returncode:
        raise Skip(f"{command[0]} does not run under valgrind by itself: {bare.stderr[-300:]!r}")


def _clean(*command: str) -> None:
    _need(command)
    name = os.path.basename(command[0])
    for mode in MODES:
        # The launcher of valgrind and its tool are programs too.
        done = run(*VALGRIND, *command, PROGRAMS=name, **mode)
        assert done.status == 0 and b"==" not in done.err, done
        found = [report["program"] for report in done.reports]
        assert (name in found) == (mode["MODE"] != "off"), (found, done)


def test_a_program_that_does_little() -> None:
    _clean(shutil.which("true"))


def test_a_program_that_reads_and_sorts() -> None:
    _clean(shutil.which("sort"), "/etc/services" if os.path.exists("/etc/services") else "/etc/passwd")


def test_large_regions() -> None:
    for how in ("mmap", "malloc", "thread"):
        _clean(program("large"), how, str(5 << 20))


def test_children() -> None:
    _clean(shutil.which("sh"), "-c", "(echo a; exit 3); echo $? | cat; exit 0")
