"""
What is installed, and what others build with it: consumers.py BUILD PREFIX LIBDIR INCLUDEDIR NAME

PREFIX is where `install` has put the tree, and where the other tests find it. CMAKE, CC and CXX are in the environment.
"""

import contextlib
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

SKIP = 77
PATIENCE_S = 200

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"
WITHOUT = {"warm_up": "memory: not locked, libautolock is not preloaded\n",
           "own_gate": "not judged: libautolock is not at work here\n"}
WITH = {"warm_up": r"memory: \d+ KiB locked by libautolock VERSION\nfaults while answering: \d+ minor, \d+ major\n",
        "own_gate": r"(good: 0|bad: [1-9]\d*) major faults, 0 failed locks, 0 regions past the budget\n"}

build, prefix, libdir, includedir = (pathlib.Path(word) for word in sys.argv[1:5])
library = prefix / libdir / "libautolock.so"


# Completion and manual.
MADE = ("share/bash-completion/completions/autolock", "share/zsh/site-functions/_autolock",
        "share/fish/vendor_completions.d/autolock.fish", "share/man/man1/autolock.1", "share/man/man7/libautolock.7")


class Skip(Exception):
    """The reason why it cannot be told here."""


def run(*command, env=None, statuses=(0,)) -> str:
    """Standard output of a command, which says nothing on standard error."""
    # Neither flags nor places of whoever runs the tests.
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    done = subprocess.run([str(word) for word in command], env={**kept, **(env or {})}, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=PATIENCE_S)
    told = f"{command}: status {done.returncode}\n  out: {done.stdout}\n  err: {done.stderr}"
    assert done.returncode in statuses and not done.stderr, told
    return done.stdout


@contextlib.contextmanager
def directory():
    with tempfile.TemporaryDirectory(prefix="autolock-install-") as path:
        yield pathlib.Path(path)


@contextlib.contextmanager
def moved():
    """The tree at another place, from where it must be found as well; what is built against it."""
    with directory() as scratch:
        tree = scratch / "else where" / "tree"
        shutil.copytree(prefix, tree, symlinks=True)
        yield scratch, tree


def compiler(variable: str) -> str:
    path = os.environ.get(variable, "")
    if not path:
        raise Skip("no C++ compiler here")
    return path


def pkg_config(tree: pathlib.Path, *arguments: str) -> list:
    out = run("pkg-config", *arguments, "autolock", env={"PKG_CONFIG_PATH": str(tree / libdir / "pkgconfig")})
    return shlex.split(out)


def version() -> str:
    (of_package,) = pkg_config(prefix, "--modversion")
    return of_package


def expect_runs(program: pathlib.Path, preload: pathlib.Path) -> None:
    """Alone, under the library, and under one that does nothing: the same but for what it says of the library."""
    alone = run(program)
    work, own = alone.split("\n", 1)
    assert work and own == WITHOUT[program.name], alone
    settings = {"LD_PRELOAD": str(preload), "AUTOLOCK_STATS": "off", "AUTOLOCK_ON_FAILURE": "ignore"}
    # What is locked, and whether it can be, depends on who runs it: here it is nothing, and proved to be there.
    # Pages may be read at any time then, which is what the gate is for.
    under = run(program, env={**settings, "AUTOLOCK_MODE": "observe"}, statuses=(0, 1))
    wanted = re.escape(work + "\n") + WITH[program.name].replace("VERSION", re.escape(version()))
    assert re.fullmatch(wanted, under), under
    inert = run(program, env={**settings, "AUTOLOCK_MODE": "off"})
    assert inert.startswith(work + "\n") and inert != under, inert


# -- the tree -------------------------------------------------------------------------------------


def relative(top: pathlib.Path) -> set:
    return {str(path.relative_to(top)) for path in top.rglob("*") if not path.is_dir()}


def wanted_files() -> set:
    package = libdir / "cmake" / "autolock"
    return {str(path) for path in (
        libdir / "libautolock.so", includedir / "autolock" / "autolock.h", libdir / "pkgconfig" / "autolock.pc",
        package / "autolock-config.cmake", package / "autolock-config-version.cmake", *MADE)}


def install() -> None:
    shutil.rmtree(prefix, ignore_errors=True)
    run(os.environ["CMAKE"], "--install", build, "--prefix", prefix)
    assert wanted_files() <= relative(prefix), relative(prefix)


def test_is_what_was_built() -> None:
    assert library.read_bytes() == (build / "lib" / "libautolock.so").read_bytes()
    header = includedir / "autolock" / "autolock.h"
    assert (prefix / header).read_bytes() == (EXAMPLES.parent / "include" / "autolock" / "autolock.h").read_bytes()
    for name in MADE:
        assert (prefix / name).read_bytes() == (build / name).read_bytes(), name
    # Every user may load it.
    assert library.stat().st_mode & 0o444 == 0o444


def test_staged_by_destdir() -> None:
    with directory() as stage:
        run(os.environ["CMAKE"], "--install", build, env={"DESTDIR": str(stage)})
        places = [path.parent for path in stage.rglob("libautolock.so")]
        assert len(places) == 1, relative(stage)
        top = places[0].parents[len(libdir.parts) - 1]
        assert wanted_files() <= relative(top), relative(stage)
        # As many files as without: none has gone past the stage.
        assert len(relative(stage)) == len(relative(prefix)), relative(stage)


def test_says_nothing_of_where_it_was_made() -> None:
    for name in wanted_files() - {str(libdir / "libautolock.so")}:
        text = (prefix / name).read_text()
        for place in (prefix, build, EXAMPLES.parent):
            assert str(place) not in text, (name, place)


# -- pkg-config -----------------------------------------------------------------------------------


def test_pkg_config() -> None:
    with moved() as (_, tree):
        for top in (prefix, tree):
            assert pkg_config(top, "--libs") == [], top
            (flag,) = pkg_config(top, "--cflags")
            assert flag.startswith("-I") and os.path.samefile(flag[2:], top / includedir), flag
            # Not in shell's quotes: a variable is printed as it is.
            told = run("pkg-config", "--variable=preload", "autolock",
                       env={"PKG_CONFIG_PATH": str(top / libdir / "pkgconfig")}).rstrip("\n")
            assert os.path.samefile(told.replace("\\ ", " "), top / libdir / "libautolock.so"), told


def build_by_pkg_config(variable: str, source: str) -> None:
    with directory() as scratch:
        program = scratch / source.split(".")[0]
        flags = pkg_config(prefix, "--cflags", "--libs")
        run(compiler(variable), "-Wall", "-Wextra", "-O2", *flags, EXAMPLES / source, "-o", program)
        (preload,) = pkg_config(prefix, "--variable=preload")
        expect_runs(program, pathlib.Path(preload))


def test_c_by_pkg_config() -> None:
    build_by_pkg_config("CC", "warm_up.c")


def test_cpp_by_pkg_config() -> None:
    build_by_pkg_config("CXX", "own_gate.cpp")


# -- CMake ----------------------------------------------------------------------------------------


def cmake(source: pathlib.Path, scratch: pathlib.Path, tree: pathlib.Path, *arguments: str) -> None:
    run(os.environ["CMAKE"], "-S", source, "-B", scratch, f"-DCMAKE_PREFIX_PATH={tree}", *arguments)


def test_find_package() -> None:
    definitions = (f"-DCMAKE_C_COMPILER={compiler('CC')}", f"-DCMAKE_CXX_COMPILER={compiler('CXX')}")
    with directory() as scratch:
        cmake(EXAMPLES, scratch, prefix, *definitions)
        run(os.environ["CMAKE"], "--build", scratch)
        for name in WITHOUT:
            expect_runs(scratch / name, library)
        told = run(os.environ["CMAKE"], "--build", scratch, "--target", "run",
                   env={"AUTOLOCK_STATS": "off", "AUTOLOCK_MODE": "observe"})
        assert f"KiB locked by libautolock {version()}\n" in told, told


PROJECT = """
cmake_minimum_required(VERSION 3.16)
project(consumer LANGUAGES C)
find_package(autolock {version} REQUIRED)
find_package(autolock REQUIRED)
get_target_property(type autolock::autolock TYPE)
get_target_property(include autolock::autolock INTERFACE_INCLUDE_DIRECTORIES)
get_target_property(link autolock::autolock INTERFACE_LINK_LIBRARIES)
file(WRITE ${{CMAKE_BINARY_DIR}}/told
  "${{type}}\\n${{include}}\\n${{link}}\\n${{autolock_PRELOAD}}\\n${{autolock_VERSION}}\\n")
"""


def test_find_package_in_a_moved_tree() -> None:
    with moved() as (scratch, tree):
        (scratch / "CMakeLists.txt").write_text(PROJECT.format(version=version()))
        cmake(scratch, scratch / "build", tree, f"-DCMAKE_C_COMPILER={compiler('CC')}")
        kind, include, link, preload, found = (scratch / "build" / "told").read_text().splitlines()
        assert kind == "INTERFACE_LIBRARY" and link == "link-NOTFOUND" and found == version(), (kind, link, found)
        assert os.path.samefile(include, tree / includedir), include
        assert os.path.samefile(preload, tree / libdir / "libautolock.so"), preload


# -- the header -----------------------------------------------------------------------------------

SOURCE = """
#include <autolock/autolock.h>
#include <autolock/autolock.h>
int main(void)
{
    struct autolock_stats stats;
    if (autolock_mark)
        autolock_mark("warm");
    if (autolock_snapshot && autolock_snapshot(&stats, sizeof(stats)) == 0 && stats.known_bytes < sizeof(stats))
        return 1;
    return !(autolock_version && autolock_version()[0]);
}
"""


def expect_compiles(compilers: list, suffix: str, standards: tuple) -> None:
    tried = 0
    for path in compilers:
        # What the header tells gcc by itself.
        fixed = ("-fno-pie", "-no-pie", *(("-fno-plt",) if "clang" in run(path, "--version") else ()))
        for standard in standards:
            for form in ((), ("-O2", "-fPIE", "-pie"), fixed):
                with directory() as scratch:
                    source, program = scratch / f"source.{suffix}", scratch / "program"
                    source.write_text(SOURCE)
                    run(path, f"-std={standard}", "-Wall", "-Wextra", "-pedantic", "-Werror", *form,
                        f"-I{prefix / includedir}", source, "-o", program)
                    # Without the library there are no functions; with it they are found.
                    run(program, statuses=(1,))
                    run(program, env={"LD_PRELOAD": str(library), "AUTOLOCK_MODE": "off"})
                    tried += 1
    assert tried >= len(standards), compilers


def with_others(first: str, *names: str) -> list:
    return [first, *(path for path in map(shutil.which, names) if path)]


def test_header_in_c() -> None:
    expect_compiles(with_others(compiler("CC"), "gcc", "clang"), "c", ("c99", "c11", "gnu17"))


def test_header_in_cpp() -> None:
    expect_compiles(with_others(compiler("CXX"), "g++", "clang++"), "cpp", ("c++11", "c++17"))


def main() -> int:
    try:
        globals()[sys.argv[5]]()
    except Skip as reason:
        print(f"skipped: {reason}")
        return SKIP
    return 0


if __name__ == "__main__":
    sys.exit(main())
