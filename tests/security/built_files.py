"""What protects the library and the command, as they were built. Each look is shown by a file that lacks just that."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess

import command
import harness
from harness import Skip, directory

SOURCE = """
#include <stdio.h>
#include <string.h>
#ifdef TEXTREL
int elsewhere;
__asm__(".text\\n.globl pointer\\npointer: .quad elsewhere");
#endif
#ifdef WRITABLE
__asm__(".section .both,\\"awx\\",%progbits\\n.quad 0\\n.text");
#endif
int copy(const char *from) { char here[64]; strcpy(here, from); return puts(here); }
int main(int count, char **arguments) { return copy(arguments[count - 1]) < 0; }
"""
HARDENED = ["-O2", "-fPIE", "-pie", "-fstack-protector-strong", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2", "-Wl,-z,relro,-z,now",
            "-Wl,-z,noexecstack"]


class Built:
    """A file, as readelf sees it."""

    def __init__(self, path: str):
        if not shutil.which("readelf"):
            raise Skip("no readelf here")
        self.path = path
        self.header = self._read("--file-header")
        self.segments = self._read("--program-headers")
        self.dynamic = self._read("--dynamic")
        self.notes = self._read("--notes")
        self.symbols = re.findall(r"^\s*\d+:\s+\w+\s+\w+\s+(\w+)\s+\w+\s+\w+\s+(\w+)\s+([^@\s]+)", self._read("--dyn-syms"),
                                  re.MULTILINE)
        assert self.symbols, path

    def _read(self, what: str) -> str:
        return subprocess.run(["readelf", "--wide", what, self.path], capture_output=True, text=True, check=True).stdout

    def needs(self, pattern: str) -> bool:
        return any(place == "UND" and re.fullmatch(pattern, name) for _, place, name in self.symbols)

    def functions(self) -> set:
        """Those that others may call."""
        return {name for kind, place, name in self.symbols if place != "UND" and kind in ("FUNC", "IFUNC")}

    def lacks(self) -> set:
        """What is missing of what every file has to have."""
        loads = re.findall(r"^\s+LOAD\s+(?:0x\w+\s+){5}([RWE ]+?)\s+0x", self.segments, re.MULTILINE)
        assert loads, self.segments
        missing = {
            "relro": "GNU_RELRO" not in self.segments,
            "bound at start": not re.search(r"\(FLAGS_1\).*\bNOW\b", self.dynamic),
            "stack": not re.search(r"GNU_STACK .* RW ", self.segments),
            "code": any("W" in load and "E" in load for load in loads),
            "text": "TEXTREL" in self.dynamic,
            "path": "(RPATH)" in self.dynamic or "(RUNPATH)" in self.dynamic,
        }
        return {name for name, lacking in missing.items() if lacking}

    def lacks_of_a_program(self) -> set:
        missing = {
            "anywhere": "DYN" not in self.header or not re.search(r"\(FLAGS_1\).*\bPIE\b", self.dynamic),
            "stack protector": not self.needs("__stack_chk_fail"),
            "fortify": not self.needs(r"__\w+_chk"),
        }
        return self.lacks() | {name for name, lacking in missing.items() if lacking}

    def branches(self) -> set:
        """IBT, SHSTK (x86), BTI, PAC (aarch64)."""
        found = re.search(r"(?:x86|AArch64) feature: (.*)", self.notes)
        return set(re.findall(r"\w+", found[1])) if found else set()


def _compile(place: pathlib.Path, *flags: str, source: str = SOURCE) -> Built:
    (place / "source.c").write_text(source)
    done = subprocess.run([os.environ["CC"], *flags, str(place / "source.c"), "-o", str(place / "made")], capture_output=True,
                          check=False)
    if done.returncode:
        raise Skip(f"the compiler does not make it: {done.stderr.decode(errors='replace')[-300:]}")
    return Built(str(place / "made"))


def _is_release() -> bool:
    return os.environ["BUILD_TYPE"] == "Release"


def test_the_library() -> None:
    assert not Built(harness.library).lacks()


def test_the_command() -> None:
    lacks = Built(command.path()).lacks_of_a_program()
    assert lacks == (set() if _is_release() else lacks & {"fortify"}), lacks


def test_what_is_lacking_is_seen() -> None:
    with directory() as place:
        assert not _compile(place, *HARDENED).lacks_of_a_program()
        for flags, what in ((["-Wl,-z,norelro"], "relro"), (["-Wl,-z,lazy"], "bound at start"), (["-Wl,-z,execstack"], "stack"),
                            (["-DWRITABLE"], "code"), (["-Wl,-rpath,/tmp"], "path"),
                            (["-DTEXTREL", "-Wl,-z,notext", "-w"], "text"),
                            (["-Wl,-rpath,/tmp", "-Wl,--disable-new-dtags"], "path"), (["-no-pie", "-fno-pie"], "anywhere"),
                            (["-fno-stack-protector"], "stack protector"), (["-U_FORTIFY_SOURCE"], "fortify")):
            lacks = _compile(place, *HARDENED, *flags).lacks_of_a_program()
            assert what in lacks, (flags, what, lacks)


def test_branches_are_guarded_where_the_compiler_does_it() -> None:
    """By itself, as distributions have theirs made: nothing of ours takes that away."""
    with directory() as place:
        given = _compile(place, "-O2").branches()
    for path in harness.library, command.path():
        assert Built(path).branches() >= given, (path, given, Built(path).branches())
    if not given:
        raise Skip("this compiler guards no branches by itself")


def test_what_is_exported() -> None:
    """The command nothing that could take another's place; the library what it replaces, by lint.library's list."""
    assert not Built(command.path()).functions()
    names = Built(harness.library).functions()
    assert {"malloc", "free", "mmap", "autolock_mark"} <= names and not {name for name in names if name.startswith("al_")}, names


def test_no_way_from_where_it_was_built() -> None:
    """Neither file says on which machine, and where, it was made."""
    here = str(pathlib.Path(__file__).resolve().parents[2]).encode()
    for path in harness.library, command.path():
        assert here not in pathlib.Path(path).read_bytes(), path
