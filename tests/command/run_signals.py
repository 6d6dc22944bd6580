"""autolock run: signals and job control are as if the program had been started by itself."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
from typing import Iterator

import harness
from command import own, path, wait_for
from harness import directory, program
from terminal import Terminal

RUN = ("run", "--stats", "off", "--on-failure", "ignore", "--")

# What no process can catch, what the program keeps for itself, and what real faults are.
NOT_SENT = {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGTERM}


class Started:
    """The program `signals` under the command, outside of any terminal."""

    def __init__(self, process: subprocess.Popen, pid: int):
        self.process = process
        self.pid = pid

    def line(self) -> bytes:
        return self.process.stdout.readline().strip()


@contextlib.contextmanager
def _started(*arguments: str, options: tuple = (), **more) -> Iterator[Started]:
    command = [path(), *RUN[:-1], *options, "--", own("signals"), *arguments]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True,
                          **more) as process:
        try:
            first = process.stdout.readline()
            yield Started(process, int(re.match(rb"pid (\d+)\.", first).group(1)))
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _state(pid: int) -> str:
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


def _members(group: int) -> list:
    members = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(int(name)) == group:
                members.append(int(name))
    return members


def test_each_is_passed_on_once() -> None:
    with _started() as one:
        numbers = [number for number in sorted(signal.valid_signals()) if number not in NOT_SENT]
        for number in numbers:
            os.kill(one.process.pid, number)
            assert one.line() == b"<%d>" % number, number
        # Nothing comes twice: this is the next.
        os.kill(one.process.pid, signal.SIGTERM)
        assert one.process.stdout.read() == b"<15>\n"
        assert one.process.wait() == 9


def test_ended_by_one() -> None:
    for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGALRM:
        with _started(str(int(number))) as one:
            os.kill(one.process.pid, number)
            assert one.process.wait() == 128 + number, number


def test_kill_of_the_program() -> None:
    with _started() as one:
        os.kill(one.pid, signal.SIGKILL)
        assert one.process.wait() == 128 + signal.SIGKILL


def test_kill_of_the_command() -> None:
    """The program goes on, but with --pdeathsig it gets what was asked for."""
    with _started() as one:
        os.kill(one.process.pid, signal.SIGKILL)
        one.process.wait()
        os.kill(one.pid, signal.SIGUSR1)
        assert one.line() == b"<10>"
        os.kill(one.pid, signal.SIGKILL)
    with _started(options=("--pdeathsig", "USR2")) as one:
        os.kill(one.process.pid, signal.SIGKILL)
        assert one.line() == b"<12>"


def test_values_are_passed_on() -> None:
    with _started() as one:
        # procps' kill queues a value by sigqueue(3).
        done = subprocess.run(["/bin/kill", "-USR1", "-q", "4711", str(one.process.pid)], capture_output=True,
                              check=False)
        if done.returncode:
            raise harness.Skip(f"kill cannot queue: {done.stderr.decode()}")
        assert one.line() == b"<10=4711>"


def test_what_the_program_sends_itself() -> None:
    """kill(0, …) reaches it by itself, and does not come back by way of the command."""
    script = "trap 'echo got' USR1; kill -USR1 0; kill -USR2 0; echo no"
    done = subprocess.run([path(), *RUN, "sh", "-c", script], start_new_session=True, capture_output=True, check=False,
                          timeout=harness.PATIENCE_S)
    assert done.stdout == b"got\n" and done.returncode == 128 + signal.SIGUSR2, done


def test_stop_without_a_shell() -> None:
    """Nobody would continue the command, so it does not stop, and continues what has."""
    with _started(str(int(signal.SIGTSTP)), str(int(signal.SIGSTOP))) as one:
        os.kill(one.pid, signal.SIGSTOP)
        wait_for("the program's stop", lambda: _state(one.pid) == "T")
        os.kill(one.process.pid, signal.SIGUSR1)
        os.kill(one.process.pid, signal.SIGCONT)
        assert {one.line(), one.line()} == {b"<10>", b"<18>"}
        assert _state(one.process.pid) != "T"


def test_dispositions_are_the_programs() -> None:
    """What is blocked and ignored stays so; and ignored children do not take the status away."""

    def prepare() -> None:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, {signal.SIGUSR1, signal.SIGTERM, signal.SIGRTMIN})

    def state(*command: str) -> set:
        done = subprocess.run([*command, own("state")], preexec_fn=prepare, capture_output=True, check=False,
                              timeout=harness.PATIENCE_S)
        assert done.returncode == 23, done
        return {line for line in done.stdout.splitlines() if line.startswith((b"blocked", b"ignored", b"caught"))}

    wanted = state()
    assert b"ignored 17" in wanted and b"blocked 15" in wanted, wanted
    assert state(path(), *RUN) == wanted


# -- on a terminal -------------------------------------------------------------------------------


def test_keys() -> None:
    """To the whole group: the program gets each once, the command follows the program."""
    # A shell without job control: one group.
    with Terminal("sh", "-c", 'trap : INT QUIT TSTP; "$@"', "sh", path(), *RUN, own("signals")) as terminal:
        pid = int(terminal.expect(rb"pid (\d+)\.").group(1))
        for key, number in ((b"\x03", 2), (b"\x1c", 3), (b"\x1a", 20)):
            terminal.type(key)
            terminal.expect(b"<%d>" % number)
        terminal.resize(33)
        terminal.expect(b"<28>")
        with open(f"/proc/{pid}/stat") as file:
            command = int(file.read().rsplit(")", 1)[1].split()[1])
        os.kill(command, signal.SIGUSR1)
        terminal.expect(b"<10>")
        signals = re.findall(rb"<(\d+)>", terminal.written)
        assert signals == [b"2", b"3", b"20", b"28", b"10"], terminal.written


def _child_of(pid: int) -> int:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return int(file.read().split()[0])


def test_what_the_program_is_sent_is_as_without() -> None:
    """On a terminal a shell says the same of it: status, and how it ended."""
    numbers = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL, signal.SIGUSR1)
    for number in numbers:
        statuses = []
        for prefix in (), (path(), *RUN):
            script = 'ulimit -c 0; "$@"; echo "status=$?."'
            with Terminal("sh", "-c", script, "sh", *prefix, own("signals"), str(int(number))) as terminal:
                os.kill(int(terminal.expect(rb"pid (\d+)\.").group(1)), number)
                statuses.append(terminal.expect(rb"status=(\d+)\.").group(1))
        assert statuses == [b"%d" % (128 + number)] * 2, (number, statuses)


def test_sizes_of_the_terminal() -> None:
    """Each change of it comes once, and the size is the program's to ask for."""
    counts = []
    for prefix in (), (path(), *RUN):
        with Terminal("sh", "-c", 'trap : WINCH; "$@"', "sh", *prefix, own("signals")) as terminal:
            terminal.expect(rb"pid \d+\.")
            for rows in 10, 20, 30:
                terminal.resize(rows)
                terminal.expect(b"<28>")
            os.kill(_child_of(terminal.pid), signal.SIGUSR2)
            terminal.expect(b"<12>")
            counts.append(terminal.written.count(b"<28>"))
    assert counts == [3, 3], counts


def test_interrupted_script_ends() -> None:
    """bash goes on with a script if what it waited for was not ended by the interrupt."""
    for prefix in ((), (path(), *RUN)):
        script = 'trap "echo interrupted." EXIT; "$@"; echo went on'
        with Terminal("bash", "-c", script, "bash", *prefix, own("signals"), "2") as terminal:
            terminal.expect(rb"pid \d+\.")
            terminal.type(b"\x03")
            terminal.expect(b"interrupted")
            terminal.end()
            assert b"went on" not in terminal.written, terminal.written


def test_hang_up() -> None:
    """The leader of a session is told alone, and tells the program."""
    with directory() as folder:
        file = folder / "signals"
        with Terminal("sh", "-c", f'exec "$@" >{file}', "sh", path(), *RUN, own("signals"), "18") as terminal:
            wait_for("the program", lambda: file.exists() and b"pid" in file.read_bytes())
            pid = int(re.search(rb"pid (\d+)", file.read_bytes()).group(1))
            os.close(terminal.file)
            terminal.file = -1
            wait_for("the hang-up", lambda: b"<1>" in file.read_bytes())
            os.kill(pid, signal.SIGTERM)
            assert os.waitstatus_to_exitcode(os.waitpid(terminal.pid, 0)[1]) == 9
            assert file.read_bytes().count(b"<1>") == 1, file.read_bytes()


def _shell(shell: str) -> Terminal:
    env = {"PATH": os.environ["PATH"], "PS1": "$ ", "TERM": "dumb", "HOME": "/"}
    options = ("--norc", "--noprofile") if shell == "bash" else ()
    return Terminal(shell, *options, "-i", env=env)


def _jobs(shell: str, prefix: tuple) -> None:
    quoted = " ".join((*prefix, program("hold_on")))
    with _shell(shell) as terminal:
        for key_stops in True, False:
            terminal.type(f"{quoted}\n".encode())
            terminal.expect(b"ready")
            if key_stops:
                terminal.type(b"\x1a")
            else:
                # The command cannot wait for the program then, and the shell may be back before it has stopped.
                group = terminal.foreground()
                os.killpg(group, signal.SIGSTOP)
                wait_for("the stop of both", lambda: all(_state(pid) == "T" for pid in _members(group)))
            terminal.expect(rb"Stopped[^$]*\$ ")
            terminal.type(b"echo after=$?.\n")
            after = terminal.expect(rb"after=(\d+)\.\s+\$ ").group(1)
            assert after == (b"148" if key_stops else b"147"), after
            terminal.type(b"fg\n")
            terminal.expect(b"hold_on")
            terminal.type(b"x\n")
            terminal.expect(rb"allocated\s+allocated")
            terminal.type(b"\x1a")
            terminal.expect(rb"Stopped[^$]*\$ ")
            # In the background it wants to read, and is stopped again.
            terminal.type(b"bg; wait; jobs\n")
            terminal.expect(rb"Stopped[^$]*\$ ")
            terminal.type(b"fg\n")
            terminal.expect(b"hold_on")
            terminal.type(b"x\n")
            terminal.expect(rb"allocated\s+allocated")
            terminal.type(b"\x03")
            terminal.expect(rb"\^C\s+\$ ")
            terminal.type(b"echo status=$?.\n")
            terminal.expect(rb"status=130\.")
        terminal.type(b"jobs; echo none=$?.; exit\n")
        rest = terminal.seen
        terminal.expect(rb"none=0\.")
        assert b"Stopped" not in terminal.written[rest:], terminal.written


def test_jobs() -> None:
    for shell in "bash", "dash":
        if not any(os.access(os.path.join(folder, shell), os.X_OK) for folder in os.environ["PATH"].split(":")):
            continue
        _jobs(shell, ())
        _jobs(shell, (path(), *RUN))


def test_slow_to_go_on() -> None:
    """The program is interrupted, or stopped again, before the command has seen that it goes on."""
    shell = str(pathlib.Path(__file__).with_name("slow_shell.py"))
    for key, said in (b"\x03", rb"ended by 2\."), (b"\x1a", rb"stopped by 20, the program is T\."):
        with Terminal(sys.executable, "-B", shell, path(), *RUN, program("hold_on")) as terminal:
            terminal.expect(b"ready")
            terminal.type(b"\x1a")
            terminal.expect(rb"stopped\.\s+alone\.")
            terminal.type(key)
            terminal.expect(said)


def test_a_shell_as_the_program() -> None:
    """It has groups of its own, and gives the terminal back."""
    with _shell("bash") as terminal:
        terminal.type(" ".join((path(), *RUN, "bash", "--norc", "--noprofile", "-i")).encode() + b"\n")
        terminal.type(b"PS1='inner> '\n")
        terminal.expect(b"\ninner> |\rinner> ")
        terminal.type(program("hold_on").encode() + b"\n")
        terminal.expect(b"ready")
        terminal.type(b"\x1a")
        terminal.expect(b"Stopped[^>]*inner> ")
        terminal.type(b"suspend\n")
        terminal.expect(rb"Stopped[^$]*\$ ")
        terminal.type(b"echo outer=$?.\n")
        terminal.expect(rb"outer=147\.")
        terminal.type(b"fg\n")
        terminal.expect(b"inner> ")
        terminal.type(b"fg\n")
        terminal.expect(b"hold_on")
        terminal.type(b"x\n")
        terminal.expect(rb"allocated\s+allocated")
        terminal.type(b"\x03")
        terminal.expect(b"inner> ")
        terminal.type(b"exit 5\n")
        terminal.expect(rb"\$ ")
        terminal.type(b"echo status=$?.\n")
        terminal.expect(rb"status=5\.")
