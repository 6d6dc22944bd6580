"""Programs that ask for far more memory than they use, or than there is: in every mode they get and use it as without
the library. Each runs in a memory cgroup of its own, so that a mistake kills nothing else."""

import ctypes
import os
import shutil

from budget import cgroup, enter
from harness import EVERY_KIND, MIB, NOBODY, Run, program, run, without

TIB = 1 << 40
CGROUP = 512 * MIB
PR_CAPBSET_DROP = 24
CAP_IPC_LOCK = 14

SETTINGS = {
    "all": {"MODE": "all"},
    "all, onfault": {"MODE": "all", "FLAGS": "current,future,onfault"},
    "alloc": {"MODE": "alloc", "KINDS": EVERY_KIND},
    "alloc, onfault": {"MODE": "alloc", "KINDS": EVERY_KIND, "FLAGS": "current,future,onfault"},
    "alloc, by size": {"MODE": "alloc", "MIN_SIZE": "64K"},
    "observe": {"MODE": "observe"},
}


def _drop_ipc_lock() -> None:
    assert ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK, 0, 0, 0) == 0


USERS = {"root": None, "root without CAP_IPC_LOCK": None, "nobody": NOBODY}


def _half_of_the_machine() -> int:
    """As much as the kernel's heuristic lets a program ask for without a question."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def as_without(*asked: tuple) -> None:
    broken = [line for how, size in asked for line in _broken(how, size)]
    assert not broken, "\n  " + "\n  ".join(broken)


def _broken(how: str, size: int) -> list:
    broken = []
    with cgroup(CGROUP) as folder:
        shutil.chown(folder / "cgroup.procs", NOBODY)  # who is no longer root may still go in
        for name, user in USERS.items():
            def prepare() -> None:
                enter(folder)()
                if "without" in name:
                    _drop_ipc_lock()

            def start(starter, **settings) -> Run:
                return starter(program("sparse"), how, str(size), prepare=prepare, user=user, **settings)

            bare = start(without).expect(err=b"")
            for words, settings in SETTINGS.items():
                done = start(run, **settings)
                found = (done.status, done.out, done.err)
                if found != (0, bare.out, b""):
                    broken.append(f"sparse {how} {size}, {name}, mode {words}: status, out and err are {found}, without {bare.out!r}")
                else:
                    assert done.report["mode"] == settings["MODE"], done
    return broken


def test_a_terabyte_not_reserved() -> None:
    as_without(("noreserve", TIB))


def test_a_terabyte_opened_at_once() -> None:
    as_without(("opened", TIB))


def test_a_terabyte_of_a_file() -> None:
    as_without(("file", TIB))


def test_a_terabyte_reserved() -> None:
    """Where the kernel overcommits without bounds; elsewhere it refuses, with the library too."""
    as_without(("plain", TIB), ("malloc", TIB // 5))


def test_half_of_the_machine() -> None:
    as_without(("plain", _half_of_the_machine()), ("malloc", _half_of_the_machine()))


def test_twice_the_cgroup() -> None:
    as_without(*((how, 2 * CGROUP) for how in ("plain", "malloc", "pieces", "file")))
