"""autolock check: what it says of a program is what becomes of it when the library is preloaded."""

import os
import pathlib
import subprocess

from budget import cgroup, enter
from checking import (BARE, WAITS, Surroundings, as_nobody, as_root, counters_are_there, locked_of, made, subjects,
                      true_of, words)
from harness import MIB, Skip, directory, need_privilege


def test_static() -> None:
    for flags in ("-static",), ("-static-pie", "-fPIE"):
        with directory() as folder:
            answer = true_of(as_root(), made(folder, *flags), verdict="none", loaded=False)
            assert "is static" in words(answer, "program"), answer


def test_without_libc() -> None:
    if os.uname().machine != "x86_64":
        raise Skip("written for one processor")
    with directory() as folder:
        flags = ("-nostdlib", "-static-pie", "-fPIE", "-fno-stack-protector")
        answer = true_of(as_root(), made(folder, *flags, source=BARE), verdict="none", loaded=False)
        assert "is static" in words(answer, "program"), answer


def test_go() -> None:
    with directory() as folder:
        source = WAITS + '__attribute__((section(".go.buildinfo"), used)) static const char info[] = "go1.22";\n'
        answer = true_of(as_root(), made(folder, "-static", source=source), verdict="none", loaded=False)
        assert "program of Go" in words(answer, "program"), answer
        true_of(as_root(), made(folder, source=source), verdict="all", loaded=True)
        answer = true_of(as_nobody(8 * MIB), made(folder, source=source), verdict="some", loaded=True)
        assert "maps memory past libc" in words(answer, "program"), answer


def test_musl() -> None:
    with directory() as folder:
        answer = true_of(as_root(), made(folder, compiler="musl-gcc"), verdict="all", loaded=True)
        assert "runs on musl" in words(answer, "libc"), answer
        true_of(as_nobody(8 * MIB), str(folder / "waits"), verdict="some", loaded=True)


def test_a_loader_that_is_not_there() -> None:
    with directory() as folder:
        command = made(folder, "-Wl,--dynamic-linker=/nowhere/ld-linux.so")
        answer = as_root().check(command)
        assert answer["verdict"] == "none" and "not there" in words(answer, "libc"), answer
        assert subprocess.run(["sh", "-c", '"$0"', command], capture_output=True, check=False).returncode == 127


def test_sanitizers() -> None:
    for sanitizer, name in ("address", "AddressSanitizer"), ("thread", "ThreadSanitizer"):
        with directory() as folder:
            command = made(folder, f"-fsanitize={sanitizer}")
            answer = true_of(as_root(), command, verdict="none", loaded=False)
            assert f"built with {name}" in words(answer, "sanitizer"), answer


def test_sanitizers_of_clang() -> None:
    for sanitizer, name in ("address", "AddressSanitizer"), ("memory", "MemorySanitizer"):
        with directory() as folder:
            command = made(folder, f"-fsanitize={sanitizer}", compiler="clang")
            answer = true_of(as_root(), command, verdict="none", loaded=False)
            assert f"built with {name}" in words(answer, "sanitizer"), answer


def test_a_sanitizer_that_nothing_tells_of() -> None:
    need_privilege()
    with cgroup(1024 * MIB) as group, directory() as folder:
        command = made(folder, "-fsanitize=address", "-static-libasan")
        answer = Surroundings(prepare=enter(group)).check(command)
        assert "AddressSanitizer" in words(answer, "sanitizer"), answer
        seen = "linked in" not in words(answer, "sanitizer")
        true_of(Surroundings(prepare=enter(group)), command, verdict="none" if seen else "some", loaded=not seen)


def test_other_processors() -> None:
    with directory() as folder:
        flags = ("-m32", "-nostdlib", "-no-pie", "-fno-pie", "-fno-stack-protector", "-static")
        command = made(folder, *flags, source=BARE)
        answer = as_root().check(command)
        assert answer["verdict"] == "none" and "is a 32-bit program" in words(answer, "program"), answer
        with as_root().running(command) as process:
            assert process.stdout is not None
            if process.stdout.readline() == b"ready\n":
                assert not counters_are_there(process.pid) and locked_of(process.pid) == "none"
        # Of the same width: the processor's number stands at 18.
        ours = bytearray(pathlib.Path(made(folder)).read_bytes())
        ours[18:20] = (243).to_bytes(2, "little")
        (folder / "other").write_bytes(ours)
        (folder / "other").chmod(0o755)
        answer = as_root().check(str(folder / "other"))
        assert answer["verdict"] == "none" and "another processor" in words(answer, "program"), answer


def test_allocators() -> None:
    with directory() as folder:
        own = WAITS + """
            #include <stddef.h>
            static char room[1 << 16];
            static size_t used;
            void *malloc(size_t size)
            {
                void *block = room + used;
                used += size + 15 & ~(size_t)15;
                return block;
            }
            void free(void *block) { (void)block; }
            """
        for flags in ((), ("-rdynamic",)):
            answer = true_of(as_root(), made(folder, *flags, source=own), verdict="all", loaded=True)
            assert "malloc of its own" in words(answer, "allocator"), answer
        answer = Surroundings(MODE="alloc", KINDS="heap").check(made(folder, source=own))
        assert answer["verdict"] == "some" and subjects(answer, "part") == {"allocator"}, answer
        made(folder, "-shared", "-fPIC", "-Wl,-soname,libjemalloc.so.2", source=own, name="libjemalloc.so.2")
        linked = made(folder, "-Wl,--no-as-needed", f"-Wl,-rpath,{folder}", str(folder / "libjemalloc.so.2"),
                      name="linked")
        answer = true_of(as_root(), linked, verdict="all", loaded=True)
        assert "linked with jemalloc" in words(answer, "allocator"), answer
        assert not words(as_root().check(made(folder)), "allocator")


def test_scripts() -> None:
    with directory() as folder:
        for name, first in ("plain", "#!/bin/sh\n"), ("by_env", "#!/usr/bin/env sh\n"), ("spaced", "#! /bin/sh -e\n"):
            script = folder / name
            script.write_text(first + "echo ready\nread word\n")
            script.chmod(0o4755)
            answer = true_of(as_root(), str(script), verdict="all", loaded=True)
            assert answer["program"]["script"] and answer["program"]["file"] == os.path.realpath("/bin/sh"), answer
        true_of(as_nobody(8 * MIB), str(script), verdict="some", loaded=True)
        static = made(folder, "-static", name="interpreter")
        script.write_text(f"#!{static}\n")
        true_of(as_root(), str(script), verdict="none", loaded=False)
        # Without a first line of its own it is a shell's that starts it.
        script.write_text("echo ready\nread word\n")
        answer = true_of(as_root(), "/bin/sh", str(script), verdict="all", loaded=True)
        assert as_root().check(str(script))["verdict"] == "all"
        assert "runs the script" in words(as_root().check(str(script)), "program")
        for first in "#!/nowhere/sh\n", "#!sh\n", f"#!{script}\n", "#!\n", "#!/usr/bin/env\n":
            script.write_text(first)
            assert as_root().check(str(script))["verdict"] == "none", first
