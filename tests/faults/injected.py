"""Runs a program in which calls fail, and says what became of it."""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
from typing import NamedTuple

import table

SKIP = 77
NOBODY = 65534

# A run that takes longer hangs: none takes a second on a machine that does nothing else.
PATIENCE_S = 90

MIB = 1 << 20

_MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None

_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": "/nowhere"}


class Skip(Exception):
    """The reason why it cannot be told here."""


class Tools(NamedTuple):
    """What the build made, and what is known of it."""

    library: str
    command: str
    injector: str
    programs: pathlib.Path
    numbers: dict
    left_out: tuple  # of the library: where it makes the program's own calls
    symbols: tuple  # (offset, size, name), in order


class Fault(NamedTuple):
    call: str
    faults: tuple
    when: str = "each"

    def __str__(self) -> str:
        return f"{self.call} {'|'.join(self.faults)} {self.when}"


class Seen(NamedTuple):
    """What the injector saw."""

    calls: dict  # {(call, offset): (times, failed)}
    others: dict  # {call: times}
    locked: dict  # {pid: the bytes that the kernel counted whenever the library was about to write}

    def of(self, *names: str) -> int:
        return sum(times for (call, _), (times, _) in self.calls.items() if call in names)

    @property
    def failed(self) -> int:
        return sum(failed for _, failed in self.calls.values())


class Run(NamedTuple):
    status: int
    out: bytes
    err: bytes
    files: dict  # {name: bytes} of what was written beside
    seen: Seen
    hung: bool


def find_tools(library: str, command: str, injector: str, programs: str, compiler: str) -> Tools:
    symbols = []
    text = subprocess.run(["nm", "-S", library], capture_output=True, text=True, check=True).stdout
    for line in text.splitlines():
        words = line.split()
        if len(words) == 4 and words[2] in "tT":
            symbols.append((int(words[0], 16), int(words[1], 16), words[3]))
    if not symbols:
        raise Skip("the library has no symbols by which its calls are told from the program's")
    # What lib/preload/real.c does for the program until libc's functions are known.
    left_out = tuple(f"{at:x}-{at + size:x}" for at, size, name in symbols if name.startswith("raw_"))
    assert left_out
    return Tools(os.path.abspath(library), os.path.abspath(command), os.path.abspath(injector),
                 pathlib.Path(programs).resolve(), table.numbers(compiler), left_out, tuple(sorted(symbols)))


def function_at(tools: Tools, offset: int) -> str:
    for at, size, name in tools.symbols:
        if at <= offset <= at + size:
            return name
    return f"{offset:x}"


def range_of(tools: Tools, function: str) -> str:
    at, size = next((at, size) for at, size, name in tools.symbols if name == function)
    return f"{at:x}-{at + size + 1:x}"


def need(tools: Tools) -> None:
    if os.uname().machine != "x86_64":
        raise Skip("the injector knows the registers of x86-64 alone")
    done = subprocess.run([tools.injector, "-t", "true"], capture_output=True, text=True, check=False)
    if done.returncode == SKIP:
        raise Skip(done.stderr.strip() or "no seccomp filters here")
    assert done.returncode == 0, done


def _read_seen(path: pathlib.Path, names: dict) -> Seen:
    calls, others, locked = {}, {}, {}
    text = path.read_text(encoding="ascii") if path.exists() else ""
    for line in text.splitlines():
        kind, *words = line.split()
        if kind == "call":
            calls[names[int(words[0])], int(words[1], 16)] = int(words[2]), int(words[3])
        elif kind == "other":
            others[names[int(words[0])]] = int(words[1])
        elif kind == "locked":
            locked.setdefault(int(words[0]), []).append(int(words[1]) * 1024)
    return Seen(calls, others, locked)


class Place:
    """A directory where programs run, which every user may use."""

    def __init__(self, tools: Tools):
        self.tools = tools
        self.names = {number: name for name, number in tools.numbers.items()}

    def __enter__(self) -> "Place":
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="autolock-faults-"))
        self.path.chmod(0o777)
        # The build may lie where an ordinary user has no way.
        self.library = str(shutil.copy(self.tools.library, self.path))
        self.beside = self.path / "beside"
        self.log = self.path / "seen"
        self.memory = pathlib.Path(tempfile.mkdtemp(prefix="autolock-faults-", dir=_MEMORY))
        self.memory.chmod(0o777)
        return self

    def __exit__(self, *_) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        shutil.rmtree(self.memory, ignore_errors=True)

    def take(self, program: str) -> str:
        """A copy that every user may execute."""
        copy = self.path / os.path.basename(program)
        if not copy.exists():
            shutil.copy(program, copy)
        return str(copy)

    def run(self, command: list, settings: dict, judged: list, faults: list = (), trace: bool = False,
            user: int | None = None, memlock: int | None = None, when: str | None = None,
            preload: bool = True, stdin: bytes = b"") -> Run:
        """
        `judged`: the injector's options for who is judged. `settings` are the environment's variables; BESIDE in
        them is a directory whose files are read afterwards.
        """
        for path in self.memory.iterdir():
            path.unlink()
        shutil.rmtree(self.beside, ignore_errors=True)
        self.beside.mkdir()
        self.beside.chmod(0o777)
        self.log.unlink(missing_ok=True)
        options = [*judged, "-r", str(self.log)]
        for fault in faults:
            errnos = ",".join(str(table.number_of(name)) for name in fault.faults)
            options += ["-f", f"{self.tools.numbers[fault.call]}={errnos}"]
        if faults:
            options += ["-w", when or faults[0].when]
        if trace:
            options.append("-t")
        if user is not None:
            options += ["-u", str(user)]
        if memlock is not None:
            options += ["-m", str(memlock)]
        variables = {name: value.replace("BESIDE", str(self.beside)).replace("MEMORY", str(self.memory))
                     for name, value in settings.items()}
        if preload:
            variables["LD_PRELOAD"] = self.library
        for name, value in variables.items():
            options += ["-e", f"{name}={value}"]
        arguments = [part.replace("BESIDE", str(self.beside)) for part in command]
        with subprocess.Popen([self.tools.injector, *options, *arguments], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_ENVIRONMENT, cwd=self.path,
                              start_new_session=True) as process:
            hung = False
            try:
                out, err = process.communicate(stdin, timeout=PATIENCE_S)
            except subprocess.TimeoutExpired:
                hung = True
                process.send_signal(signal.SIGKILL)  # with it goes who it traces
                out, err = process.communicate()
        files = {str(path.relative_to(self.beside)): path.read_bytes()
                 for path in sorted(self.beside.rglob("*")) if path.is_file()}
        return Run(process.returncode, out, err, files, _read_seen(self.log, self.names), hung)

    def of_library(self) -> list:
        """The injector's options where the library's own calls are judged."""
        options = ["-l", self.library]
        for hole in self.tools.left_out:
            options += ["-x", hole]
        return options
