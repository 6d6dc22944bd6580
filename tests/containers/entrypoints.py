"""How a container's first process is started, and what is locked then."""

from __future__ import annotations

from bundle import LIBRARY, Surroundings
from container import Done, Machine

# As a rule: root without CAP_IPC_LOCK, Docker's limit of locked memory.
USUAL = Surroundings(docker_seccomp=True)
PRIVILEGED = Surroundings(docker_seccomp=True, read_only=True, capability="given")

NUMBERS = "seq 30000 | sort -n -r | md5sum"


def same(bare: Done, done: Done) -> None:
    assert (done.status, done.out, done.err) == (bare.status, bare.out, bare.err), (bare, done)


def names(done: Done) -> set:
    return {report["program"] for report in done.reports}


def test_environment_alone(made: Machine) -> None:
    """Nothing but LD_PRELOAD: the report is on standard error, behind what the program says there."""
    command = ("sh", "-c", "echo out; echo err >&2; exec seq 3")
    bare = made.run(PRIVILEGED, *command, loaded=False)
    done = made.run(PRIVILEGED, *command, loaded=False, also={"LD_PRELOAD": LIBRARY})
    assert (done.status, done.out) == (0, bare.out) and done.err.startswith(bare.err), done
    report = done.err[len(bare.err):].decode()
    # The shell became seq, which is one process: two programs, two reports.
    assert "seq[1], exit" in report and "sh[1], exec" in report, report
    assert "asked    MODE=all FLAGS=current,future" in report and "by mlockall" in report, report


def test_only_the_program_that_is_named(made: Machine) -> None:
    command = ("sh", "-c", f"{NUMBERS}; exec sort -n -r /proc/self/limits")
    bare = made.run(PRIVILEGED, *command, loaded=False)
    for globs, wanted in (("sort", {"sort"}), ("/bin/so*", {"sort"}), ("!sh,!sort", {"seq", "md5sum"}),
                          ("nothing", set())):
        done = made.run(PRIVILEGED, *command, PROGRAMS=globs)
        same(bare, done)
        assert names(done) == wanted, (globs, done)
        assert all(report["memory"]["locked_bytes"] for report in done.reports), done
    assert {report["pid"] for report in made.run(PRIVILEGED, *command, PROGRAMS="sort").reports} > {1}


def test_the_limit_is_said(made: Machine) -> None:
    """What cannot be had is one line that names the way out of a container."""
    for signs, words in (({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, b"IPC_LOCK"), ({}, b"ulimit -l")):
        done = made.run(Surroundings(memlock=64 << 10), "seq", "3", also=signs, ON_FAILURE="warn")
        assert done.status == 0 and done.out == b"1\n2\n3\n", done
        assert done.err.count(b"\n") == 1 and b"64.0 KiB" in done.err and words in done.err, done
        done = made.run(Surroundings(memlock=64 << 10), "seq", "3", also=signs, ON_FAILURE="fail")
        assert done.status == 78 and done.out == b"", done


# Makes an orphan, waits until it has ended, and then until as many processes as $0 says are left that nobody has taken.
ORPHANS = """
    sh -c 'sh -c : & exit' | cat
    tries=0 left=none
    while [ "$left" != $0 ] && [ $tries -lt 2000 ]; do
        tries=$((tries + 1)) left=0
        grep -q '^State:.*zombie' /proc/[0-9]*/status 2>/dev/null && left=1
        [ $left = $0 ] || sleep 0.01
    done
    echo left $left; exit 9
"""


def test_command_as_process_1(made: Machine) -> None:
    """It ends as the program does, and takes orphans, as another first process does not."""
    bare = made.run(PRIVILEGED, "perl", "-e", "exit system('sh', '-c', @ARGV) >> 8", ORPHANS, "1", loaded=False)
    assert (bare.status, bare.out) == (9, b"left 1\n"), bare
    done = made.run(PRIVILEGED, "autolock", "run", "--library", LIBRARY, "--stats-file", "/reports/%n.%p.json",
                    "--stats", "json", "--require", "--", "sh", "-c", ORPHANS, "0", loaded=False)
    assert (done.status, done.out, done.err) == (9, b"left 0\n", b""), done
    assert "sh" in names(done) and "autolock" not in names(done), done


def test_metrics_beside_the_program(made: Machine) -> None:
    """`autolock export` in another process of the same pid namespace, as in a pod that shares it."""
    command = """
        sleep 1000 & program=$!
        while ! grep -q autolock-live /proc/$program/maps; do sleep 0.01; done
        autolock export --textfile /reports --once || exit 1
        kill $program; wait; exec cat /reports/autolock.sleep.$program.prom
    """
    done = made.run(Surroundings(user=1000, docker_seccomp=True, read_only=True), "sh", "-c", command,
                    PROGRAMS="sleep")
    assert done.status == 0 and b"\nautolock_memory_locked_bytes{program=\"sleep\"" in done.out, done


def test_command_with_the_library(made: Machine) -> None:
    """An image whose environment has the library already."""
    bare = made.run(PRIVILEGED, "sh", "-c", NUMBERS, loaded=False)
    done = made.run(PRIVILEGED, "autolock", "run", "--require", "--library", LIBRARY, "--", "sh", "-c", NUMBERS)
    same(bare, done)
    assert {"sh", "sort", "seq", "md5sum"} <= names(done), done


def test_check(made: Machine) -> None:
    """The command says beforehand what becomes of a program there."""
    for here, status in ((PRIVILEGED, 0), (USUAL, 1), (Surroundings(memlock=0, user=1000), 2)):
        done = made.run(here, "autolock", "check", "sort", loaded=False)
        assert done.status == status, (here, done)


def test_counters_in_a_shared_folder(made: Machine) -> None:
    """Another container reads the numbers of one that runs, or was killed."""
    command = ("sh", "-c", "sh -c 'sort /dev/null; kill -9 $$'; exit $?")
    done = made.run(PRIVILEGED, *command, LIVE_DIR="/reports", PROGRAMS="sh,sort")
    assert done.status == 128 + 9, done
    killed = done.counters - {(report["program"], report["pid"]) for report in done.reports}
    assert {program for program, _ in killed} == {"sh"}, (done, done.counters)
