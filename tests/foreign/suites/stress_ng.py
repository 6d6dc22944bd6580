"""stress-ng's stressors of memory, mappings, processes, threads and malloc, each verifying what it does."""

from __future__ import annotations

import re

from cell import Cell

AT_MOST_S = 20  # for what does not end by its number of operations

# stressor: operations, and what else keeps it small
STRESSORS = {
    # memory
    "malloc": (4000, "--malloc-bytes 2m --malloc-max 512"), "bigheap": (200, "--bigheap-growth 64k"), "brk": (2000,),
    "stack": (3,), "stackmmap": (10,), "bad-altstack": (50,), "vm": (400, "--vm-bytes 16m"),
    "vm-addr": (10,), "vm-rw": (10, "--vm-rw-bytes 8m"), "vm-segv": (50,), "vm-splice": (500, "--vm-splice-bytes 1m"),
    "mmap": (8, "--mmap-bytes 8m"), "mmapaddr": (500,), "mmapfixed": (30,), "mmapfork": (1,), "mmapmany": (2,),
    "mmaphuge": (4,), "mprotect": (2000,), "mremap": (50, "--mremap-bytes 4m"), "msync": (100, "--msync-bytes 4m"),
    "msyncmany": (1,), "mlock": (200,), "mlockmany": (2, "--mlockmany-procs 4"), "munmap": (20,), "madvise": (2,),
    "mincore": (500,), "membarrier": (50,), "memcpy": (10,), "memfd": (2, "--memfd-bytes 4m --memfd-fds 16"),
    "memthrash": (2,), "memrate": (2, "--memrate-bytes 8m"),
    "pagemove": (2, "--pagemove-bytes 1m"), "pageswap": (20,), "physpage": (50,), "remap": (10,), "resources": (2,),
    "rmap": (50,), "shm": (4, "--shm-bytes 4m --shm-objs 8"), "shm-sysv": (4, "--shm-sysv-bytes 2m --shm-sysv-segs 4"),
    "dev-shm": (1,), "tmpfs": (1,), "userfaultfd": (200, "--userfaultfd-bytes 1m"), "tlb-shootdown": (20,),
    "env": (2,), "full": (20,), "null": (100,), "zero": (100,), "numa": (1,), "oom-pipe": (2,), "sparsematrix": (2,),
    "tsearch": (1,), "hsearch": (2,), "bsearch": (2,), "lsearch": (1, "--lsearch-size 1024"), "tree": (1,),
    "judy": (1,), "list": (20,), "skiplist": (2,), "str": (10,), "wcs": (10,), "qsort": (1,), "zlib": (2,), "matrix": (10,),
    # processes and threads
    "fork": (200,), "vfork": (200,), "vforkmany": (100, "--timeout 3"), "clone": (100,), "pthread": (200,),
    "daemon": (20,), "exec": (20,), "zombie": (50,), "context": (100,), "dup": (20,), "exit-group": (20,), "spawn": (50,),
    "session": (20,), "wait": (20,), "tee": (20,), "pipe": (500,), "mutex": (200,),
    "futex": (500,), "switch": (500,), "schedpolicy": (20,), "dynlib": (50,),
    "prctl": (5,), "ptrace": (20,), "kill": (100,), "set": (20,), "get": (20,),
    # signals
    "sigsegv": (200,), "sigfpe": (200,), "sigio": (50,), "sigpending": (100,), "sigrt": (100,), "sigsuspend": (50,),
    "sigtrap": (100,), "signest": (20,), "sigabrt": (20,), "sigchld": (50,), "sigpipe": (50,), "sigq": (100,),
    "timer": (50,), "itimer": (50,), "eventfd": (200,), "aio": (20,), "chroot": (20,), "seccomp": (20,), "mq": (200,),
}
UNITS = list(STRESSORS)

# For the normal run, with fewer operations.
FEW = {"malloc": 500, "mmap": 1, "mremap": 5, "fork": 50, "vfork": 50, "pthread": 50, "sigsegv": 50}
SMALL = [f"{name}:{count}" for name, count in FEW.items()]


def prepare(place) -> dict:
    return {"program": place.program("stress-ng", "stress-ng"), "libraries": place.library_path()}


def run(cell: Cell, material: dict, units: list) -> dict:
    return {unit: outcome(cell, material, unit) for unit in units}


def outcome(cell: Cell, material: dict, unit: str) -> str:
    unit, _, few = unit.partition(":")
    count, *options = STRESSORS[unit]
    env = {} if material["program"].startswith("/usr/") else {"LD_LIBRARY_PATH": material["libraries"]}
    ended = cell.command(
        material["program"], "--verify", "--temp-path", cell.path("tmp"), "--timeout", str(AT_MOST_S),
        f"--{unit}", "1", f"--{unit}-ops", few or str(count), *" ".join(options).split(), env=env,
        timeout=10 * AT_MOST_S)
    # What is found wrong, without process numbers, addresses and counts.
    wrong = {re.sub(r"0x[0-9a-f]+|\d+", "N", line.split("]", 1)[-1]).strip()
             for line in ended.output.splitlines() if re.search(r"stress-ng: (fail|error):", line)}
    return "; ".join([ended.how, *sorted(wrong)])
