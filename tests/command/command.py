"""Runs the command."""

import contextlib
import os
import shutil
import subprocess
import time
from typing import Iterator

import harness
from harness import environment, program

PATIENCE_S = 60


class Done:
    """A command that has ended."""

    def __init__(self, arguments: tuple, process: subprocess.CompletedProcess):
        self.arguments = arguments
        self.status = process.returncode
        self.out = process.stdout
        self.err = process.stderr

    def __repr__(self) -> str:
        return f"autolock {' '.join(self.arguments)}: status {self.status}\n  out: {self.out!r}\n  err: {self.err!r}"

    def expect(self, status: int, out: bytes | None = None, err: bytes | None = None) -> "Done":
        assert self.status == status, f"status is not {status}\n{self}"
        assert out is None or self.out == out, f"output is not {out!r}\n{self}"
        assert err is None or self.err == err, f"standard error is not {err!r}\n{self}"
        return self


def path() -> str:
    return os.environ["COMMAND"]


def autolock(*arguments: str, **more) -> Done:
    process = subprocess.run([path(), *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                             timeout=harness.PATIENCE_S, check=False, **more)
    return Done(arguments, process)


def need_libelf() -> None:
    """Without it the command knows of a program only what is seen of it when it runs."""
    if b"built without libelf" in autolock("check", "--format", "json", path()).out:
        raise harness.Skip("the command was built without libelf")


def own(name: str) -> str:
    """A program of this folder."""
    return program("../command/" + name)


@contextlib.contextmanager
def for_everybody() -> Iterator[tuple]:
    """
    A directory, and the command and the programs in it, where every user may run them: `bin` and `lib` as they are
    installed.
    """
    with harness.directory() as folder:
        (folder / "bin").mkdir()
        (folder / "lib").mkdir()
        for source, target in ((path(), "bin/autolock"), (harness.library, "lib/libautolock.so"),
                               (own("state"), "bin/state"), (own("signals"), "bin/signals")):
            shutil.copy2(source, folder / target)
            (folder / target).chmod(0o755)
        yield folder, str(folder / "bin" / "autolock"), lambda name: str(folder / "bin" / name)


def wait_for(what: str, look) -> object:
    """Looks until there is something, and returns it."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


@contextlib.contextmanager
def held(**settings: str) -> Iterator[subprocess.Popen]:
    """A program under the library that has said that it is ready, and waits."""
    settings.setdefault("STATS", "off")
    with subprocess.Popen([program("hold_on")], env=environment(settings, harness.library), stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == b"ready\n"
            yield process
        finally:
            process.kill()
