"""Runs a program under the library, and finds out what became of it: status, output and reports."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import resource
import shutil
import subprocess
import tempfile
from typing import Iterator, Mapping, Sequence

SKIP = 77

# A run that takes longer hangs.
PATIENCE_S = 200

MIB = 1 << 20
EVERY_KIND = "heap,anon,file,shared,stack,image"
NOBODY = 65534

# Set by main(): the library, and the directory of the programs.
library = ""
programs = pathlib.Path()


class Skip(Exception):
    """The reason why it cannot be told here."""


def program(name: str) -> str:
    return str(programs / name)


def behind(name: str) -> str:
    """A library of this folder, to be preloaded with ours."""
    return str(programs / f"lib{name}.so")


class Run:
    """A program that has ended. `status` is negative for signals, as subprocess has it."""

    def __init__(self, command: Sequence[str], pid: int, status: int, out: bytes, err: bytes, written: bytes):
        self.command = command
        self.pid = pid
        self.status = status
        self.out = out
        self.err = err
        self.written = written

    def __repr__(self) -> str:
        return (f"{' '.join(map(str, self.command))}: status {self.status}\n  out: {self.out[-2000:]!r}\n"
                f"  err: {self.err[-2000:]!r}\n  report: {self.written[-4000:]!r}")

    @property
    def reports(self) -> list:
        return parse_reports(self.written)

    @property
    def report(self) -> dict:
        """The one of the program itself, not of its children or of what started it."""
        own = [report for report in self.reports
               if report["pid"] == self.pid and report["ended"] not in ("exec", "running")]
        assert len(own) == 1, f"{len(own)} reports instead of one\n{self}"
        return own[0]

    def expect(self, status: int = 0, out: bytes | None = None, err: bytes | None = None) -> "Run":
        if self.status == SKIP:
            raise Skip(self.err.decode(errors="replace").strip())
        assert self.status == status, f"status is not {status}\n{self}"
        assert out is None or self.out == out, f"output is not {out!r}\n{self}"
        assert err is None or self.err == err, f"standard error is not {err!r}\n{self}"
        return self


def _unique(pairs: list) -> dict:
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), f"a key stands twice: {names}"
    return dict(pairs)


def parse_reports(written: bytes) -> list:
    """One JSON object a line, every line ended; anything else is an error."""
    assert not written or written.endswith(b"\n"), f"the last line has no end: {written[-200:]!r}"
    reports = []
    for line in written.splitlines():
        report = json.loads(line.decode(), object_pairs_hook=_unique)
        assert report["schema"] == "autolock/1", line
        reports.append(report)
    return reports


@contextlib.contextmanager
def directory(where: str | None = None) -> Iterator[pathlib.Path]:
    """A directory that every user may look into."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="autolock-preload-", dir=where))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def environment(settings: Mapping[str, str], preload: str) -> dict:
    variables = {"PATH": os.environ.get("PATH", os.defpath)}
    if preload:
        variables["LD_PRELOAD"] = preload
    else:
        variables["EXPECT_NO_LIBRARY"] = "1"
    variables.update({f"AUTOLOCK_{name}": value for name, value in settings.items()})
    return variables


def run(*command: str, preload: str | None = None, env: Mapping[str, str] | None = None, prepare=None,
        err=subprocess.PIPE, out=subprocess.PIPE, cwd=None, pass_fds=(), user: int | None = None,
        also: Mapping[str, str] | None = None,
        **settings: str) -> Run:
    """
    Runs the command to its end. `settings` are the library's variables without their prefix; unless they or `env`
    say otherwise, the report is JSON in a file of its own, and an ordinary user's limit is no reason to complain.
    `also`: variables of the environment besides. `preload`: "" for a run without the library. `prepare` is called in the child before the program is executed.
    """
    with directory() as temporary:
        file = temporary / "report.jsonl"
        if user is not None:
            # The build may lie where an ordinary user has no way.
            command = tuple(_copy(temporary, part) for part in command)
            preload = library if preload is None else preload
            preload = ":".join(_copy(temporary, part) for part in preload.split(":"))
            (temporary / "reports").mkdir()
            file = temporary / "reports" / "report.jsonl"
            shutil.chown(file.parent, user)
        if env is None:
            env = environment({"STATS": "json", "STATS_FILE": str(file), "ON_FAILURE": "ignore", **settings},
                              library if preload is None else preload)
        env = {**env, **(also or {})}
        ids = {} if user is None else {"user": user, "group": user, "extra_groups": []}
        process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                   preexec_fn=prepare, cwd=cwd, pass_fds=pass_fds, **ids)
        try:
            printed, complained = process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise AssertionError(f"does not end: {command}") from None
        written = file.read_bytes() if file.exists() else b""
        return Run(command, process.pid, process.returncode, printed or b"", complained or b"", written)


def without(*command: str, **arguments) -> Run:
    """The same without the library."""
    return run(*command, preload="", **arguments)


def _copy(temporary: pathlib.Path, path: str) -> str:
    if not path.startswith((str(programs), library)):
        return path
    target = temporary / os.path.basename(path)
    shutil.copy2(path, target)
    target.chmod(0o755)
    return str(target)


def need_root() -> None:
    if os.geteuid() != 0:
        raise Skip("needs root")


def _capable() -> bool:
    """Of CAP_IPC_LOCK."""
    with open("/proc/self/status") as status:
        effective = next(line for line in status if line.startswith("CapEff"))
    return bool(int(effective.split()[1], 16) >> 14 & 1)


def need_privilege() -> None:
    """Skips where a process may not lock all it wants."""
    if resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] != resource.RLIM_INFINITY and not _capable():
        raise Skip("no privilege to lock more than the limit")


def need_no_privilege() -> None:
    if _capable():
        raise Skip("needs an ordinary user")


def limit(kind: int, soft: int):
    """For `prepare`: a limit that holds in the program."""

    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY and soft > hard:
        raise Skip("the limit is too low here, and cannot be raised")
    return lambda: resource.setrlimit(kind, (soft, soft))
