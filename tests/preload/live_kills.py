"""Programs that are killed at random moments, from the loader's first steps on, while they allocate and fork: what is
left can be read, and nothing is missing."""

import fcntl
import json
import os
import pathlib
import random
import signal
import subprocess
import time

import harness
import live_reader
from harness import Skip, environment, program

SEED = 20240607

# Half of the programs are killed within so many microseconds after they were executed, half after main began.
START_US = 5000


def library_reads(path: pathlib.Path) -> dict:
    done = subprocess.run([harness.programs.parent / "support" / "read_live", "json", path], capture_output=True,
                          check=False)
    assert done.returncode == 0 and not done.stderr, (path, done)
    return json.loads(done.stdout)


def wait_us(microseconds: int) -> None:
    """Not as exactly as it says, but in moments that are not the scheduler's."""
    end = time.monotonic_ns() + microseconds * 1000
    while time.monotonic_ns() < end:
        pass


def kill(place: pathlib.Path, moment_us: int, after_main: bool) -> tuple:
    """The PID, and whether main had begun, by the program's own word."""
    variables = environment({"STATS": "off", "MODE": "observe", "LIVE_DIR": str(place)}, harness.library)
    with subprocess.Popen([program("live_forks"), "storm"], env=variables, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, start_new_session=True) as process:
        told = process.stdout.readline() if after_main else b""
        assert told or not after_main
        wait_us(moment_us)
        os.killpg(process.pid, signal.SIGKILL)
        # Until the children have gone as well.
        told += process.stdout.read()
        assert process.wait(harness.PATIENCE_S) == -signal.SIGKILL
    return process.pid, bool(told)


def expect_readable(path: pathlib.Path) -> live_reader.Area:
    # The pipe ends a little before the process does.
    with open(path, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
    area = live_reader.Area(live_reader.File(path))
    counted = area.counters()
    assert area.complete, path
    report = library_reads(path)
    assert report["ended"] == live_reader.ended(path) in ("killed", "_exit"), path
    assert report["calls"] == {key: counted[f"calls.{key}"] for key in report["calls"]}, path
    assert report["pid"] == area.head("pid") == int(path.name.rsplit(".", 3)[1]), path
    area.close()
    return area


def kills(times: int, where: str) -> None:
    chance = random.Random(SEED)
    begun = left = seen = children = 0
    with harness.directory(where) as place:
        for turn in range(times):
            pid, main_began = kill(place, chance.randrange(START_US), turn % 2 == 0)
            begun += main_began
            own = False
            for path in place.iterdir():
                seen += 1
                if path.name.startswith("."):
                    # Of one that did not come to its end with it: of a child, or of a program within its start.
                    assert path.name.endswith(".new"), path
                    assert f".{pid}." not in path.name or not main_began, path
                    left += 1
                else:
                    assert path.name.endswith(".live"), path
                    expect_readable(path)
                    mine = f".{pid}." in path.name
                    own |= mine
                    children += not mine
                path.unlink()
            assert own or not main_began, f"{turn}: nothing of {pid}"
    print(f"{times} killed, {begun} of them after main began; {seen} files, {children} of children, "
          f"{left} that were not whole")
    assert begun >= times // 2 and children


def test_a_thousand() -> None:
    if not os.access("/dev/shm", os.W_OK):
        raise Skip("no /dev/shm to write to")
    kills(1000, "/dev/shm")
