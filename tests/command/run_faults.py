"""autolock run --faults: where page faults come from."""

import json
import pathlib
import re
import resource
import shutil
import signal
import subprocess

import harness
from command import Done, autolock, for_everybody, own, path, wait_for
from harness import NOBODY, Skip, directory, need_privilege, need_root, program

PAGES = 64
QUIET = ("run", "--stats", "off", "--on-failure", "ignore", "--warmup", "mark")
# What is there at the start is locked, and what comes later is not.
AT_START = ("--flags", "current")
SOURCE = pathlib.Path(__file__).with_name("faulty.c")


class Faults:
    """What was said of them, in JSON and in the table."""

    def __init__(self, done: Done, answer: dict):
        self.done = done
        self.answer = answer
        self.sites = answer["sites"]
        assert answer["schema"] == "autolock-faults/1"
        assert sum(site["minor"] for site in self.sites) == answer["minor"], self
        assert sum(site["major"] for site in self.sites) == answer["major"], self
        weights = [(site["major"], site["minor"]) for site in self.sites]
        assert weights == sorted(weights, reverse=True), self

    def __repr__(self) -> str:
        return f"{self.done}\n{json.dumps(self.answer, indent=1)}"

    def of(self, **wanted) -> list:
        return [site for site in self.sites if all(site[key] == value for key, value in wanted.items())]

    def minor(self, **wanted) -> int:
        return sum(site["minor"] for site in self.of(**wanted))


def _line(mark: str) -> int:
    """The number of the line that is marked so in the program's source."""
    lines = SOURCE.read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.endswith(f"/* here: {mark} */"))


def _run(*arguments: str, options: tuple = (), status: int = 0, command: str | None = None) -> Faults:
    with directory() as folder:
        file = folder / "faults.json"
        done = autolock(*QUIET, *options, f"--faults={file}", "--", command or own("faulty"), *arguments)
        if done.status == harness.SKIP:
            raise Skip("the program cannot do that here")
        answer = json.loads(file.read_text())
        if answer["refused"]:
            raise Skip(answer["refused"])
        done.expect(status)
        return Faults(done, answer)


def _need_symbols(faults: Faults) -> None:
    if not any(site["function"] for site in faults.sites):
        raise Skip("the command was built without libdw")


def _rows(done: Done) -> list:
    """Those of the table: minor, major, and the rest of the line."""
    found = re.findall(r"^ +(\d+) +(\d+)  (\S.*)$", done.err.decode(), re.M)
    return [(int(minor), int(major), rest) for minor, major, rest in found]


def test_named_by_function_and_line() -> None:
    """The program that takes memory when it should be warm fails, and is told where; with a reserve it passes."""
    need_privilege()
    function = "take_fresh"
    for options in AT_START, ():
        faults = _run("heap", options=(*options, "--expect", "minflt=0"), status=86)
        if options:
            _need_symbols(faults)
        assert faults.answer["since"] == "mark"
        if not options and not faults.answer["brought_in"]:
            continue  # what calls bring in is not to be seen here
        worst = faults.sites[0]
        assert worst["function"] == function and pathlib.Path(worst["source"]).name == "faulty.c", faults
        assert worst["mapping"] == "heap", faults
        # Where nothing that is new is locked it is the touch, otherwise the call that brings it in.
        if options:
            assert worst["line"] == _line("take") and worst["cause"] == "not_locked", faults
        else:
            assert worst["line"] == _line("allocate") and worst["through"] == "malloc", faults
            assert worst["cause"] == "brought_in", faults
        rows = _rows(faults.done)
        assert rows[0][0] == worst["minor"], faults
        assert rows[0][2].startswith(f"{function} at faulty.c:{worst['line']}"), faults
    passed = _run("heap", options=("--heap-reserve", "4M", "--expect", "minflt=0"))
    assert passed.answer["minor"] == 0 and not passed.sites, passed


def test_as_many_as_are_counted() -> None:
    """The kernel's own count, as the gate has it. Faults of the program's end come after that."""
    for what in "heap", "anonymous", "nothing":
        faults = _run(what, options=(*AT_START, "--expect", "minflt<0"), status=86)
        measured = re.search(rb"minflt<0 +(\d+)", faults.done.err)
        assert measured and faults.answer["lost"] == 0, faults
        counted = int(measured.group(1))
        assert counted <= faults.answer["minor"] <= counted + 8, faults
        assert faults.answer["not_sampled"] == 0, faults
        if what != "nothing":
            assert faults.minor(cause="not_locked") >= PAGES or what == "heap", faults


def test_what_is_brought_in_by_calls() -> None:
    """The kernel counts them, but they are no faults of the program: seen where tracepoints are."""
    need_privilege()
    faults = _run("heap", options=("--expect", "minflt=0"), status=86)
    measured = re.search(rb"minflt=0 +(\d+)", faults.done.err)
    assert measured
    if faults.answer["brought_in"]:
        assert abs(faults.answer["minor"] - int(measured.group(1))) <= 8, faults
    else:
        assert faults.answer["not_sampled"] > 0 and b"were not sampled" in faults.done.err, faults


def test_the_caller_of_libc() -> None:
    faults = _run("fill", options=AT_START)
    _need_symbols(faults)
    worst = faults.sites[0]
    assert (worst["function"], worst["line"]) == ("fill_fresh", _line("fill")), faults
    assert worst["through"] == "memset", faults
    assert "fill_fresh" in _rows(faults.done)[0][2] and "(in memset)" in _rows(faults.done)[0][2], faults


def test_stacks() -> None:
    """Each is named by its thread; the main one grows, whatever is locked."""
    faults = _run("thread", options=AT_START)
    stacks = [site for site in faults.sites if re.fullmatch(r"stack of thread \d+ \(worker\)", site["mapping"] or "")]
    assert sum(site["minor"] for site in stacks) >= PAGES and {site["cause"] for site in stacks} == {"not_locked"}, faults
    need_privilege()
    faults = _run("stack")
    assert faults.minor(mapping="stack of the main thread", cause="stack_growth") > 16, faults


def test_first_touch() -> None:
    need_privilege()
    faults = _run("anonymous", options=("--flags", "current,future,onfault"))
    assert faults.minor(cause="first_touch", mapping="anonymous") >= PAGES, faults


def test_copies_after_fork() -> None:
    """All was locked, and then the process has forked: what it writes first has to be copied."""
    need_privilege()
    faults = _run("fork")
    assert faults.minor(cause="copy_after_fork", mapping="anonymous") >= PAGES, faults
    _need_symbols(faults)
    assert faults.minor(function="write_again", cause="copy_after_fork", line=_line("again")) == PAGES, faults
    # Without the lock it cannot be told from memory that was not there.
    faults = _run("fork", options=("--flags", "current"))
    assert faults.minor(function="write_again", cause="not_locked_or_copy") == PAGES, faults


def test_files_and_major_faults() -> None:
    with directory("/var/tmp") as folder:
        data = folder / "data"
        data.write_bytes(b"\1" * PAGES * resource.getpagesize())
        faults = _run("file", str(data), options=AT_START)
        if not faults.answer["major"]:
            raise Skip("the file stays in memory here")
        assert sum(site["major"] for site in faults.of(mapping=str(data), cause="not_locked")) == PAGES, faults
        # Those that wait for a disk come first.
        assert faults.sites[0]["mapping"] == str(data) and _rows(faults.done)[0][1] == PAGES, faults


def test_without_symbols() -> None:
    with directory() as folder:
        stripped = str(folder / "faulty")
        shutil.copy2(own("faulty"), stripped)
        if not shutil.which("strip"):
            raise Skip("no strip here")
        subprocess.run(["strip", stripped], check=True)
        faults = _run("anonymous", options=AT_START, command=stripped)
        worst = faults.sites[0]
        assert worst["function"] is None and worst["source"] is None and worst["line"] is None, faults
        assert worst["module"] == stripped and worst["minor"] == PAGES, faults
        assert f"faulty+{worst['offset']:#x}" in _rows(faults.done)[0][2], faults
        # The place is in the file's code.
        header = subprocess.run(["readelf", "-lW", stripped], capture_output=True, text=True, check=False).stdout
        segments = [(int(offset, 16), int(size, 16)) for offset, size, flags in
                    re.findall(r"LOAD +(0x\w+) +0x\w+ +0x\w+ +(0x\w+) +0x\w+ +(.{3})", header) if "E" in flags]
        assert any(offset <= worst["offset"] < offset + size for offset, size in segments), (segments, faults)


def test_programs_that_are_executed() -> None:
    """Faults are those of the last program, as the gate's figures are."""
    faults = _run("exec", options=AT_START)
    assert faults.answer["since"] == "mark", faults
    assert not faults.of(function="touch_fresh") and faults.answer["minor"] >= PAGES, faults
    need_root()
    shell = _run("-c", f"exec {own('faulty')} anonymous", options=AT_START, command="/bin/sh")
    assert shell.answer["minor"] < 2 * PAGES and shell.minor(mapping="anonymous") >= PAGES, shell


def test_descendants() -> None:
    """Only where they are asked for."""
    alone = _run("child", options=AT_START)
    tree = _run("child", options=(*AT_START, "--tree"))
    _need_symbols(tree)
    assert not alone.of(function="touch_fresh"), alone
    assert tree.minor(function="touch_fresh") == PAGES, tree


def test_warm_up_and_start() -> None:
    faults = _run("nothing", options=("--mode", "off"), command=own("faulty"))
    assert faults.answer["since"] == "start" and faults.answer["minor"] > 0, faults
    done = autolock("run", "--stats", "off", "--faults", "--warmup", "1h", "--", "true").expect(0, b"")
    if b"cannot be sampled" not in done.err:
        assert b"true: 0 page faults since the warm-up: 0 minor, 0 major\n" in done.err, done
    done = autolock("run", "--stats", "off", "--on-failure", "ignore", "--faults", "--", own("faulty"), "anonymous")
    done.expect(0, b"")
    assert b"cannot be sampled" in done.err or b"page faults since the lock" in done.err, done


def test_many() -> None:
    """Each of 50,000 is sampled, or counted as lost; what the command holds is bounded."""
    faults = _run("many", options=AT_START)
    answer = faults.answer
    assert answer["minor"] <= 50008 and answer["minor"] + answer["not_sampled"] >= 50000, answer
    assert answer["lost"] >= 0 and (answer["lost"] > 0) == (b"samples were lost" in faults.done.err), faults
    assert answer["lost"] >= answer["not_sampled"] - 8, faults
    if answer["lost"] == 0:
        assert answer["minor"] >= 50000, faults
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    # The program's own 200 MB are the largest of these.
    assert usage.ru_maxrss < 300 * 1024, usage


def test_lost() -> None:
    """A command that cannot read in time: what there is no room for is counted, and nothing is made up."""
    with directory() as folder:
        file = folder / "faults.json"
        with subprocess.Popen([path(), *QUIET, *AT_START, f"--faults={file}", "--", "/bin/sh", "-c",
                               f"echo $$; read line; exec {own('faulty')} many"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as command:
            assert command.stdin is not None and command.stdout is not None and command.stderr is not None
            status = pathlib.Path(f"/proc/{int(command.stdout.readline())}/status")
            command.send_signal(signal.SIGSTOP)
            command.stdin.write(b"go\n")
            command.stdin.flush()
            wait_for("the program's end", lambda: "State:\tZ" in status.read_text())
            command.send_signal(signal.SIGCONT)
            said = command.stderr.read()
            assert command.wait(timeout=harness.PATIENCE_S) == 0, said
        answer = json.loads(file.read_text())
        if answer["refused"]:
            raise Skip(answer["refused"])
        if not answer["lost"]:
            raise Skip("the kernel does not tell of what is lost in the end")
        assert b"samples were lost" in said and 0 < answer["minor"] < 50000 and answer["brought_in"] == 0, (said, answer)
        assert answer["minor"] + answer["not_sampled"] >= 50000 and answer["lost"] == answer["not_sampled"], answer


def test_not_permitted() -> None:
    """One line says what refuses it, and how to have it; all else is as ever."""
    before = (program("deny"), "perf_event_open", "1", "0")
    with directory() as folder:
        file = folder / "faults.json"
        for options, status in (("--expect", "majflt>=0"), 0), (("--expect", "majflt<0"), 86):
            process = subprocess.run(
                [*before, path(), *QUIET, *options, f"--faults={file}", "--", own("faulty"), "heap"],
                stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=harness.PATIENCE_S)
            if process.returncode == harness.SKIP:
                raise Skip(process.stderr.decode())
            assert process.returncode == status, process
            said = [line for line in process.stderr.splitlines() if b"--faults" in line]
            assert len(said) == 1 and b"what helps" in said[0], process
            assert b"seccomp" in said[0] or b"perf_event_paranoid" in said[0], process
            assert b"page faults since" not in process.stderr, process
            answer = json.loads(file.read_text())
            assert answer["refused"] and answer["refused"].encode() in said[0] and not answer["sites"], answer


def test_as_an_ordinary_user() -> None:
    """The program's own faults are seen; what the kernel brings in for it is counted, and said to be so."""
    need_root()
    with for_everybody() as (folder, command, _):
        faulty = shutil.copy2(own("faulty"), folder / "faulty")
        place = folder / "place"
        place.mkdir()
        shutil.chown(place, NOBODY)
        process = subprocess.run(
            [command, *QUIET, *AT_START, f"--faults={place / 'faults.json'}", "--", str(faulty), "anonymous"],
            stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=harness.PATIENCE_S, user=NOBODY,
            group=NOBODY, extra_groups=[])
        done = Done((), process).expect(0, b"")
        answer = json.loads((place / "faults.json").read_text())
        if answer["refused"]:
            paranoid = pathlib.Path("/proc/sys/kernel/perf_event_paranoid").read_text().strip()
            assert paranoid in answer["refused"] or "seccomp" in answer["refused"], answer
            raise Skip(answer["refused"])
        faults = Faults(done, answer)
        assert faults.minor(mapping="anonymous", cause="not_locked") >= PAGES, faults
        # What the machine does on its own behalf is not sampled, nor what calls bring in.
        assert answer["brought_in"] == 0, faults


def test_files_that_cannot_be_written() -> None:
    with directory() as folder:
        for wrong in str(folder), "/no/such/place", "":
            done = autolock("run", f"--faults={wrong}", "--", "touch", str(folder / "mark")).expect(78, b"")
            assert done.err.startswith(b"autolock run: --faults ") and done.err.count(b"\n") == 1, done
        assert not (folder / "mark").exists()
        done = autolock(*QUIET, "--faults=/dev/full", "--", "true").expect(1, b"")
        assert b"--faults /dev/full" in done.err, done
        autolock(*QUIET, "--faults", "--live-dir", str(folder), "--", "true").expect(78, b"")


def test_nothing_is_left_of_it() -> None:
    """The program has no descriptor of the command's, and its end is its own."""
    done = autolock("run", "--stats", "off", "--on-failure", "ignore", "--faults", "--", "ls", "-l", "/proc/self/fd")
    done.expect(0)
    assert b"perf_event" not in done.out and b"eventfd" not in done.out, done
    autolock(*QUIET, "--faults", "--", "sh", "-c", "kill -9 $$").expect(137)
    autolock(*QUIET, "--faults", "--", "sh", "-c", "exit 3").expect(3)
    autolock(*QUIET, "--faults", "--", "no-such-program").expect(127)
    autolock(*QUIET, "--faults", "--", "/etc/passwd").expect(126)
