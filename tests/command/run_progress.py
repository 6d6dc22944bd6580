"""autolock run --progress: a line on the terminal, gone before anything else is said there."""

import os
import re
import signal
import subprocess

from command import autolock, own, path, wait_for
from harness import directory, program
from terminal import Terminal

QUIET = ("run", "--stats", "off", "--on-failure", "ignore", "--progress")
WIPED = rb"\r\033\[K"
LINE = re.compile(rb"\r([^\r\n\033]*) \033\[K")


def _environment(sort: str = "xterm-256color") -> dict:
    return {"PATH": os.environ["PATH"], "TERM": sort}


def _run(*options: str, columns: int = 80, sort: str = "xterm-256color", before: str = "", to: str = "") -> Terminal:
    """Under a shell that waits, so that the terminal is not gone with the command."""
    script = f'stty rows 24 cols {columns}; {before} "$@" {to}; echo "status=$?."; read line'
    return Terminal("sh", "-c", script, "sh", path(), *QUIET, *options, env=_environment(sort))


def _lines(terminal: Terminal) -> list:
    """What was drawn, in its order."""
    return [line.decode() for line in LINE.findall(terminal.written)]


def _screen(written: bytes) -> list:
    """Its lines as they are seen in the end: what it knows is all that the line is made of."""
    lines, column = [""], 0
    for piece in re.findall(rb"\033\[[0-9;]*[a-zA-Z]|[^\033]", written):
        here = lines[-1]
        if piece == b"\n":
            lines.append("")
        elif piece == b"\r":
            column = 0
        elif piece == b"\033[K":
            lines[-1] = here[:column]
        elif not piece.startswith(b"\033"):
            lines[-1] = here.ljust(column)[:column] + piece.decode("latin-1") + here[column + 1:]
            column += 1
    return lines


def _end(terminal: Terminal, pid: int) -> None:
    os.kill(pid, signal.SIGTERM)
    terminal.expect(rb"status=9\.")


def _pid(terminal: Terminal) -> int:
    """Of the program `signals`."""
    return int(terminal.expect(rb"pid (\d+)\.").group(1))


def test_a_run_with_all_of_it() -> None:
    """Warm-up, duration, figures; it is gone before the table, and nothing is left of it."""
    options = ("--warmup", "1500ms", "--duration", "1h", "--expect", "majflt>=0,locked>=0", "--", own("signals"))
    with _run(*options) as terminal:
        pid = _pid(terminal)
        for _ in range(2):
            terminal.expect(rb"since the warm-up, [^\r]*locked \033\[K")
        os.kill(pid, signal.SIGTERM)
        terminal.expect(rb"status=9\.")
        lines = _lines(terminal)
        size = r"\d+(?:\.\d+)? (?:B|[KMG]iB) locked"
        warm = [line for line in lines if not line.startswith("warm-up")]
        for line in lines[:-len(warm)]:
            assert re.fullmatch(r"warm-up 1\.[0-4] of 1\.5 s", line), lines
        for line in warm:
            assert re.fullmatch(rf"\d+ of 3600 s, \d+ major faults? since the warm-up, {size}", line), lines
        table = terminal.written.index(b"autolock run: ")
        assert terminal.written.rindex(b"\r\033[K", 0, table) > terminal.written.rindex(b" s, ", 0, table), terminal.written
        screen = _screen(terminal.written)
        begin = next(row for row, line in enumerate(screen) if line.startswith("autolock run: "))
        assert screen[begin].endswith(" 2 of 2 expectations hold"), screen
        assert screen[begin + 1].split() == ["expected", "measured"], screen
        assert not any(line.endswith("locked ") for line in screen), screen


def test_it_is_gone_when_the_time_is_over() -> None:
    """What the program says to its end has a line of its own."""
    with _run("--duration", "2500ms", "--", own("signals")) as terminal:
        terminal.expect(rb"status=9\.")
        screen = _screen(terminal.written)
        assert re.fullmatch(r"pid \d+\.", screen[0]) and screen[1:] == ["<15>", "status=9.", ""], screen


def test_what_is_locked_is_the_kernels_word() -> None:
    def locked(pid: int) -> int:
        with open(f"/proc/{pid}/status") as file:
            return int(re.search(r"VmLck:\s*(\d+) kB", file.read()).group(1)) * 1024

    units = {b"B": 1, b"KiB": 1 << 10, b"MiB": 1 << 20, b"GiB": 1 << 30}
    with _run("--", own("signals")) as terminal:
        pid = _pid(terminal)
        line = rb"\r\d+ s, 0 major faults since the lock, ([\d.]+) (B|[KMG]iB) locked \033\[K"
        number, unit = terminal.expect(line).groups()
        # It is told with one digit behind the point, and what is behind that is left out.
        assert -0.01 < locked(pid) / units[unit] - float(number) < 0.11, (number, unit, locked(pid))
        _end(terminal, pid)


def test_faults_since_the_mark() -> None:
    with _run("--warmup", "mark", "--", own("signals")) as terminal:
        pid = _pid(terminal)
        terminal.expect(rb"\r\d+ s, \d+ major faults? since the mark, or the lock, [\d.]+ \w+ locked \033\[K")
        _end(terminal, pid)


def test_without_the_library_there_is_time() -> None:
    with _run("--mode", "off", "--", own("signals")) as terminal:
        pid = _pid(terminal)
        terminal.expect(rb"\r\d+ s \033\[K")
        _end(terminal, pid)
        assert all(re.fullmatch(r"\d+ s", line) for line in _lines(terminal)), terminal.written


def test_widths() -> None:
    """What does not fit is left out as a whole, and the last column stays free."""
    locked = r"[\d.]+ (?:B|[KMG]iB) locked"
    for columns, warmup, whole in ((200, "2s", rf"\d+ of 3600 s, \d+ major faults? since the warm-up, {locked}"),
                                   (48, "2s", r"\d+ of 3600 s, \d+ major faults? since the warm-up"),
                                   (30, "2s", r"\d+ of 3600 s, \d+ major faults?"),
                                   (20, "2s", r"\d+ of 3600 s"), (10, "2s", r"\d+ s"),
                                   (60, "1h", r"warm-up \d+\.\d of 3600 s"), (20, "1h", r"warm-up \d+\.\d s")):
        options = ("--duration", "1h", "--warmup", warmup, "--", own("signals"))
        with _run(*options, columns=columns) as terminal:
            pid = _pid(terminal)
            line = r"\r" + whole + r" \033\[K"
            terminal.expect(line.encode())
            _end(terminal, pid)
            assert all(len(line) <= columns - 2 for line in _lines(terminal)), (columns, terminal.written)


def test_a_size_that_changes() -> None:
    with _run("--duration", "1h", "--", own("signals")) as terminal:
        pid = _pid(terminal)
        terminal.expect(rb"locked \033\[K")
        terminal.resize(24, 20)
        terminal.expect(WIPED)
        terminal.expect(rb"\r\d+ of 3600 s \033\[K")
        # Nothing at all fits.
        terminal.resize(24, 3)
        terminal.expect(WIPED)
        terminal.resize(24, 20)
        terminal.expect(rb"\r\d+ of 3600 s \033\[K")
        _end(terminal, pid)


def test_only_on_a_terminal() -> None:
    """Elsewhere it is as if nobody had asked for it."""
    autolock(*QUIET, "--duration", "1500ms", "--", "sleep", "1000").expect(0, b"", b"")
    with directory() as folder:
        file = folder / "errors"
        with _run("--duration", "1500ms", "--", "sleep", "1000", to=f"2>{file}") as terminal:
            terminal.expect(rb"status=0\.\r\n")
            assert terminal.written == b"status=0.\r\n" and file.read_bytes() == b"", terminal.written
        # Standard error alone matters.
        with _run("--", own("signals"), to=f">{file}") as terminal:
            terminal.expect(rb"locked \033\[K")
            _end(terminal, int(re.search(rb"pid (\d+)", file.read_bytes()).group(1)))
            assert re.fullmatch(rb"pid \d+\.\n<15>\n", file.read_bytes()), file.read_bytes()


def test_terminals_that_know_only_lines() -> None:
    for sort in "dumb", "":
        with _run("--duration", "1500ms", "--", "sleep", "1000", sort=sort) as terminal:
            terminal.expect(rb"status=0\.\r\n")
            assert terminal.written == b"status=0.\r\n", (sort, terminal.written)


def test_signals() -> None:
    """It makes room for what is said because of one, and comes back; the program gets it once."""
    with _run("--", own("signals"), before="trap : INT;") as terminal:
        pid = _pid(terminal)
        for _ in range(2):
            terminal.expect(rb"locked \033\[K")
            terminal.type(b"\x03")
            terminal.expect(WIPED)
        _end(terminal, pid)
        assert terminal.written.count(b"<2>") == 2 and terminal.written.count(b"<15>") == 1, terminal.written


def test_interrupted() -> None:
    with _run("--", "sleep", "1000", before="trap 'echo interrupted' INT;") as terminal:
        terminal.expect(rb"locked \033\[K")
        drawn = terminal.seen
        terminal.type(b"\x03")
        terminal.expect(rb"status=130\.")
        rest = terminal.written[drawn:]
        assert re.match(rb"(?:\^C)?\r\033\[K", rest) and not LINE.search(rest[4:]), rest
        assert all(" s," not in line for line in _screen(terminal.written)), terminal.written


def test_stopped_and_in_the_background() -> None:
    env = {**_environment(), "PS1": "$ ", "HOME": "/"}
    quoted = " ".join((path(), *QUIET, "--", program("hold_on")))
    with Terminal("bash", "--norc", "--noprofile", "-i", env=env) as terminal:
        # What the shell's own editing writes is not looked at.
        terminal.type(b"bind 'set enable-bracketed-paste off'; set +o emacs; clear\n")
        terminal.type(f"{quoted}\n".encode())
        terminal.expect(b"ready")
        terminal.expect(rb"locked \033\[K")
        drawn = terminal.seen
        terminal.type(b"\x1a")
        terminal.expect(rb"Stopped[^$]*\$ ")
        between = terminal.written[drawn:terminal.seen]
        assert re.search(rb"\r\033\[K[^\r]*[\r\n]+\[1\]", between), between
        # Stopped, nothing is drawn, and the shell has the terminal to itself.
        terminal.type(b"sleep 2; echo after=$?.\n")
        terminal.expect(rb"after=0\.\s+\$ ")
        assert not LINE.search(terminal.written[drawn + len(between):terminal.seen]), terminal.written[drawn:]
        terminal.type(b"fg\n")
        terminal.expect(rb"locked \033\[K")
        terminal.type(b"\x03")
        terminal.expect(rb"\$ ")
        # In the background the line is the shell's.
        background = terminal.seen
        terminal.type(b" ".join((path().encode(), *(option.encode() for option in QUIET), b"-- sleep 2.5 &\n")))
        terminal.type(b"wait; echo waited=$?.\n")
        terminal.expect(rb"waited=0\.")
        assert not LINE.search(terminal.written[background:]), terminal.written[background:]


def test_output_that_is_stopped() -> None:
    """^S stops the terminal, not the command: what is sent to it still reaches the program."""
    with directory() as folder:
        file = folder / "out"
        with _run("--", own("signals"), to=f">{file}") as terminal:
            terminal.expect(rb"locked \033\[K")
            terminal.type(b"\x13")
            with open(f"/proc/{terminal.pid}/task/{terminal.pid}/children") as children:
                command = int(children.read().split()[0])
            # Long enough that a line would have been drawn.
            subprocess.run(["sleep", "2"], check=True)
            os.kill(command, signal.SIGUSR1)
            wait_for("the signal", lambda: b"<10>" in file.read_bytes())
            os.kill(command, signal.SIGTERM)
            wait_for("the end", lambda: b"<15>" in file.read_bytes())
            terminal.type(b"\x11")
            terminal.expect(rb"status=9\.")


def test_it_does_not_grow() -> None:
    """Drawn for a week, it takes no memory: nothing of the command's own does, while the line is drawn again."""

    def data(pid: int) -> int:
        with open(f"/proc/{pid}/status") as file:
            return int(re.search(r"VmData:\s*(\d+) kB", file.read()).group(1))

    with _run("--", own("signals")) as terminal:
        pid = _pid(terminal)
        terminal.expect(rb"locked \033\[K")
        with open(f"/proc/{pid}/stat") as file:
            command = int(file.read().rsplit(")", 1)[1].split()[1])
        before = data(command)
        for _ in range(3):
            terminal.expect(rb"locked \033\[K")
        assert data(command) == before
        _end(terminal, pid)


def test_a_value_is_wrong() -> None:
    done = autolock("run", "--progress=1", "--", "true").expect(78, b"")
    assert b"--progress: it takes no value" in done.err, done
