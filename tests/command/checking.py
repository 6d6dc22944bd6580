"""What the tests of autolock check share: programs, surroundings, and what really becomes of the ones in the others."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
from typing import Iterator, Optional

import harness
from command import path
from explain import memlock
from harness import NOBODY, Skip, directory, environment, need_privilege, need_root, program

STATUSES = {"all": 0, "some": 1, "none": 2}

# Says that it runs, and waits.
WAITS = """
#include <unistd.h>
int main(void)
{
    char c;
    return write(1, "ready\\n", 6) != 6 || read(0, &c, 1) < 0;
}
"""

# The same without libc.
BARE = """
static long call(long number, long a, const void *b, long c)
{
    long result;
#if defined(__x86_64__)
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
#else
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
#endif
    return result;
}
void _start(void)
{
    const int wide = sizeof(long) == 8;
    char c;
    call(wide ? 1 : 4, 1, "ready\\n", 6);
    call(wide ? 0 : 3, 0, &c, 1);
    call(wide ? 60 : 1, 0, 0, 0);
}
"""


def made(folder: pathlib.Path, *flags: str, source: str = WAITS, name: str = "waits", compiler: str = "cc") -> str:
    """A program that every user may run."""
    if not shutil.which(compiler):
        raise Skip(f"no {compiler} here")
    (folder / f"{name}.c").write_text(source)
    done = subprocess.run([compiler, str(folder / f"{name}.c"), "-o", str(folder / name), *flags],
                          capture_output=True, check=False)
    if done.returncode:
        raise Skip(f"{compiler} {' '.join(flags)} makes nothing here: {done.stderr.decode().splitlines()[-1]}")
    (folder / name).chmod(0o755)
    return str(folder / name)


class Surroundings:
    """What the command and a program are put into alike."""

    def __init__(self, *before: str, prepare=None, user: Optional[int] = None, **settings: str):
        self.before = before
        self.prepare = prepare
        self.ids = {} if user is None else {"user": user, "group": user, "extra_groups": []}
        self.settings = settings

    def check(self, *arguments: str) -> dict:
        """The answer in JSON; that in text says the same."""
        with directory() as folder:
            # The build may lie where an ordinary user has no way.
            command = shutil.copy2(path(), folder)
            results = []
            for form in "json", "text":
                results.append(subprocess.run(
                    [*self.before, command, "check", "--format", form, *arguments], stdin=subprocess.DEVNULL,
                    capture_output=True, timeout=harness.PATIENCE_S, check=False, preexec_fn=self.prepare,
                    env=environment(self.settings, ""), **self.ids))
        parsed, text = results
        if b"built without libelf" in parsed.stdout:
            raise Skip("the command was built without libelf")
        assert not parsed.stderr and not text.stderr and parsed.stdout.count(b"\n") == 1, results
        answer = json.loads(parsed.stdout)
        assert answer["schema"] == "autolock-check/1"
        assert parsed.returncode == text.returncode == STATUSES[answer["verdict"]], results
        for finding in answer["findings"]:
            # What is used of the memory may have become another number meanwhile.
            told = text.stdout.decode()
            assert f"  {finding['subject']} " in told and finding["fix"] in told, results
        return answer

    @contextlib.contextmanager
    def running(self, *command: str) -> Iterator[subprocess.Popen]:
        with directory() as folder:
            library = shutil.copy2(harness.library, folder)
            settings = {"STATS": "off", "ON_FAILURE": "ignore", **self.settings}
            with subprocess.Popen([*self.before, *command], env=environment(settings, str(library)),
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  preexec_fn=self.prepare, **self.ids) as process:
                try:
                    yield process
                finally:
                    process.kill()

    def become(self, *command: str) -> tuple:
        """Whether the library was in the program, and how much of it was locked: all, some or none."""
        with self.running(*command) as process:
            assert process.stdout is not None and process.stderr is not None
            line = process.stdout.readline()
            assert line == b"ready\n", (command, line, process.stderr.read())
            return counters_are_there(process.pid), locked_of(process.pid)


def counters_are_there(pid: int) -> bool:
    return "autolock-live" in pathlib.Path(f"/proc/{pid}/maps").read_text()


def locked_of(pid: int) -> str:
    locked = unlocked = 0
    resident = 0
    name = ""
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        words = line.split()
        if "-" in words[0] and not words[0].endswith(":"):
            name = words[-1]
        elif words[0] == "Rss:":
            resident = int(words[1])
        # The kernel's own, which nobody can lock.
        elif words[0] == "VmFlags:" and resident and not name.startswith(("[v", "[uprobes")):
            if "lo" in words:
                locked += resident
            else:
                unlocked += resident
    return "none" if not locked else "some" if unlocked else "all"


def subjects(answer: dict, *levels: str) -> set:
    return {finding["subject"] for finding in answer["findings"] if finding["level"] in levels}


def words(answer: dict, subject: str) -> str:
    return "\n".join(f"{finding['what']}; {finding['fix']}" for finding in answer["findings"]
                     if finding["subject"] == subject)


def true_of(here: Surroundings, *command: str, verdict: str, loaded: bool) -> dict:
    """The command's answer, which is what happens."""
    answer = here.check(command[0])
    assert answer["verdict"] == verdict, answer
    there, locked = here.become(*command)
    assert there == loaded, f"the library is {'' if there else 'not '}there: {answer}"
    if verdict == "some":
        assert locked != "none", answer
    else:
        assert locked == verdict, f"{locked}: {answer}"
    return answer


def as_root() -> Surroundings:
    need_privilege()
    return Surroundings()


def as_nobody(limit: int) -> Surroundings:
    need_root()
    return Surroundings(user=NOBODY, prepare=memlock(limit))


def set_capabilities(command: str, text: str) -> None:
    setcap = shutil.which("setcap", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if not setcap:
        raise Skip("no setcap here")
    if subprocess.run([setcap, text, command], capture_output=True, check=False).returncode:
        raise Skip("no file capabilities here")
