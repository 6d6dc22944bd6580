"""The report on standard error: it arrives, whole, and the program and its parent notice nothing."""

import concurrent.futures
import contextlib
import fcntl
import os
import pathlib
import pty
import resource
import shutil
import subprocess
import threading

import harness
from harness import directory, environment, limit, parse_reports, program, run

TO_STDERR = {"STATS": "json", "STATS_FILE": "", "ON_FAILURE": "ignore"}


def on_stderr(*command: str, **arguments):
    return run(*command, **{**TO_STDERR, **arguments})


def close_standard(*numbers: int):
    def prepare() -> None:
        for number in numbers:
            os.close(number)

    return prepare


# -- descriptors ----------------------------------------------------------------------------------


def test_arrives_on_stderr() -> None:
    done = on_stderr(program("exit_with"), "5").expect(5, out=b"main ran\n")
    assert parse_reports(done.err)[0]["program"] == "exit_with"


def test_text_is_the_default() -> None:
    harness.need_privilege()
    with directory() as temporary:
        done = run(program("exit_with"), "5", env={"LD_PRELOAD": harness.library}, cwd=temporary)
        done.expect(5, out=b"main ran\n")
        assert done.err.startswith(b"libautolock ") and 3 <= done.err.count(b"\n") <= 12, done
        assert not list(temporary.iterdir())


def test_stats_off() -> None:
    run(program("exit_with"), "5", STATS="off", STATS_FILE="").expect(5, out=b"main ran\n", err=b"")


def test_closed_at_start() -> None:
    done = run(program("exit_with"), "5", prepare=close_standard(0, 1, 2)).expect(5, out=b"", err=b"")
    assert done.report["program"] == "exit_with"
    run(program("exit_with"), "5", prepare=close_standard(0, 1, 2), **TO_STDERR).expect(5, out=b"", err=b"")


def test_stderr_closed_at_start() -> None:
    # The descriptor belongs to the program then: nothing may be written to what it opens there.
    on_stderr(program("exit_with"), "5", prepare=close_standard(2)).expect(5, out=b"main ran\n", err=b"")
    with directory() as temporary:
        on_stderr(program("descriptors"), "reuse", str(temporary), prepare=close_standard(0, 1, 2)).expect(0)
        expect_data_files(temporary)


def test_stderr_closed_by_the_program() -> None:
    parse_reports(on_stderr(program("descriptors"), "close_2").expect().err)[0]["pid"]


def test_stderr_of_the_program_in_the_place_of_ours() -> None:
    for mode in "all", "alloc", "observe":
        run(program("descriptors"), "takes_ours", MODE=mode, STATS="off", STATS_FILE="").expect(err=b"child\nparent\n")


def expect_data_files(temporary: pathlib.Path) -> None:
    files = list(temporary.iterdir())
    assert len(files) == 300, len(files)
    for file in files:
        assert file.read_bytes() == b"data\n", (file.name, file.read_bytes()[:300])


def test_descriptors_reused_for_data() -> None:
    with directory() as temporary:
        on_stderr(program("descriptors"), "reuse", str(temporary)).expect(0)
        expect_data_files(temporary)


def test_descriptors_reused_while_stderr_is_a_file() -> None:
    with directory() as temporary, directory() as logs:
        with open(logs / "log", "wb") as log:
            on_stderr(program("descriptors"), "reuse", str(temporary), err=log).expect(0)
        expect_data_files(temporary)


def inode_is_reused(place: pathlib.Path) -> bool:
    """Whether a new file gets the number of one that has just gone."""
    numbers = []
    for _ in range(2):
        descriptor = os.open(place / "file", os.O_CREAT | os.O_WRONLY)
        numbers.append(os.fstat(descriptor).st_ino)
        (place / "file").unlink()
        os.close(descriptor)
    return numbers[0] == numbers[1]


def test_descriptors_reused_with_the_inode_of_stderr() -> None:
    # Nothing holds the file behind standard error any more, and a data file may get its number.
    with directory() as temporary:
        if not inode_is_reused(temporary):
            raise harness.Skip("this file system does not give a number away again at once")
        log = os.open(temporary / "log", os.O_CREAT | os.O_WRONLY)
        (temporary / "log").unlink()
        # The first new one is that with descriptor 2.
        (temporary / "0").touch()
        (temporary / "1").touch()
        process = subprocess.Popen([program("descriptors"), "reuse", str(temporary)], stderr=log,
                                   env=environment(TO_STDERR, harness.library))
        os.close(log)
        assert process.wait(harness.PATIENCE_S) == 0
        expect_data_files(temporary)


def test_first_numbers_are_the_programs() -> None:
    on_stderr(program("descriptors"), "numbers").expect(0, out=b"3 4\n")
    for most in 100, 64, 20, 10:
        prepare = limit(resource.RLIMIT_NOFILE, most)
        on_stderr(program("descriptors"), "numbers", prepare=prepare).expect(0, out=b"3 4\n")


def test_few_descriptors_are_all_the_programs() -> None:
    for most in 5, 20, 64:
        wanted = run(program("descriptors"), "count", preload="", prepare=limit(resource.RLIMIT_NOFILE, most))
        done = on_stderr(program("descriptors"), "count", prepare=limit(resource.RLIMIT_NOFILE, most))
        done.expect(0, out=wanted.expect(0).out)
        # Descriptor 2 is there.
        assert len(parse_reports(done.err)) == 1, done


def test_no_descriptor_left() -> None:
    harness.need_privilege()
    for most in 1000, 65:
        done = on_stderr(program("descriptors"), "exhaust", prepare=limit(resource.RLIMIT_NOFILE, most)).expect(0)
        # What the kernel says of us must have been read all the same.
        report = parse_reports(done.err)[0]
        assert report["locked"]["kernel_bytes"] > 0 and report["memory"]["rss_bytes"] > 0, report


def test_no_descriptor_left_for_the_file() -> None:
    done = run(program("descriptors"), "exhaust").expect(0)
    assert done.written or b"descriptor" in done.err, done


def test_daemon_lets_go_of_stderr() -> None:
    with directory() as temporary:
        fifo = temporary / "fifo"
        os.mkfifo(fifo)
        process = subprocess.Popen([program("descriptors"), "daemon", str(fifo)], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   env=environment(TO_STDERR, harness.library))
        try:
            # The end of the pipe comes while the daemon still runs.
            said, _ = process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            raise AssertionError("the daemon holds its caller's standard error open") from None
        finally:
            # Someone is waiting there: the daemon was alive, and ends now.
            os.close(os.open(fifo, os.O_WRONLY))
        assert b"daemon runs\n" in said, said
        assert process.returncode == 0


# -- pipes and terminals --------------------------------------------------------------------------


def test_reader_has_gone() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    on_stderr(program("exit_with"), "5", err=writer).expect(5, out=b"main ran\n")
    os.close(writer)


def filled(*how: str) -> None:
    reader, writer = os.pipe()
    on_stderr(program("descriptors"), "fill", *how, err=writer).expect(0, out=b"full\n")
    os.close(reader)
    os.close(writer)


def test_pipe_that_nobody_reads() -> None:
    filled()


def test_pipe_that_nobody_reads_while_signals_arrive() -> None:
    filled("alarms")


def test_terminal_that_nobody_reads() -> None:
    for room in 0, 1, 500, 1500, 3000:
        terminal, slave = pty.openpty()
        fcntl.fcntl(slave, fcntl.F_SETFL, fcntl.fcntl(slave, fcntl.F_GETFL) | os.O_NONBLOCK)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(slave, b"x" * 100)
        fcntl.fcntl(slave, fcntl.F_SETFL, fcntl.fcntl(slave, fcntl.F_GETFL) & ~os.O_NONBLOCK)
        left = room
        while left:
            left -= len(os.read(terminal, left))
        on_stderr(program("exit_with"), "5", err=slave).expect(5, out=b"main ran\n")
        os.close(terminal)
        os.close(slave)


def test_slow_reader_gets_all() -> None:
    # A pipe of one page: the report comes in pieces.
    reader, writer = os.pipe()
    fcntl.fcntl(writer, 1031, 4096)  # F_SETPIPE_SZ
    pieces = []

    def read() -> None:
        while piece := os.read(reader, 50):
            pieces.append(piece)

    thread = threading.Thread(target=read)
    thread.start()
    on_stderr(program("exit_with"), "5", *["argument" * 10] * 100, err=writer).expect(5)
    os.close(writer)
    thread.join()
    assert parse_reports(b"".join(pieces))[0]["program"] == "exit_with"


def test_many_programs_share_a_pipe() -> None:
    """Lines of programs that end at the same time do not mix."""
    reader, writer = os.pipe()
    pieces = []

    def read() -> None:
        while piece := os.read(reader, 65536):
            pieces.append(piece)

    thread = threading.Thread(target=read)
    thread.start()
    variables = environment(TO_STDERR, harness.library)
    # Long, but not longer than what a pipe takes as a whole.
    command = [program("exit_with"), "0"] + ["an argument"] * 100
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for status in pool.map(lambda _: subprocess.call(command, env=variables, stdout=subprocess.DEVNULL,
                                                         stderr=writer), range(80)):
            assert status == 0
    os.close(writer)
    thread.join()
    os.close(reader)
    assert len(parse_reports(b"".join(pieces))) == 80


# -- surroundings ---------------------------------------------------------------------------------


def test_no_environment() -> None:
    harness.need_privilege()
    done = run(program("exit_with"), "5", env={"LD_PRELOAD": harness.library}).expect(5, out=b"main ran\n")
    assert done.err.startswith(b"libautolock "), done


def test_hundred_thousand_variables() -> None:
    variables = {f"V{i}": "x" for i in range(100_000)} | environment(TO_STDERR, harness.library)
    assert parse_reports(run(program("exit_with"), "5", env=variables).expect(5, out=b"main ran\n").err)


def test_ten_thousand_unknown_options() -> None:
    variables = {f"AUTOLOCK_{i}": "x" for i in range(10_000)} | environment(TO_STDERR, harness.library)
    done = run(program("exit_with"), "5", env=variables).expect(5, out=b"main ran\n")
    assert 2 <= done.err.count(b"\n") <= 20, done
    assert parse_reports(done.err.splitlines(keepends=True)[-1])


def test_many_groups() -> None:
    """A user of many groups: the line of them in the kernel's status is long."""
    harness.need_root()
    harness.need_privilege()
    done = on_stderr(program("exit_with"), "5", prepare=lambda: os.setgroups(range(100_000, 103_000))).expect(5)
    report = parse_reports(done.err)[0]
    assert report["locked"]["kernel_bytes"] > 0 and report["memory"]["rss_bytes"] > 0, report


def named(name: bytes) -> dict:
    with directory() as temporary:
        path = os.path.join(os.fsencode(temporary), name)
        shutil.copy2(program("exit_with"), path)
        done = run(path, "5", **TO_STDERR).expect(5, out=b"main ran\n")
        return parse_reports(done.err)[0]


def test_program_names() -> None:
    for name in 'plain', 'a "quoted" name', "new\nline\ttab", "back\\slash", "löck", "100%n%p", "x" * 255:
        report = named(name.encode())
        assert report["program"] == name, (report["program"], name)
    assert named(b"bad \xff\xc3 utf-8")["program"] == "bad \ufffd\ufffd utf-8"


def test_name_in_text() -> None:
    with directory() as temporary:
        path = temporary / "two\nlines\x1b[31m"
        shutil.copy2(program("exit_with"), path)
        done = run(str(path), "5", STATS="text", STATS_FILE="").expect(5)
        assert b"\x1b" not in done.err and b"two\\x0alines" in done.err, done


def test_script() -> None:
    with directory() as temporary:
        script = temporary / "script.sh"
        script.write_text(f"#!{program('exit_with')} 5\n")
        script.chmod(0o755)
        done = on_stderr(str(script), "argument").expect(5)
        assert parse_reports(done.err)[0]["program"] == "script.sh", done


def test_odd_command_lines() -> None:
    arguments = [b"new\nline", b'"quotes"', b"\xff\xfe", b"", b"x" * 100_000]
    report = parse_reports(run(program("exit_with").encode(), b"5", *arguments, **TO_STDERR).expect(5).err)[0]
    assert 'new\nline "quotes" \ufffd\ufffd' in report["command"], report["command"][:300]


def test_longest_report() -> None:
    """Everything in it as long as it may be, and every byte of it escaped."""
    with directory() as temporary:
        file = os.fsencode(temporary) + b"/" + (b"\xff" * 200 + b"/") * 19
        file = (file + b"\xff" * 300)[:4095]
        variables = {os.fsencode(name): os.fsencode(value)
                     for name, value in environment({"STATS": "json", "ON_FAILURE": "ignore"}, harness.library).items()}
        variables[b"AUTOLOCK_STATS_FILE"] = file
        variables[b"AUTOLOCK_PROGRAMS"] = b"*," + b"\x01" * 4093
        done = run(program("exit_with").encode(), b"5", b"\xff" * 3000, env=variables).expect(5, out=b"main ran\n")
        line = done.err.splitlines(keepends=True)[-1]
        assert parse_reports(line)[0]["program"] == "exit_with"


def test_what_the_kernel_passes_over_is_not_counted() -> None:
    harness.need_privilege()
    done = run(program("alloc_mappings"), "passed_over", MODE="alloc", KINDS=harness.EVERY_KIND).expect()
    locked = done.report["locked"]
    assert locked["tracked_bytes"] <= locked["kernel_bytes"], locked
    assert done.report["skipped"]["kind"] >= 1, done
    assert not any(done.report["failures"].values()), done


def test_huge_pages_over_others_are_not_counted() -> None:
    harness.need_privilege()
    for kinds in "anon", harness.EVERY_KIND:
        done = run(program("alloc_mappings"), "huge_pages_over_others", MODE="alloc", KINDS=kinds).expect()
        locked = done.report["locked"]
        assert locked["tracked_bytes"] <= locked["kernel_bytes"], (kinds, locked)
