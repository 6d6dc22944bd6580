"""Where a case runs a real program and says what must be as without the library.

A case runs twice: bare first, which records every result, then locked, where each result is compared at once with
the bare one, and where each command must prove that the library was loaded into the right program.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import resource
import shlex
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import Callable, Optional, Sequence

import reports as report_files
from settings import CAP_IPC_LOCK, Limit, Setting, User, may_lock_everything
from support import PATH, Broken, find_program, names_of, process_fields

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

    def file(self, name: str) -> str:
        return os.path.join(self.directory, name)

    def read(self, name: str) -> bytes:
        with open(self.file(name), "rb") as file:
            return file.read()


class Stage:
    """A private directory, a user, a limit and a setting to run commands in."""

    def __init__(self, root: str, library: str, setting: Setting, user: User, limit: Limit, bare: Optional[list],
                 ask_loader: bool = False):
        self.setting, self.user, self.limit = setting, user, limit
        self.library = library
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
            raise Broken(f"{label} differs: {_difference(self._bare[index][1], value)}")

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
            _kill_group(process)
        return self._ended(run, process, status)

    def server(self, *argv: str, ready: Callable[[], bool], programs=None, env=None, compare=(),
               user: Optional[User] = None) -> Server:
        """Start in the background and wait until `ready()`."""
        run, process = self._start(argv, b"", programs, env, compare, user)
        server = Server(process, run)
        self._servers.append(server)
        self.wait_for(ready, f"{run.label} does not become ready", server)
        return server

    def wait_for(self, condition: Callable[[], bool], otherwise: str, server: Optional[Server] = None) -> None:
        for _ in range(TIMEOUT_S * 50):
            if condition():
                return
            if server is not None and server.process.poll() is not None:
                raise Broken(f"{otherwise}: {_ending(server.process.returncode)}{_last_words(server.run)}")
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
        _kill_group(server.process)
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
        elif self.setting.locks == "all" and may_lock_everything(user or self.user, self.limit):
            self.check(locked_kb >= share * resident_kb,
                       f"{what} has only VmLck {locked_kb} kB of VmRSS {resident_kb} kB")

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
            _kill_group(server.process)
        self._servers = []

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
                                       preexec_fn=lambda: _become(user, self.limit))
        return run, process

    def _environment(self, directory: str, extra: dict) -> dict:
        environment = {"PATH": PATH, "HOME": self.path("home"), "TMPDIR": self.path("tmp"), "LC_ALL": "C",
                       "TZ": "UTC", **extra}
        if not self.locked:
            return environment
        environment.update(self.setting.environment)
        environment["LD_PRELOAD"] = self.library
        environment["AUTOLOCK_STATS"] = "json"
        environment["AUTOLOCK_STATS_FILE"] = os.path.join(directory, "reports", "%n.%p.json")
        if self._ask_loader:
            environment["LD_DEBUG"] = "files"
            environment["LD_DEBUG_OUTPUT"] = os.path.join(directory, "loader", "ld")
        return environment

    def _ended(self, run: _Run, process: subprocess.Popen, status: int) -> Result:
        result = Result(process.returncode, run.read("stdout"), run.read("stderr"))
        if result.status != status:
            raise Broken(f"{run.label}: {_ending(result.status)}, expected {status}{_last_words(run)}")
        if "stdout" in run.compare:
            self.same(f"stdout of {run.label}", result.stdout)
        if "stderr" in run.compare:
            self.same(f"stderr of {run.label}", self._own_stderr(run, result.stderr))
        if self.locked:
            if self.setting.reports:
                self._check_reports(run)
            else:
                self._check_silent(run)
        return result

    def _own_stderr(self, run: _Run, text: bytes) -> bytes:
        """Where a limit stands in the way the library says so, and a parent may pass it on with a word of its own before
        it ("remote: libautolock: …"); nowhere else may it say anything."""
        if not self.locked or self.setting.locks == "none" or (
                self.setting.locks == "all" and may_lock_everything(run.user, self.limit)):
            return text
        return b"".join(line for line in text.splitlines(True) if b"libautolock: " not in line)

    def _check_reports(self, run: _Run) -> None:
        found, wrong = report_files.read_all(run.file("reports"))
        for report in found:
            wrong += [f"{report.get('program')}.{report.get('pid')}: {problem}"
                      for problem in report_files.problems(report, self.setting.environment)]
        if wrong:
            more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
            raise Broken(f"{run.label}: {wrong[0]}{more}")
        if may_lock_everything(run.user, self.limit):
            failed = [report for report in found if any(report["failures"].values())]
            if failed:
                raise Broken(f"{run.label}: {failed[0]['program']}: no limit holds, but {failed[0]['failures']}")
        for program, count in run.programs.items():
            names = names_of(program if "/" in program else find_program(program) or program)
            own = [report for report in found if report["program"] in names]
            if len(own) < count:
                others = sorted({report["program"] for report in found})
                raise Broken(f"{run.label}: {len(own)} of {count} reports of {program}; there are reports of {others}")
            if self.setting.locks == "all" and may_lock_everything(run.user, self.limit):
                if not any(report["locked"]["peak_kernel_bytes"] > 0 for report in own):
                    raise Broken(f"{run.label}: {program} locked nothing: downgrades {own[0]['downgrades']}, "
                                 f"failures {own[0]['failures']}")

    def _check_silent(self, run: _Run) -> None:
        if os.listdir(run.file("reports")):
            raise Broken(f"{run.label}: a report, though mode {self.setting.mode} is silent")
        if not self._ask_loader:
            return
        loaded = report_files.loaded_programs(run.file("loader"), self.library)
        for program in run.programs:
            names = names_of(program if "/" in program else find_program(program) or program)
            if not any(loaded.get(name) for name in names):
                raise Broken(f"{run.label}: the library was not loaded into {program}; the loader says {loaded}")


def _become(user: User, limit: Limit) -> None:
    """In the child, before exec."""
    if limit.limit_bytes is not None:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (limit.limit_bytes, limit.limit_bytes))
    if user.drop_ipc_lock:
        pr_capbset_drop = 24
        if ctypes.CDLL(None, use_errno=True).prctl(pr_capbset_drop, CAP_IPC_LOCK, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_CAPBSET_DROP)")
    elif not user.is_self:
        os.setgroups(user.groups)
        os.setgid(user.gid)
        os.setuid(user.uid)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _kill_group(process: subprocess.Popen) -> None:
    """End what a command left behind in its own session."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def _ending(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    return f"killed by {signal.Signals(-status).name}"


def _last_words(run: _Run) -> str:
    lines = [line for name in ("stdout", "stderr") for line in run.read(name).splitlines()[-3:]]
    return "".join("\n      | " + line.decode(errors="replace")[:200] for line in lines)


def _difference(bare, locked) -> str:
    if not isinstance(bare, bytes) or not isinstance(locked, bytes):
        return f"bare {bare!r}, locked {locked!r}"
    first, second = bare.splitlines(), locked.splitlines()
    for index in range(max(len(first), len(second))):
        pair = [lines[index][:200] if index < len(lines) else None for lines in (first, second)]
        if pair[0] != pair[1]:
            return f"line {index + 1}: bare {pair[0]!r}, locked {pair[1]!r}"
    return f"bare {bare[-60:]!r}, locked {locked[-60:]!r} (end of line)"
