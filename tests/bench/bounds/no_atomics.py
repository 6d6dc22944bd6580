#!/usr/bin/env python3
"""No atomic read-modify-write on the way of malloc and free: by disassembly, and by following direct calls."""

import platform
import re
import shutil
import subprocess

from counting import fail, parse_arguments, skip

# Where a call of the program comes through. What they reach by direct calls and jumps is looked at as well.
HOT = ("malloc", "calloc", "realloc", "free", "al_counted_malloc", "al_counted_calloc", "al_counted_realloc",
       "al_counted_free", "al_tracked_alone_malloc", "al_tracked_alone_free", "al_tracked_sized_malloc", "al_tracked_sized_alone_malloc",
       "al_tracked_sized_free")

# A thread's first count, and blocks that were handed out before libc's malloc was known. In mode alloc: a page that
# gets its first owner or loses its last, a heap that shrank, a thread without counters. In mode all: once in a
# megabyte, whether there is room for more, and what fails.
RARE = ("al_count_attach", "al_boot_owns_slow", "al_boot_size", "al_boot_leave", "own_otherwise", "disown_otherwise",
        "own_sized", "malloc_shrunk", "al_watched_malloc", "al_watched_calloc", "al_watched_realloc",
        "al_watched_malloc_failed", "al_watched_calloc_failed", "al_watched_realloc_failed")


def functions(library: str) -> dict:
    """{name: [instruction]}. Local names repeat in principle; then both are looked at."""
    done = subprocess.run(["objdump", "-d", "--no-show-raw-insn", "--section=.text", library], capture_output=True,
                          text=True, check=True)
    found: dict = {}
    name = ""
    for line in done.stdout.splitlines():
        if heading := re.match(r"[0-9a-f]+ <([^>]+)>:$", line):
            name = heading[1]
        elif instruction := re.match(r"\s+[0-9a-f]+:\s+(.*)", line):
            found.setdefault(name, []).append(instruction[1].split("#")[0].strip())
    return found


def target(instruction: str):
    """The function that a direct call or jump goes to. A compiler's part of a function counts with the function."""
    found = re.match(r"(?:\w+ )*?(?:call|j\w+)q?\s+[0-9a-f]+ <([^>+]+)(?:\+0x[0-9a-f]+)?>", instruction)
    return found and found[1]


def is_atomic(instruction: str) -> bool:
    return bool(re.match(r"(?:\w+ )*lock\b", instruction) or re.match(r"xchg\w*\s.*\(", instruction))


def reached(all_functions: dict) -> list:
    waiting, seen = list(HOT), set()
    while waiting:
        name = waiting.pop()
        if name in seen or name in RARE or name.split(".")[0] in RARE or name not in all_functions:
            continue
        seen.add(name)
        waiting += filter(None, map(target, all_functions[name]))
    return sorted(seen)


def self_check() -> None:
    for instruction in ("lock addq $0x1,(%rax)", "lock cmpxchg %ecx,(%rdx)", "xchg %rax,(%rdi)", "xchg   %eax,(%rdi)"):
        if not is_atomic(instruction):
            fail(f"this check misses {instruction}")
    for instruction in ("xchg   %ax,%ax", "addq   $0x1,(%rax)", "call   4c20 <lock_block>"):
        if is_atomic(instruction):
            fail(f"this check takes {instruction} for atomic")
    if target("call   4c20 <a_function>") != "a_function" or target("je     417c <a.cold+0x10>") != "a.cold":
        fail("this check does not follow calls")


def main() -> None:
    options = parse_arguments(__doc__)
    self_check()
    if platform.machine() != "x86_64":
        skip(f"knows the instructions of x86_64, not of {platform.machine()}")
    if not shutil.which("objdump"):
        skip("objdump is not installed")
    found = functions(options.library)
    missing = [name for name in HOT if name not in found]
    if missing:
        fail(f"not in the library, so nothing was looked at: {', '.join(missing)} (stripped, or renamed?)")
    names = reached(found)
    print(f"looked at {', '.join(names)}")
    atomic = [f"{name}: {instruction}" for name in names for instruction in found[name] if is_atomic(instruction)]
    # The check would pass as well if it saw nothing: the library does have atomic instructions elsewhere.
    if not any(is_atomic(instruction) for name in found for instruction in found[name]):
        fail("no atomic instruction in the whole library: the disassembly is not understood")
    if atomic:
        fail("atomic on the hot path: " + "; ".join(atomic))


if __name__ == "__main__":
    main()
