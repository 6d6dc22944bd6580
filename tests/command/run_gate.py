"""autolock run: what is expected of a program, and what was measured."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess

import harness
from command import Done, autolock, for_everybody, own, path, wait_for
from gating import NAMES, places, rows
from harness import NOBODY, Skip, directory, need_privilege, program

QUIET = ("run", "--stats", "off", "--on-failure", "ignore")


def _expect(expression: str, *command: str, options: tuple = ()) -> Done:
    return autolock(*QUIET, "--expect", expression, *options, "--", *command)


def test_what_is_measured_is_the_report() -> None:
    """The same figures as in the report that the program makes of itself."""
    with directory() as folder:
        file = folder / "report"
        done = autolock("run", "--on-failure", "ignore", "--stats", "json", "--stats-file", str(file), "--expect",
                        ",".join(f"{name}>=0" for name in NAMES), "--", own("state")).expect(23)
        report = json.loads(file.read_text())
        told = {name.removesuffix(">=0"): measured.split()[0] for name, (measured, _) in rows(done).items()}
        assert set(told) == set(NAMES), told
        memory = report["memory"]
        assert int(told["majflt"]) == report["faults"]["major_after_lock"]
        assert int(told["minflt"]) == report["faults"]["minor_after_lock"]
        assert int(told["failures"]) == sum(report["failures"].values())
        assert int(told["unlocked"]) == memory["unlocked_resident_bytes"]
        assert int(told["locked"]) == memory["locked_bytes"]
        assert int(told["swap"]) == memory["swap_bytes"]
        assert int(told["downgrades"]) == len(report["downgrades"])
        covered = 100 * (1 - memory["unlocked_resident_bytes"] / memory["rss_bytes"])
        assert abs(float(told["coverage"].rstrip("%")) - covered) < 0.02


def test_each_operator() -> None:
    for expression, good in (("swap=0", True), ("swap==0", True), ("swap!=0", False), ("swap<0", False),
                             ("swap<=0", True), ("swap>0", False), ("swap>=0", True), ("swap != 1", True),
                             ("swap=1K", False), ("swap<1K", True), ("coverage<=100%", True),
                             ("coverage<=100", True), ("coverage>100%", False)):
        done = _expect(expression, "true").expect(0 if good else 86, b"")
        assert rows(done)[expression][1] == good, done


def test_all_of_them() -> None:
    need_privilege()
    done = _expect("failures=0,unlocked=0,locked>100K, coverage >= 99.5%", "true").expect(0, b"")
    assert all(good for _, good in rows(done).values()) and b"4 of 4 expectations hold" in done.err, done
    done = _expect("failures=0,locked<1K,swap>1G", "true").expect(86, b"")
    assert [good for _, good in rows(done).values()] == [True, False, False], done
    assert b"2 of 3 expectations failed" in done.err, done
    # Of several options as well.
    done = autolock(*QUIET, "--expect", "swap=0", "--expect", "locked=1", "--", "true").expect(86)
    assert len(rows(done)) == 2, done


def test_nothing_is_locked() -> None:
    done = autolock(*QUIET, "--mode", "observe", "--expect", "coverage=0%,locked=0,unlocked>0", "--", "true")
    done.expect(0, b"")


def test_the_programs_own_failure_says_more() -> None:
    _expect("locked=1", "false").expect(1)
    done = _expect("swap=0", "sh", "-c", "kill -9 $$").expect(128 + signal.SIGKILL)
    # It has left no figures.
    assert rows(done)["swap=0"] == ("not known", False), done
    _expect("swap=0", "no-such-program").expect(127, b"")


def test_the_library_is_not_there() -> None:
    """Nothing is known, so nothing holds."""
    for options in ("--mode", "off"), ("--programs", "other"):
        done = _expect("swap=0", "true", options=options).expect(86, b"")
        assert rows(done)["swap=0"] == ("not known", False), done


def test_wrong_expressions() -> None:
    with directory() as folder:
        mark = folder / "mark"
        before = places()
        for wrong in ("majfl=0", "majflt", "majflt=", "majflt=-1", "majflt=x", "majflt=1K", "majflt<<3", "majflt><3", "=0", "", "majflt=0,",
                      "coverage>101%", "coverage>-1", "coverage=%", "locked>1KB", "majflt=>0", "majflt = 0 0", "majflt=0%"):
            done = _expect(wrong, "touch", str(mark)).expect(78, b"")
            assert done.err.startswith(b"autolock run: --expect") and done.err.count(b"\n") == 1, done
        for wrong in (("--warmup", "soon"), ("--warmup", "-1"), ("--warmup", ""), ("--warmup", "0"),
                      ("--duration", "mark"), ("--duration", "9999999"), ("--duration", "nan"), ("--json", str(folder)),
                      ("--json", "/no/such/place"), ("--live-dir", str(folder))):
            done = _expect("majflt=0", "touch", str(mark), options=wrong).expect(78, b"")
            assert done.err.count(b"\n") == 1, done
        assert not mark.exists() and places() <= before
        assert b"did you mean majflt?" in _expect("majfl=0", "true").err


def test_warm_up_by_time() -> None:
    """What was before it does not count: a program that is warm takes no more page faults."""
    command = [path(), *QUIET, "--expect", "minflt=0,failures=0", "--warmup", "3s", "--duration", "3500ms", "--",
               program("hold_on")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        assert process.wait(timeout=harness.PATIENCE_S) == 0, process.stderr
    done = _expect("majflt>=0", "true", options=("--warmup", "1h")).expect(86, b"")
    assert b"ended before its warm-up" in done.err and rows(done)["majflt>=0"] == ("not known", False), done


def test_warm_up_by_mark() -> None:
    """As the report has it: faults after the mark."""
    with directory() as folder:
        file = folder / "report"
        done = autolock("run", "--mode", "observe", "--stats", "json", "--stats-file", str(file), "--warmup", "mark",
                        "--expect", "majflt>=0,minflt>=0", "--", program("helps"), "last_mark_holds")
        if done.status == harness.SKIP:
            raise Skip("the program cannot tell here")
        done.expect(0)
        faults = json.loads(file.read_text().splitlines()[-1])["faults"]
        told = rows(done)
        assert int(told["majflt>=0"][0]) == faults["major_after_mark"], (told, faults)
        assert int(told["minflt>=0"][0]) == faults["minor_after_mark"], (told, faults)
        assert faults["minor_after_mark"] < faults["minor_after_lock"], faults


def test_duration() -> None:
    """It is asked to end, and that is no failure; nor is what a program makes of it."""
    done = _expect("swap=0,locked>=0", "sleep", "1000", options=("--duration", "1s")).expect(0, b"")
    assert all(good for _, good in rows(done).values()), done
    _expect("swap=1", "sleep", "1000", options=("--duration", "1s")).expect(86, b"")
    autolock(*QUIET, "--duration", "2s", "--", own("signals")).expect(9)
    autolock(*QUIET, "--duration", "1h", "--", "sh", "-c", "exit 3").expect(3, b"", b"")


def test_reports_of_all_processes() -> None:
    with directory() as folder:
        file = folder / "reports"
        file.write_text("what was there before")
        before = places()
        script = "ls / >/dev/null; (exec true); kill -9 $$"
        autolock(*QUIET, "--json", str(file), "--", "sh", "-c", script).expect(137, b"", b"")
        reports = harness.parse_reports(file.read_bytes())
        ends = [(report["program"], report["ended"]) for report in reports]
        assert ends[0] == ("sh", "killed") and ("ls", "exit") in ends and ("true", "exit") in ends, ends
        assert places() <= before
        # The program's own report is as it would be.
        other = folder / "own"
        done = autolock("run", "--json", str(file), "--stats", "json", "--stats-file", str(other), "--", "true")
        done.expect(0, b"")
        assert json.loads(other.read_text())["pid"] == harness.parse_reports(file.read_bytes())[0]["pid"]
        # A file that cannot be written is no success.
        done = autolock(*QUIET, "--json", "/dev/full", "--", "true").expect(1, b"")
        assert b"--json /dev/full" in done.err, done


def test_nothing_is_left_behind() -> None:
    before = places()
    for command in ("true",), ("false",), ("no-such-program",), ("sh", "-c", "kill -9 $$"), ("/etc/passwd",):
        _expect("swap=0", *command)
    with directory() as folder:
        binary = pathlib.Path(folder) / "binary"
        binary.write_bytes(b"\0\1\2")
        binary.chmod(0o755)
        _expect("swap=0", str(binary)).expect(126, b"")
    assert places() <= before


def test_what_a_killed_command_has_left() -> None:
    """The next one takes it away, and nothing of one that is at work, nor what is not a directory of its own."""
    before = places()

    def started() -> tuple:
        there = places()
        process = subprocess.Popen([path(), *QUIET, "--expect", "swap=0", "--", "sleep", "1000"],
                                   stderr=subprocess.PIPE, start_new_session=True)
        place = pathlib.Path("/dev/shm") / wait_for("its place", lambda: places() - there).pop()
        wait_for("its counters", lambda: list(place.glob("sleep.*.live")))
        return process, place

    with directory() as folder:
        (folder / "kept").touch()
        link = pathlib.Path("/dev/shm") / f"autolock-run-{os.getpid()}"
        at_work, its_place = started()
        killed, left = started()
        try:
            link.symlink_to(folder)
            killed.kill()
            killed.wait()
            assert list(left.iterdir()), "nothing is left that could be taken away"
            _expect("swap=0", "true").expect(0)
            assert not left.exists() and list(its_place.iterdir()) and (folder / "kept").exists()
            os.kill(at_work.pid, signal.SIGTERM)
            assert at_work.wait() == 128 + signal.SIGTERM and not its_place.exists()
        finally:
            link.unlink(missing_ok=True)
            for process in at_work, killed:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
    assert places() <= before


def test_what_runs_on() -> None:
    """It says nothing of counters that nobody misses any more, and leaves nothing."""
    before = places()
    script = "(read go < fifo; i=0; while [ $i -lt 50 ]; do /bin/true; i=$((i + 1)); done; touch over) & : > fifo"
    for _ in range(5):
        with directory() as folder:
            os.mkfifo(folder / "fifo")
            with open(folder / "said", "wb") as said:
                subprocess.run([path(), *QUIET, "--json", str(folder / "json"), "--", "sh", "-c", script], cwd=folder,
                               stdin=subprocess.DEVNULL, stdout=said, stderr=said, check=True, timeout=harness.PATIENCE_S)
            wait_for("its end", (folder / "over").exists)
            assert harness.parse_reports((folder / "json").read_bytes()), "the library was not there"
            assert (folder / "said").read_bytes() == b"", (folder / "said").read_bytes()
            assert places() <= before, places()


def test_where_files_can_go() -> None:
    """Said before anything runs, and nothing is refused that could be written."""
    with directory() as folder:
        link = folder / "link"
        link.symlink_to(folder / "elsewhere")
        for option in "--json", "--junit", "--faults":
            for wrong, why in ((link, b"it is a symbolic link"), ("", b"No such file"), (folder, b"Is a directory")):
                done = _expect("swap=0", "echo", "ran", options=(f"{option}={wrong}",)).expect(78, b"")
                assert why in done.err and done.err.count(b"\n") == 1, done
    with for_everybody() as (_, command, _):
        user = {"user": NOBODY} if os.geteuid() == 0 else {}
        done = subprocess.run([command, *QUIET, "--expect", "swap=0", "--json", "/dev/null", "--junit", "/dev/null", "--",
                               "echo", "ran"], capture_output=True, check=False, timeout=harness.PATIENCE_S, **user)
        assert done.returncode == 0 and done.stdout == b"ran\n", done
    assert not os.path.isfile("/dev/null")
