"""Commands in one mode, as one user: how they ended, and the proof that the library was in them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from typing import Optional, Sequence

from modes import Mode, User

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
HANGS_S = 600  # what takes so long hangs; no result depends on it
MARK = "FOREIGN_CELL"


class Skip(Exception):
    """What cannot be done here; the text is the reason."""


@dataclass
class Ended:
    status: int
    output: str
    hung: bool = False
    reports: int = 0

    @property
    def how(self) -> str:
        if self.hung:
            return "hangs"
        return f"status {self.status}" if self.status >= 0 else f"killed by {signal.Signals(-self.status).name}"


@dataclass
class Cell:
    """A private directory, a mode and a user."""

    directory: str
    library: str
    mode: Mode
    user: User
    commands: int = 0
    reports: int = 0
    locked: int = 0  # the most that a process had locked, by its report
    unproven: list = field(default_factory=list)  # commands of which nothing shows that the library was in them

    def __post_init__(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)
        self.reports_directory = os.path.join(self.directory, "reports")
        for path in (self.directory, self.reports_directory, self.path("tmp"), self.path("home")):
            os.makedirs(path)
            self.give(path)
        # Not sticky: who becomes another user on the way still writes a report.
        os.chmod(self.reports_directory, 0o777)
        self._prove()

    def path(self, *names: str) -> str:
        return os.path.join(self.directory, *names)

    def give(self, path: str) -> None:
        if os.geteuid() == 0:
            os.chown(path, *self.user.ids)

    def make_directory(self, name: str) -> str:
        shutil.rmtree(self.path(name), ignore_errors=True)
        os.makedirs(self.path(name))
        self.give(self.path(name))
        return self.path(name)

    def copy(self, source: str, name: str) -> str:
        """A tree of one's own, to be written to."""
        target = self.path(name)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, symlinks=True)
        for folder, folders, files in os.walk(target):
            for path in (folder, *(os.path.join(folder, each) for each in (*folders, *files))):
                if os.geteuid() == 0:
                    os.lchown(path, *self.user.ids)
        return target

    def environment(self, extra: Optional[dict] = None) -> dict:
        made = {"PATH": PATH, "HOME": self.path("home"), "TMPDIR": self.path("tmp"), "LC_ALL": "C.UTF-8", "TZ": "UTC",
                MARK: self.directory, **(extra or {})}
        if self.mode.loaded:
            made.update(self.mode.environment)
            made["LD_PRELOAD"] = self.library
            made["AUTOLOCK_STATS"] = "json"
            made["AUTOLOCK_STATS_FILE"] = os.path.join(self.reports_directory, "%n.%p.json")
            # What could not be locked is in the reports; the tests compare what programs say.
            made["AUTOLOCK_LOG"] = "quiet"
        return made

    def start(self, argv: Sequence[str], cwd: Optional[str] = None, env: Optional[dict] = None, **options):
        # setpriv and prlimit are not what is tested: `env` hands the environment to the command alone.
        words = [*self.user.command(), "env", "-i",
                 *(f"{name}={value}" for name, value in self.environment(env).items()), *argv]
        return subprocess.Popen(words, cwd=cwd or self.path("tmp"), stdin=subprocess.DEVNULL,
                                env={"PATH": PATH, MARK: self.directory}, start_new_session=True, **options)

    def command(self, *argv: str, cwd: Optional[str] = None, env: Optional[dict] = None, timeout: int = HANGS_S,
                proven: bool = True) -> Ended:
        """Run to the end, with all that it left behind. `proven`: its reports must be there."""
        self.commands += 1
        log = self.path("output")
        with open(log, "wb") as file:
            process = self.start(argv, cwd, env, stdout=file, stderr=subprocess.STDOUT)
            hung = False
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                hung = True
            self.end_all(process)
            process.wait()
        with open(log, "rb") as file:
            ended = Ended(process.returncode, file.read().decode("utf-8", "replace"), hung)
        if ended.status != 0:
            # What it said is wanted when bare it ends otherwise.
            os.rename(log, self.path(f"output.{self.commands}"))
        ended.reports = self.collect(" ".join(argv) if proven and not hung else None)
        return ended

    def end_all(self, process: subprocess.Popen) -> None:
        """What a command left behind: its process group, and others by the mark in their environment, or by where they
        are, as a server may write its title over its environment."""
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        mark = f"{MARK}={self.directory}".encode()
        for name in os.listdir("/proc"):
            try:
                if name.isdigit() and self._is_of(f"/proc/{name}", mark):
                    os.kill(int(name), signal.SIGKILL)
            except OSError:
                pass

    def _is_of(self, process: str, mark: bytes) -> bool:
        if os.readlink(f"{process}/cwd").startswith(self.directory + "/"):
            return True
        with open(f"{process}/environ", "rb") as file:
            return mark in file.read().split(b"\0")

    def collect(self, prove: Optional[str]) -> int:
        """Counts the reports and takes them away; `prove` is the command that must have left some."""
        found = 0
        for name in os.listdir(self.reports_directory):
            path = os.path.join(self.reports_directory, name)
            with open(path, encoding="utf-8", errors="replace") as file:
                lines = file.read().splitlines()
            os.remove(path)
            for line in lines:
                found += self._count(line, name)
        self.reports += found
        if prove and bool(found) != self.mode.reports:
            self.unproven.append(f"{found} reports of: {prove}")
        return found

    def _count(self, line: str, name: str) -> int:
        try:
            report = json.loads(line)
        except ValueError:
            self.unproven.append(f"{name} is no report: {line[:100]}")
            return 0
        if report["mode"] != self.mode.reported:
            self.unproven.append(f"{name}: mode {report['mode']}")
        self.locked = max(self.locked, report["locked"]["peak_kernel_bytes"])
        return 1

    def _prove(self) -> None:
        """By the kernel's word: a program that is started here has the library, or has it not."""
        ended = self.command("cat", "/proc/self/maps", proven=self.mode.loaded)
        if ended.status != 0:
            raise Skip(f"as {self.user.name}: cat ends with {ended.how}: {ended.output[:200]}")
        # The loader's word that it could not be loaded has its name too.
        mapped = any(line.split()[5:] == [self.library] for line in ended.output.splitlines())
        if mapped != self.mode.loaded:
            raise AssertionError(f"{self.mode.name}, {self.user.name}: the library is "
                                 f"{'not ' if self.mode.loaded else ''}in a program that is started here")
        self.commands = self.reports = 0
