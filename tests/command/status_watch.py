"""autolock status --watch: on a terminal, which is left as it was found, and elsewhere."""

import json
import os
import re
import select
import signal
import subprocess
import termios

from command import held, own, path, wait_for
from terminal import PATIENCE_S, Terminal

ENTER = b"\033[?1049h"
LEAVE = b"\033[?1049l"
BAR = rb"\033\[7m(\d+)-(\d+) of (\d+), by (\w+); q ends, s sorts"


def _environment(sort: str = "xterm-256color", **more: str) -> dict:
    return {"PATH": os.environ["PATH"], "TERM": sort, **more}


def _watch(pid: int, *options: str, rows: int = 24, columns: int = 80, env: dict | None = None) -> Terminal:
    """Under a shell that waits, so that the terminal is not gone with the command."""
    script = f'stty rows {rows} cols {columns}; "$@"; echo "status=$?."; read line'
    return Terminal("sh", "-c", script, "sh", path(), "status", *options, str(pid), env=env or _environment())


def _modes(terminal: Terminal) -> list:
    return termios.tcgetattr(terminal.file)[:4]


def _bar(terminal: Terminal) -> tuple:
    """The next one: first and last line, how many there are, and the order."""
    first, last, lines, order = terminal.expect(BAR).groups()
    return int(first), int(last), int(lines), order.decode()


def _screens(terminal: Terminal) -> list:
    """What was drawn, a list of lines each, without colours."""
    screens = []
    for part in terminal.written.split(b"\033[1;1H")[1:]:
        rows = re.split(rb"\033\[\d+;1H", part)
        screens.append([re.sub(rb"\033\[[0-9;?]*[a-zA-Z]", b"", row).decode() for row in rows])
    return screens


def _settled(terminal: Terminal) -> None:
    """Nothing is written any more; the interval is long."""
    while select.select([terminal.file], [], [], 0.3)[0]:
        terminal.written += os.read(terminal.file, 65536)
    terminal.seen = len(terminal.written)


def test_keys() -> None:
    with held() as process, _watch(process.pid, "--watch=1h", rows=10) as terminal:
        terminal.expect(re.escape(ENTER))
        first, last, lines, order = _bar(terminal)
        assert (first, last, order) == (1, 9, "address") and lines > 20
        terminal.type(b"j\033[B\033OB")
        assert [_bar(terminal)[0] for _ in range(3)] == [2, 3, 4]
        terminal.type(b"k\033[A")
        assert [_bar(terminal)[0] for _ in range(2)] == [3, 2]
        terminal.type(b"\033[6~ ")
        assert [_bar(terminal)[0] for _ in range(2)] == [11, 20]
        terminal.type(b"\033[5~b")
        assert [_bar(terminal)[0] for _ in range(2)] == [11, 2]
        terminal.type(b"G")
        assert _bar(terminal)[:2] == (lines - 8, lines)
        terminal.type(b"\033[Bg")
        assert [_bar(terminal)[0] for _ in range(2)] == [lines - 8, 1]
        terminal.type(b"\033[F\033[H")
        assert [_bar(terminal)[0] for _ in range(2)] == [lines - 8, 1]
        # What means nothing does nothing, also in two parts.
        terminal.type(b"x\033[99~\033")
        terminal.type(b"[Z")
        for wanted in "size", "resident", "locked", "unlocked", "address":
            terminal.type(b"s")
            wait_for(wanted, lambda: _bar(terminal)[3] == wanted)
        terminal.type(b"q")
        terminal.expect(re.escape(LEAVE))
        terminal.expect(rb"status=0\.")


def test_the_terminal_is_as_it_was() -> None:
    """However it ends."""
    for number in None, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT:
        with held() as process, _watch(process.pid, "--watch=1h") as terminal:
            _bar(terminal)
            changed = _modes(terminal)
            assert not changed[3] & (termios.ICANON | termios.ECHO)
            if number is None:
                terminal.type(b"q")
            else:
                os.kill(_command_of(terminal.pid), number)
            terminal.expect(re.escape(LEAVE))
            status = terminal.expect(rb"status=(\d+)\.").group(1)
            assert status == (b"0" if number is None else b"%d" % (128 + number)), (number, status)
            modes = _modes(terminal)
            assert modes[3] & termios.ICANON and modes[3] & termios.ECHO, number
            assert modes[3] & ~changed[3] == termios.ICANON | termios.ECHO, number
            # The cursor and the end of lines too.
            assert terminal.written.count(b"\033[?25l") == terminal.written.count(b"\033[?25h") == 1
            assert terminal.written.count(b"\033[?7l") == terminal.written.count(b"\033[?7h") == 1


def _command_of(shell: int) -> int:
    with open(f"/proc/{shell}/task/{shell}/children") as file:
        children = file.read().split()
    assert len(children) == 1, children
    return int(children[0])


def _state(pid: int) -> str:
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


def test_interrupt_key() -> None:
    """A script ends with it, as with any other program."""
    with held() as process:
        script = 'trap "echo interrupted." EXIT; "$@"; echo went on'
        with Terminal("bash", "-c", script, "bash", path(), "status", "--watch=1h", str(process.pid),
                      env=_environment()) as terminal:
            _bar(terminal)
            terminal.type(b"\x03")
            terminal.expect(b"interrupted")
            terminal.end()
            assert b"went on" not in terminal.written and LEAVE in terminal.written


def test_stop_and_go_on() -> None:
    """^Z gives the terminal back, fg takes it again; in the background it waits for that."""
    with held() as process:
        with Terminal("bash", "--norc", "--noprofile", "-i", env=_environment("xterm", PS1="$ ", HOME="/")) as terminal:
            terminal.expect(rb"\$ ")
            terminal.type(f"{path()} status --watch=1h {process.pid}\n".encode())
            for _ in range(2):
                _bar(terminal)
                terminal.type(b"\x1a")
                terminal.expect(re.escape(LEAVE) + rb"[^$]*Stopped[^$]*\$ ")
                terminal.type(b"echo after=$?.\n")
                terminal.expect(rb"after=148\.\s+")
                terminal.type(b"bg; wait; echo waited\n")
                terminal.expect(rb"waited\r")
                terminal.type(b"fg\n")
                terminal.expect(re.escape(ENTER))
            _bar(terminal)
            # Nobody sees a SIGSTOP coming: what it changed is there again after it.
            group = terminal.foreground()
            os.kill(group, signal.SIGSTOP)
            terminal.expect(rb"Stopped")
            terminal.type(b"fg\n")
            terminal.expect(re.escape(ENTER))
            _bar(terminal)
            terminal.type(b"q")
            terminal.expect(re.escape(LEAVE))
            terminal.type(b"echo status=$?.\n")
            terminal.expect(rb"status=0\.")


def test_sizes() -> None:
    """No line is longer than the terminal is wide, whatever size it has, and after each change of it."""
    sizes = ((1, 1), (5, 20), (2, 10), (24, 80), (50, 200), (3, 300), (5, 20))
    with held() as process, _watch(process.pid, "--watch=1h", rows=5, columns=20) as terminal:
        terminal.expect(re.escape(ENTER))
        for rows, columns in sizes:
            _settled(terminal)
            terminal.resize(rows, columns)
            terminal.expect(rb"\033\[1;1H")
            _settled(terminal)
            screen = _screens(terminal)[-1]
            assert len(screen) == rows, (rows, screen)
            assert all(len(line) <= columns for line in screen), (columns, screen)
            assert screen[0].startswith(f"hold_on[{process.pid}"[:columns]), screen
            if columns >= 200:
                addresses = any(re.match(r"  [0-9a-f]+-[0-9a-f]+ ", line) for line in screen)
                assert addresses or rows < 20, screen
        terminal.type(b"q")
        terminal.expect(rb"status=0\.")


def test_what_changes_is_seen() -> None:
    with held() as process, _watch(process.pid, "--watch=50ms", columns=200) as terminal:
        assert process.stdin is not None and process.stdout is not None
        terminal.expect(rb"resident ([0-9.]+ .iB)")
        _bar(terminal)
        before = _screens(terminal)[-1]
        for _ in range(5):
            process.stdin.write(b"x")
            process.stdin.flush()
            assert process.stdout.readline() == b"allocated\n"
        wait_for("other figures", lambda: _bar(terminal) and _screens(terminal)[-2][2] != before[2])
        terminal.type(b"q")
        terminal.expect(rb"status=0\.")


def test_one_ends() -> None:
    """It remains, and is marked; when all are gone the command ends, and says what was last."""
    with held() as one, held() as another:
        script = '"$@"; echo "status=$?."; read line'
        with Terminal("sh", "-c", script, "sh", path(), "status", "--watch=50ms", str(one.pid), str(another.pid),
                      env=_environment()) as terminal:
            terminal.resize(200, 200)
            _bar(terminal)
            one.kill()
            one.wait()
            terminal.expect(rb"hold_on\[%d\] has ended" % one.pid)
            _bar(terminal)
            assert any(line.startswith(f"hold_on[{another.pid}] with") for line in _screens(terminal)[-1])
            another.kill()
            another.wait()
            terminal.expect(re.escape(LEAVE))
            for pid in one.pid, another.pid:
                terminal.expect(rb"hold_on\[%d\] has ended; it was seen last" % pid)
                terminal.expect(rb"  total ")
            terminal.expect(rb"status=0\.")


def test_a_later_one_of_its_number() -> None:
    """Another program in the process is still the process."""
    with subprocess.Popen(["sh", "-c", "read line; exec sleep 1000"], stdin=subprocess.PIPE) as process:
        try:
            with _watch(process.pid, "--watch=50ms", columns=200, env=_environment(NO_COLOR="1")) as terminal:
                terminal.expect(rb"(sh|dash|bash)\[%d\] without" % process.pid)
                assert process.stdin is not None
                process.stdin.write(b"\n")
                process.stdin.flush()
                terminal.expect(rb"sleep\[%d\] without" % process.pid)
                process.kill()
                terminal.expect(rb"sleep\[%d\] has ended" % process.pid)
        finally:
            process.kill()


def test_colours() -> None:
    """On a terminal that has them, unless they are not wanted."""
    with held(MODE="alloc") as process:
        for env, coloured in ((_environment(), True), (_environment(NO_COLOR="1"), False),
                              (_environment("dumb"), False), (_environment(""), False),
                              (_environment(NO_COLOR=""), True)):
            with Terminal(path(), "status", str(process.pid), env=env) as terminal:
                assert os.waitstatus_to_exitcode(terminal.end()) == 0
                assert (b"\033[1m" in terminal.written) == coloured, (env, terminal.written)
                assert (b"\033" in terminal.written) == coloured, (env, terminal.written)
            with Terminal(path(), "status", "--format", "json", str(process.pid), env=env) as terminal:
                assert os.waitstatus_to_exitcode(terminal.end()) == 0
                assert b"\033" not in terminal.written


def test_a_narrow_terminal() -> None:
    """Without --watch too: what does not fit is left out."""
    with held() as process:
        for columns in 20, 40, 60, 80, 100, 150:
            script = f'stty rows 5 cols {columns}; "$@"; echo "status=$?."'
            with Terminal("sh", "-c", script, "sh", path(), "status", str(process.pid),
                          env=_environment("dumb" if columns == 20 else "xterm", NO_COLOR="1")) as terminal:
                terminal.expect(rb"status=0\.")
                header = next(line for line in terminal.written.splitlines() if line.endswith(b" name"))
                assert (b"address" in header) == (columns == 150 or columns == 20), header
                assert b"unlocked" in header, header


def test_a_dumb_terminal() -> None:
    """A table each time, and no page."""
    with held() as process:
        with Terminal(path(), "status", "--watch=50ms", str(process.pid), env=_environment("dumb")) as terminal:
            for _ in range(3):
                terminal.expect(rb"hold_on\[%d\] with" % process.pid)
            os.kill(terminal.pid, signal.SIGINT)
            assert os.waitstatus_to_exitcode(terminal.end()) == -signal.SIGINT
            assert b"\033" not in terminal.written


# -- not on a terminal ----------------------------------------------------------------------------


def _followed(process: subprocess.Popen, *options: str, **more) -> subprocess.Popen:
    return subprocess.Popen([path(), "status", *options, str(process.pid)], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)


def test_into_a_pipe() -> None:
    with held() as process, _followed(process, "--watch=50ms") as command:
        assert command.stdout is not None and command.stderr is not None
        heads = 0
        while heads < 3:
            heads += command.stdout.readline().startswith(b"hold_on[%d] with" % process.pid)
        process.kill()
        process.wait()
        rest = command.stdout.read()
        assert b"hold_on[%d] has ended" % process.pid in rest and b"\033" not in rest
        assert command.wait() == 0 and command.stderr.read() == b""


def test_json_again_and_again() -> None:
    with held() as process, _followed(process, "--watch=50ms", "--format", "json") as command:
        assert command.stdout is not None
        answers = [json.loads(command.stdout.readline()) for _ in range(3)]
        process.kill()
        process.wait()
        answers += [json.loads(line) for line in command.stdout]
        assert command.wait() == 0
        assert all(answer["schema"] == "autolock-status/1" and answer["pid"] == process.pid for answer in answers)
        assert [answer["ended"] for answer in answers] == [False] * (len(answers) - 1) + [True]


def test_a_reader_that_goes() -> None:
    """As any filter: by SIGPIPE, or where that is ignored by the error."""
    for restore in True, False:
        with held() as process, _followed(process, "--watch=50ms", restore_signals=restore) as command:
            assert command.stdout is not None and command.stdout.readline()
            command.stdout.close()
            status = command.wait(timeout=PATIENCE_S)
            assert status == (-signal.SIGPIPE if restore else 74), status


def test_some_are_not_there() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    with held() as process:
        command = [path(), "status", "--watch=50ms", str(gone.pid), str(process.pid)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as watching:
            assert watching.stdout is not None and watching.stderr is not None
            assert watching.stdout.readline().startswith(b"hold_on[%d] with" % process.pid)
            process.kill()
            process.wait()
            watching.stdout.read()
            assert watching.wait() == 1
            assert watching.stderr.read() == b"autolock status: process %d does not exist\n" % gone.pid
    done = subprocess.run([path(), "status", "--watch", str(gone.pid)], capture_output=True, check=False)
    assert done.returncode == 1 and not done.stdout, done


def test_nothing_grows() -> None:
    """What was read is given back: a watch may last for days."""
    with subprocess.Popen([own("threads"), "/etc/passwd"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        with _followed(process, "--watch=1ms", "--format", "json") as command:
            assert command.stdout is not None
            sizes = []
            for _ in range(4):
                for _ in range(100):
                    command.stdout.readline()
                with open(f"/proc/{command.pid}/status") as file:
                    sizes.append(int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)))
            command.kill()
        process.kill()
        assert sizes[-1] - sizes[1] <= 64, sizes
