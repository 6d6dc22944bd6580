"""autolock run --tree: what is expected of a program and of all that it starts."""

import os
import pathlib
import signal
import subprocess

import harness
from command import autolock, own, path
from gating import ALL, measured, rows
from harness import Skip, directory, program

QUIET = ("run", "--stats", "off", "--on-failure", "ignore", "--tree")

def _sums(reports: list) -> dict:
    """What it has to be, by the reports of all programs: memory is of those that have not become another one."""
    last = [report["memory"] for report in reports if report["ended"] != "exec"]
    resident, unlocked = (sum(memory[key] for memory in last) for key in ("rss_bytes", "unlocked_resident_bytes"))
    return {
        "majflt": sum(report["faults"]["major_after_lock"] for report in reports),
        "minflt": sum(report["faults"]["minor_after_lock"] for report in reports),
        "failures": sum(sum(report["failures"].values()) for report in reports),
        "downgrades": sum(len(report["downgrades"]) for report in reports),
        "locked": sum(memory["locked_bytes"] for memory in last),
        "swap": sum(memory["swap_bytes"] for memory in last),
        "unlocked": unlocked,
        "coverage": int(10000 * (resident - unlocked) / resident) / 100,
    }


def _run(folder: pathlib.Path, *command: str, options: tuple = ()) -> tuple:
    file = folder / "reports"
    done = autolock(*QUIET, "--expect", ALL, "--json", str(file), *options, "--", *command)
    return done, harness.parse_reports(file.read_bytes())


def test_sums() -> None:
    """A tree that forks, executes in place of itself and beside itself, and loses its parents."""
    script = "ls / >/dev/null; (true; exec sh -c 'ls /; exec true') >/dev/null; (: ; : ); cat </dev/null | cat"
    for mode in "all", "alloc", "observe":
        with directory() as folder:
            done, reports = _run(folder, "sh", "-c", script, options=("--mode", mode, "--fork", "none"))
            done.expect(0, b"")
            ends = {report["ended"] for report in reports}
            assert len(reports) > 6 and {"exit", "exec"} <= ends and "killed" not in ends, ends
            assert measured(done) == _sums(reports), (mode, measured(done), _sums(reports))
            # By itself the program is less.
            alone = autolock("run", "--stats", "off", "--on-failure", "ignore", "--mode", mode, "--expect", ALL, "--",
                             "sh", "-c", script)
            assert measured(alone)["minflt"] < measured(done)["minflt"], (alone, done)


def test_a_child_that_fails_it() -> None:
    expected = ("--mode", "observe", "--expect", "locked=0,unlocked<1G,coverage=0")
    autolock(*QUIET, *expected, "--", "sh", "-c", "(true; exec true)").expect(0, b"")
    # The child does what the program itself does not.
    command = ("sh", "-c", "true; (true; exec env AUTOLOCK_MODE=all true)")
    done = autolock(*QUIET, "--mode", "observe", "--expect", "locked=0", "--", *command)
    if rows(done)["locked=0"][1]:
        raise Skip("nothing can be locked here")
    done.expect(86, b"")
    autolock(*QUIET[:-1], "--mode", "observe", "--expect", "locked=0", "--", *command).expect(0, b"")


def test_its_figures_are_lost() -> None:
    """Of a process that was killed only what it counted itself is known."""
    with directory() as folder:
        done, reports = _run(folder, "sh", "-c", "sh -c 'kill -9 $$; :'; :")
        done.expect(86, b"")
        killed = [report for report in reports if report["ended"] == "killed"]
        assert len(killed) == 1, reports
        assert f"sh: these have left no figures of their end: sh ({killed[0]['pid']})\n".encode() in done.err, done
        known = {name for name, value in measured(done).items() if value is not None}
        assert known == {"failures", "downgrades"}, done
        script = "for i in 1 2 3 4 5 6 7; do sh -c 'kill -9 $$; :'; done; :"
        done, reports = _run(folder, "sh", "-c", script)
        named = next(line for line in done.err.decode().splitlines() if "left no figures" in line)
        assert named.count("sh (") == 4 and named.endswith(", …"), done


def test_without_the_library() -> None:
    if not os.path.exists(own("static")):
        raise Skip("no static programs here")
    with directory() as folder:
        done, reports = _run(folder, "sh", "-c", f"(true; exec {own('static')}) >/dev/null; :")
        done.expect(0, b"")
        gone = [report["pid"] for report in reports if report["pid"] != reports[0]["pid"]]
        assert f"these went on as programs without the library, which do not count: sh ({gone[0]})\n" in done.err.decode()
        # That is what was wished.
        done, reports = _run(folder, "sh", "-c", f"(true; exec {own('static')}) >/dev/null; :", options=("--programs", "sh"))
        assert b"without the library" not in done.expect(0, b"").err, done
        # There is none at all (the program's own failure says more).
        done = autolock(*QUIET, "--expect", ALL, "--", own("static")).expect(6)
        assert all(value is None for value in measured(done).values()), done
        # And of this one nothing is left.
        done = autolock(*QUIET, "--expect", ALL, "--", "sh", "-c", f"exec {own('static')}").expect(6)
        assert measured(done)["locked"] is None and measured(done)["failures"] == 0, done


def test_those_that_run_on() -> None:
    """What the program has left running is measured as it is then."""
    with directory() as folder:
        file = folder / "reports"
        for name in "in", "out":
            os.mkfifo(folder / name)
        # It waits for its input, which it holds open itself.
        script = f"cd {folder}; exec 3<>in; {program('hold_on')} <in >out & echo $!; read ready <out"
        with subprocess.Popen([path(), *QUIET, "--expect", "locked>=0,coverage>=0", "--json", str(file), "--", "sh", "-c",
                               script], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None and process.stderr is not None
            pid = int(process.stdout.readline())
            try:
                assert process.wait(timeout=harness.PATIENCE_S) == 0, process.stderr.read()
                ended = {report["pid"]: report["ended"] for report in harness.parse_reports(file.read_bytes())}
                assert ended[pid] == "running", ended
            finally:
                os.kill(pid, signal.SIGKILL)


def test_warm_up() -> None:
    observed = (*QUIET, "--mode", "observe", "--expect", "minflt=0", "--warmup", "3s")
    # What happened before does not count, nor does who had ended.
    script = "ls / >/dev/null; sh -c 'kill -9 $$; :'; echo ready; cat"
    with subprocess.Popen([path(), *observed, "--duration", "3500ms", "--", "sh", "-c", script], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == b"ready\n"
        assert process.wait(timeout=harness.PATIENCE_S) == 0, process.stderr.read()
    # What begins later counts, and it counts since its lock.
    with directory() as folder:
        done, reports = _run(folder, "sh", "-c", "sleep 3; exec ls /", options=("--mode", "observe", "--warmup", "2s"))
        listing = [report for report in reports if report["program"] == "ls"][0]
        done.expect(0)
        assert measured(done)["minflt"] >= listing["faults"]["minor_after_lock"] > 0, (done, listing)
        done = autolock(*QUIET, "--expect", ALL, "--warmup", "1h", "--", "true").expect(86, b"")
        assert b"ended before its warm-up" in done.err and measured(done)["minflt"] is None, done
