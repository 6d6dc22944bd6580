"""A root of its own for programs with more rights than their caller: the library lies there in a directory that the
loader trusts, setuid as the loader wants it, and nothing of the machine is changed."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pathlib
import resource
import shutil
import stat
import subprocess
from typing import Iterator, Mapping

import harness
from harness import NOBODY, Skip, need_root

CLONE_NEWNS = 0x20000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
PR_CAPBSET_DROP, CAP_IPC_LOCK = 24, 14

_libc = ctypes.CDLL(None, use_errno=True)


def _must(result: int, what: str) -> None:
    if result:
        raise Skip(f"{what}: {os.strerror(ctypes.get_errno())}")


def _mount(kind: str, place: str, flags: int = 0, options: str = "") -> None:
    _must(_libc.mount(b"none", place.encode(), kind.encode(), flags, options.encode() or None), f"no {kind} can be mounted")


def own(name: str) -> str:
    """A program of this folder."""
    return harness.program("../security/" + name)


class Root:
    """`out` is a directory in it where everybody may make files."""

    def __init__(self, path: pathlib.Path):
        self.path = path
        self.out = path / "out"
        self.trusted = ""
        for name in "bin", "dev", "proc", "out", "tmp":
            (path / name).mkdir()
        # What libc puts in the place of standard descriptors that are closed.
        for name, minor in ("null", 3), ("full", 7):
            os.mknod(path / "dev" / name, stat.S_IFCHR | 0o666, os.makedev(1, minor))
        self.out.chmod(0o1777)
        (path / "tmp").chmod(0o1777)
        listed = subprocess.run([own("rights")], env={"LD_TRACE_LOADED_OBJECTS": "1"}, capture_output=True, text=True,
                                check=True).stdout
        for word in listed.split():
            if word.startswith("/"):
                self._copy(word)
                if "/libc.so" in word:
                    self.trusted = os.path.dirname(word)
        assert self.trusted, listed
        self.library = path / self.trusted.lstrip("/") / "libautolock.so"
        shutil.copy2(harness.library, self.library)
        self.library.chmod(0o4755)
        _mount("proc", str(path / "proc"))

    def _copy(self, file: str) -> None:
        target = self.path / file.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, target)

    def program(self, name: str, mode: int, capabilities: str = "") -> str:
        """The program under another name, with these rights."""
        target = self.path / "bin" / name
        shutil.copy2(own("rights"), target)
        target.chmod(mode)
        if capabilities:
            done = subprocess.run(["setcap", capabilities, str(target)], capture_output=True, check=False)
            if done.returncode:
                raise Skip(f"files cannot have capabilities here: {done.stderr.decode().strip()}")
        return f"/bin/{name}"

    def run(self, *command: str, preload: str = "libautolock.so", limits: tuple | None = None, closed: bool = False,
            variables: Mapping[str, str] | None = None) -> subprocess.CompletedProcess:
        """As nobody. `limits`: of locked memory, where even root is held to them. `closed`: without standard error."""

        def prepare() -> None:
            if limits:
                _must(_libc.prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK, 0, 0, 0), "capabilities cannot be dropped")
                resource.setrlimit(resource.RLIMIT_MEMLOCK, limits)
            os.chroot(self.path)
            os.chdir("/")
            os.umask(0)
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            if closed:
                os.close(2)

        environment = {"PATH": "/bin", **({"LD_PRELOAD": preload} if preload else {}),
                       **{f"AUTOLOCK_{name}": value for name, value in (variables or {}).items()}}
        return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                              preexec_fn=prepare, timeout=harness.PATIENCE_S)

    def files(self) -> dict:
        """All there is, and what would show that it was written to."""
        found = {}
        for folder, folders, names in os.walk(self.path):
            if folder == str(self.path):
                folders.remove("proc")
            for name in folders + names:
                path = os.path.join(folder, name)
                status = os.lstat(path)
                found[path] = (status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns)
        return found


@contextlib.contextmanager
def secure_root() -> Iterator[Root]:
    """In a mount namespace of this process, which the kernel clears away with it."""
    need_root()
    with harness.directory() as place:
        _must(_libc.unshare(CLONE_NEWNS), "no mount namespace")
        _must(_libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mounts cannot be made private")
        _mount("tmpfs", str(place), options="mode=755")
        try:
            yield Root(place)
        finally:
            _libc.umount2(str(place / "proc").encode(), 2)
            _libc.umount2(str(place).encode(), 2)
