"""Where a case runs a real program and says what must be as without the library.

A case runs twice: bare first, which records every result, then locked, where each result is compared at once with
the bare one, and where each command must prove that the library was loaded into the right program.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import Callable, Optional, Sequence

import checks
from child import become, difference, ending, kill_group, last_words
from sampler import Sampler
from settings import Limit, Setting, User, binding_limit, may_lock_everything
from support import PATH, Broken, process_fields, skip
from surroundings import PLAIN, Surroundings

TIMEOUT_S = 100  # a hang ends here; no result depends on it


@dataclass
class Result:
    status: int
    stdout: bytes
    stderr: bytes


class Server:
    """A program in the background. Made by Stage.server, ended by Stage.finish."""

    def __init__(self, process: subprocess.Popen, run: "_Run"):
        self.process = process
        self.pid = process.pid
        self.run = run


@dataclass
class _Run:
    """One started command: where its output, its reports and the loader's words go."""

    label: str
    argv: Sequence[str]
    directory: str
    programs: dict
    compare: frozenset
    user: User
    environment: dict
    sampler: Optional[Sampler] = None
    drops_root: bool = False

    def file(self, name: str) -> str:
        return os.path.join(self.directory, name)

    def read(self, name: str) -> bytes:
        with open(self.file(name), "rb") as file:
            return file.read()


class Stage:
    """A private directory, a user, a limit and a setting to run commands in."""

    def __init__(self, root: str, library: str, setting: Setting, user: User, limit: Limit, bare: Optional[list],
                 ask_loader: bool = False, around: Surroundings = PLAIN):
        self.setting, self.user, self.limit, self.around = setting, user, limit, around
        self.library = library
        self.shortcomings: list = []  # what is wrong, though the program runs as it should
        self._ask_loader = ask_loader
        self.notes: list = []
        self.record: list = []
        self._bare = bare
        self._servers: list = []
        self._runs: list = []
        self._logs = os.path.join(root, "logs")
        self.directory = os.path.join(root, "stage")  # the same path each time: programs print it
        for path in (self.directory, self._logs):
            shutil.rmtree(path, ignore_errors=True)
            os.makedirs(path)
            self._give(path)
            os.chmod(path, 0o777 if path == self._logs else 0o755)
        self.make_directory("home")
        self.make_directory("tmp")

    # What a case may use ------------------------------------------------------------------------------------------

    @property
    def locked(self) -> bool:
        return self.setting.preload

    def path(self, name: str) -> str:
        return os.path.join(self.directory, name)

    def make_directory(self, name: str, user: Optional[User] = None) -> str:
        os.makedirs(self.path(name))
        self._give(self.path(name), user)
        return self.path(name)

    def write(self, name: str, content) -> str:
        with open(self.path(name), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        self._give(self.path(name))
        return self.path(name)

    def read(self, name: str) -> bytes:
        with open(self.path(name), "rb") as file:
            return file.read()

    def tool(self, name: str) -> str:
        """A program made for the matrix, built beside it, where every user may run it."""
        path = os.path.join(os.path.dirname(self.library), name)
        return path if os.path.exists(path) else skip(f"{name} is not built")

    def note(self, text: str) -> None:
        self.notes.append(text)

    def check(self, holds: bool, otherwise: str) -> None:
        if not holds:
            raise Broken(otherwise)

    def same(self, label: str, value) -> None:
        """This value must be what it was without the library."""
        self.record.append((label, value))
        if self._bare is None:
            return
        index = len(self.record) - 1
        if index >= len(self._bare) or self._bare[index][0] != label:
            raise Broken(f"{label}: the bare run did not come to this")
        if self._bare[index][1] != value:
            raise Broken(f"{label} differs: {difference(self._bare[index][1], value)}")

    def produced(self, *names: str) -> None:
        """These files must be byte for byte what they were without the library."""
        for name in names:
            content = self.read(name)
            self.same(f"file {name}", f"{len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()}")

    def command(self, *argv: str, stdin: bytes = b"", status: int = 0, programs=None, env=None,
                compare=("stdout", "stderr"), user: Optional[User] = None) -> Result:
        """Run to the end. `programs` (a name, or name -> least number of reports) must show the library; by default
        the command itself."""
        run, process = self._start(argv, stdin, programs, env, compare, user)
        try:
            process.wait(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise Broken(f"{run.label} hangs (killed after {TIMEOUT_S} s)") from None
        finally:
            kill_group(process)
        return self._ended(run, process, status)

    def server(self, *argv: str, ready: Callable[[], bool], programs=None, env=None, compare=(),
               user: Optional[User] = None, drops_root: bool = False) -> Server:
        """Start in the background and wait until `ready()`. `drops_root`: if root, it becomes another user, on whom
        the limit holds."""
        run, process = self._start(argv, b"", programs, env, compare, user)
        run.drops_root = drops_root and run.user.uid == 0
        server = Server(process, run)
        self._servers.append(server)
        self.wait_for(ready, f"{run.label} does not become ready", server)
        return server

    def wait_for(self, condition: Callable[[], bool], otherwise: str, server: Optional[Server] = None) -> None:
        end = time.monotonic() + TIMEOUT_S
        while time.monotonic() < end:
            if condition():
                return
            if server is not None and server.process.poll() is not None:
                raise Broken(f"{otherwise}: {ending(server.process.returncode)}{last_words(server.run)}")
            time.sleep(0.02)
        raise Broken(f"{otherwise} within {TIMEOUT_S} s")

    def finish(self, server: Server, send: Optional[int] = None, status: int = 0) -> Result:
        """Wait for the end of a server, after sending it a signal if one is given."""
        if send is not None:
            server.process.send_signal(send)
        try:
            server.process.wait(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise Broken(f"{server.run.label} does not end (killed after {TIMEOUT_S} s)") from None
        self._servers.remove(server)
        kill_group(server.process)
        return self._ended(server.run, server.process, status)

    def expect_lock(self, pid: int, what: str, user: Optional[User] = None, share: float = 0.95) -> None:
        """Of a running process: the library is mapped, and as much is locked as the setting says."""
        locked_kb, resident_kb = process_fields(pid, "VmLck", "VmRSS")
        if not self.locked:
            self.check(locked_kb == 0, f"{what} has VmLck {locked_kb} kB without the library")
            return
        with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as file:
            self.check(self.library in file.read(), f"{what} (pid {pid}) does not map the library")
        self.note(f"{what}: VmLck {locked_kb} kB, VmRSS {resident_kb} kB")
        if self.setting.locks == "none":
            self.check(locked_kb == 0, f"{what} has VmLck {locked_kb} kB in mode {self.setting.mode}")
        elif self.setting.locks == "all" and self.may_lock_everything(user or self.user):
            self.check(locked_kb >= share * resident_kb,
                       f"{what} has only VmLck {locked_kb} kB of VmRSS {resident_kb} kB")

    def expect_budget_used(self, pid: int, what: str, user: Optional[User] = None) -> None:
        """Of a running process most of whose memory is large blocks."""
        bound = self.bound(user)
        locked, resident = (kilobytes * 1024 for kilobytes in process_fields(pid, "VmLck", "VmRSS"))
        if self.locked and self.setting.fills and bound is not None and not self.around.denied:
            self.shortcomings += checks.budget_left(what, locked, resident, bound)

    def may_lock_everything(self, user: Optional[User] = None) -> bool:
        return may_lock_everything(user or self.user, self.limit) and not self.around.denies_locks

    def bound(self, user: Optional[User] = None) -> Optional[int]:
        """The most bytes that the kernel lets this user lock; None: no bound."""
        return binding_limit(user or self.user, self.limit)

    def close(self) -> None:
        """End what is left over after a failure; and the bare run must not have gone further than this one."""
        for server in self._servers:
            for send in (signal.SIGTERM, signal.SIGKILL):
                if server.process.poll() is None:
                    server.process.send_signal(send)
                    try:
                        server.process.wait(timeout=5)
                    except subprocess.TimeoutExpired:
                        pass
            kill_group(server.process)
        self._servers = []
        for run in self._runs:
            if run.sampler:
                run.sampler.stop()

    def reproduction(self) -> str:
        """A shell line for the last command that ran."""
        if not self._runs:
            return ""
        run = self._runs[-1]
        own = {key: value for key, value in run.environment.items() if key.startswith(("AUTOLOCK_", "LD_"))}
        words = " ".join([f"cd {self.directory} &&", *(f"{key}={shlex.quote(value)}" for key, value in own.items()),
                          *map(shlex.quote, run.argv)])
        return words if len(words) < 600 else words[:600] + " …"

    # How ----------------------------------------------------------------------------------------------------------

    def _give(self, path: str, user: Optional[User] = None) -> None:
        user = user or self.user
        if os.geteuid() == 0:
            os.chown(path, user.uid, user.gid)

    def _start(self, argv, stdin, programs, env, compare, user) -> tuple:
        user = user or self.user
        directory = os.path.join(self._logs, f"{len(self._runs):02d}")
        for path in (directory, os.path.join(directory, "reports"), os.path.join(directory, "loader")):
            os.makedirs(path)
            os.chmod(path, 0o777)  # not sticky: a server that changes its user still appends to its files
        if programs is None:
            programs = {argv[0]: 1}
        elif not isinstance(programs, dict):
            programs = {name: 1 for name in ([programs] if isinstance(programs, str) else programs)}
        environment = self._environment(directory, env or {})
        label = " ".join(" ".join([os.path.basename(argv[0]), *argv[1:]]).split())
        label = label if len(label) <= 60 else label[:57] + "..."
        run = _Run(label, argv, directory, programs, frozenset(compare), user, environment)
        self._runs.append(run)
        with open(run.file("stdin"), "wb") as file:
            file.write(stdin)
        with open(run.file("stdin"), "rb") as source, open(run.file("stdout"), "wb") as out, \
                open(run.file("stderr"), "wb") as err:
            process = subprocess.Popen(argv, stdin=source, stdout=out, stderr=err, cwd=self.directory,
                                       env=environment, start_new_session=True,
                                       preexec_fn=lambda: become(user, self.limit, self.around))
        if self.locked and self.bound(user) is not None:
            run.sampler = Sampler(process.pid)
        return run, process

    def _environment(self, directory: str, extra: dict) -> dict:
        environment = {"PATH": PATH, "HOME": self.path("home"), "TMPDIR": self.path("tmp"), "LC_ALL": "C",
                       "TZ": "UTC", **extra}
        preloaded = [*([self.library] if self.locked else []), *self.around.preloaded()]
        if preloaded:
            environment["LD_PRELOAD"] = ":".join(preloaded)
        if not self.locked:
            return environment
        environment.update(self.setting.environment)
        environment["AUTOLOCK_STATS"] = "json"
        environment["AUTOLOCK_STATS_FILE"] = os.path.join(directory, "reports", "%n.%p.json")
        if self._ask_loader:
            environment["LD_DEBUG"] = "files"
            environment["LD_DEBUG_OUTPUT"] = os.path.join(directory, "loader", "ld")
        return environment

    def _ended(self, run: _Run, process: subprocess.Popen, status: int) -> Result:
        result = Result(process.returncode, run.read("stdout"), run.read("stderr"))
        if result.status != status:
            raise Broken(f"{run.label}: {ending(result.status)}, expected {status}{last_words(run)}")
        if "stdout" in run.compare:
            self.same(f"stdout of {run.label}", result.stdout)
        if "stderr" in run.compare:
            self.same(f"stderr of {run.label}", checks.own_stderr(self, run, result.stderr))
        if self.locked:
            if self.setting.reports:
                checks.reports_of(self, run)
            else:
                checks.silent(self, run, self._ask_loader)
            checks.within_limit(self, run)
        return result
