"""A shell with one job, `autolock run -- PROGRAM`, which lets the program go on long before the command that has
started it: slow_shell.py COMMAND… It says `stopped.` when both are for the first time, `alone.` when the program goes
on, and in the end what has become of the command, once the terminal's next signal has come to the program."""

import os
import pathlib
import signal
import sys
import time


def _job() -> int:
    pid = os.fork()
    if pid:
        return pid
    os.setpgid(0, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.tcsetpgrp(0, os.getpgrp())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(sys.argv[1], sys.argv[1:])


def _state(pid: int) -> str:
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="latin-1").rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "gone"


def _wait_while(pid: int, states: tuple) -> None:
    while _state(pid) in states:
        time.sleep(0.001)


def main() -> None:
    command = _job()
    os.waitpid(command, os.WUNTRACED)
    program = int(pathlib.Path(f"/proc/{command}/task/{command}/children").read_text(encoding="ascii"))
    print("stopped.", flush=True)
    os.kill(program, signal.SIGCONT)
    _wait_while(program, ("T",))
    print("alone.", flush=True)
    _wait_while(program, ("R", "S", "D"))
    os.kill(command, signal.SIGCONT)
    status = os.waitpid(command, os.WUNTRACED)[1]
    if os.WIFSTOPPED(status):
        print(f"stopped by {os.WSTOPSIG(status)}, the program is {_state(program)}.", flush=True)
        os.killpg(command, signal.SIGKILL)
        os.waitpid(command, 0)
    elif os.WIFSIGNALED(status):
        print(f"ended by {os.WTERMSIG(status)}.", flush=True)
    else:
        print(f"ended with {os.WEXITSTATUS(status)}.", flush=True)


if __name__ == "__main__":
    main()
