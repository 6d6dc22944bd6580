"""autolock run: what the program is given is what the command was given, and the library."""

import json
import os
import re
import resource
import signal
import subprocess

import harness
from command import autolock, for_everybody, own, path, wait_for
from harness import MIB, NOBODY, Skip, directory, need_root

RUN = ("run", "--stats", "off", "--on-failure", "ignore", "--")


def _state(*command: str, **more) -> list:
    done = subprocess.run([*command, own("state"), "a b", ""], capture_output=True, check=False,
                          timeout=harness.PATIENCE_S, start_new_session=True, **more)
    assert done.returncode == 23, done
    return [re.sub(rb"(group|session) \d+", rb"\1", line) for line in done.stdout.splitlines()]


def test_all_is_unchanged() -> None:
    """But for the variables that are meant to be there."""
    env = {"PATH": os.environ["PATH"], "A": "1", "EMPTY": "", "LAST": "a=b c\n", "AUTOLOCK_LOG": "quiet", "Z": "z"}
    wanted = _state(env=env, stdin=subprocess.DEVNULL)
    found = _state(path(), *RUN, env=env, stdin=subprocess.DEVNULL)
    added = [f"variable LD_PRELOAD={harness.library}".encode(), b"variable AUTOLOCK_STATS=off",
             b"variable AUTOLOCK_ON_FAILURE=ignore"]
    assert all(found.count(line) == 1 for line in added), found
    def unnumbered(lines: list) -> list:
        """Each run has pipes of its own."""
        return [re.sub(rb"(descriptor \d+): \d+", rb"\1", line) for line in lines]

    assert unnumbered(line for line in found if line not in added) == unnumbered(wanted), (found, wanted)


def test_closed_descriptors() -> None:
    for closed in (0,), (1,), (2,), (0, 1, 2), (0, 2):
        with directory() as folder:
            file = folder / "state"
            env = {**os.environ, "STATE_FILE": str(file)}

            def prepare() -> None:
                for number in closed:
                    os.close(number)

            def state(*command: str) -> set:
                done = subprocess.run([*command, own("state")], env=env, preexec_fn=prepare, check=False,
                                      stdin=subprocess.DEVNULL, timeout=harness.PATIENCE_S, close_fds=True)
                assert done.returncode == 23, done
                return {line.split(":")[0] for line in file.read_text().splitlines() if line.startswith("descriptor")}

            assert state(path(), *RUN) == state(), closed


def test_descriptors_are_left_open() -> None:
    with open("/etc/passwd", "rb") as one, open("/dev/null", "rb") as two:
        numbers = (one.fileno(), two.fileno())
        assert _state(path(), *RUN, pass_fds=numbers).count(b"") == 0
        found = {line for line in _state(path(), *RUN, pass_fds=numbers) if line.startswith(b"descriptor")}
        for number in numbers:
            assert any(line.startswith(b"descriptor %d:" % number) for line in found), found


def test_bytes_go_through() -> None:
    data = os.urandom(3 << 20)
    done = subprocess.run([path(), *RUN, "cat"], input=data, capture_output=True, check=False,
                          timeout=harness.PATIENCE_S)
    assert done.returncode == 0 and done.stdout == data and done.stderr == b""


def _preload(present: str | None, *options: str) -> str:
    env = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    if present is not None:
        env["LD_PRELOAD"] = present
    done = autolock(*RUN[:-1], *options, "--", own("state"), env=env).expect(23)
    found = re.findall(rb"variable LD_PRELOAD=(.*)", done.out)
    assert len(found) == 1, done
    return found[0].decode()


def test_other_preloads_are_kept() -> None:
    ours = harness.library
    other = harness.behind("next_library")
    assert _preload(None) == ours and _preload("") == ours
    assert _preload(other) == f"{ours}:{other}"
    assert _preload(f"{other} {other}") == f"{ours}:{other} {other}"
    # Once is enough, by whatever path.
    for there in ours, f"{other}:{ours}", f"{ours} {other}", f"{other}:{os.path.dirname(ours)}/../lib/libautolock.so":
        assert _preload(there) == there
    with directory() as folder:
        link = folder / "link.so"
        link.symlink_to(ours)
        assert _preload(str(link)) == str(link)
    # A sanitizer's runtime comes first. The loader only warns of those that are not there.
    asan = "libasan.so.0 /x/libclang_rt.asan-x86_64.so"
    assert _preload(asan) == f"{asan}:{ours}"
    assert _preload(f"{asan}:{other}") == f"{asan}:{ours}:{other}"


def test_the_library_is_found() -> None:
    with for_everybody() as (folder, command, program):
        def preloaded(*arguments: str, cwd: str = "/") -> bytes:
            done = subprocess.run([command, *RUN[:-1], *arguments, "--", program("state")], capture_output=True,
                                  check=False, cwd=cwd, timeout=harness.PATIENCE_S)
            assert done.returncode == 23, done
            return re.search(rb"variable LD_PRELOAD=(.*)", done.stdout).group(1)

        beside = folder / "lib" / "libautolock.so"
        assert preloaded() == str(beside).encode()
        # By a link to the command as well.
        link = folder / "link"
        link.symlink_to(command)
        command = str(link)
        assert preloaded() == str(beside).encode()
        assert preloaded("--library", "lib/libautolock.so", cwd=str(folder)) == f"{folder}/lib/libautolock.so".encode()
        odd = folder / "with blank:and colon"
        odd.mkdir()
        (odd / "libautolock.so").symlink_to(beside)
        done = subprocess.run([command, *RUN[:-1], "--library", str(odd / "libautolock.so"), "--", "true"],
                              capture_output=True, check=False, timeout=harness.PATIENCE_S)
        assert done.returncode == 78 and b"a blank or a colon" in done.stderr, done


# -- limits and capabilities -----------------------------------------------------------------------


def _limits(*options: str, soft: int, hard: int, user: int | None = None) -> tuple:
    with for_everybody() as (_, command, program):
        ids = {} if user is None else {"user": user, "group": user, "extra_groups": []}
        done = subprocess.run([command, "run", "--mode", "off", "--stats", "off", *options, "--", "sh", "-c",
                               "ulimit -S -l; ulimit -H -l"],
                              capture_output=True, check=False, timeout=harness.PATIENCE_S, cwd="/",
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_MEMLOCK, (soft, hard)), **ids)
        assert done.returncode == 0, done
        return (*done.stdout.decode().split(), done.stderr)


def test_limits() -> None:
    need_root()
    soft, hard = 64 << 10, 1 << 20
    # An ordinary user gets what the hard limit has.
    assert _limits(soft=soft, hard=hard, user=NOBODY) == ("1024", "1024", b"")
    assert _limits("--memlock", "keep", soft=soft, hard=hard, user=NOBODY) == ("64", "1024", b"")
    assert _limits("--memlock", "128K", soft=soft, hard=hard, user=NOBODY) == ("128", "128", b"")
    assert _limits("--memlock", "0", soft=soft, hard=hard, user=NOBODY) == ("0", "0", b"")
    for much in "1G", "unlimited":
        found = _limits("--memlock", much, soft=soft, hard=hard, user=NOBODY)
        assert found[:2] == ("1024", "1024") and b"stays at 1.0 MiB" in found[2], found


def test_the_hard_limit_too() -> None:
    need_root()
    try:
        resource.prlimit(os.getpid(), resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (ValueError, PermissionError):
        raise Skip("no CAP_SYS_RESOURCE here") from None
    assert _limits(soft=64 << 10, hard=1 << 20) == ("unlimited", "unlimited", b"")
    assert _limits("--memlock", "2M", soft=64 << 10, hard=1 << 20) == ("2048", "2048", b"")


def test_ambient() -> None:
    """A command whose file has the capability hands it on to an ordinary user's program."""
    need_root()
    with for_everybody() as (folder, command, _):
        marked = subprocess.run(["setcap", "cap_ipc_lock+p", command], capture_output=True, check=False)
        if marked.returncode:
            raise Skip(f"setcap: {marked.stderr.decode()}")
        (folder / "reports").mkdir()
        (folder / "reports").chmod(0o777)
        file = folder / "reports" / "report"

        def run(*options: str) -> bytes:
            done = subprocess.run([command, "run", "--memlock", "64K", "--on-failure", "ignore", "--stats", "json",
                                   "--stats-file", str(file), *options, "--", "grep", "CapAmb", "/proc/self/status"],
                                  user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", capture_output=True,
                                  check=False, timeout=harness.PATIENCE_S)
            assert done.returncode == 0 and done.stderr == b"", done
            return int(done.stdout.split()[1], 16) >> 14 & 1

        if not run("--ambient"):
            raise Skip("capabilities of files do not count here")
        report = json.loads(file.read_text())
        assert report["backend"] == "kernel" and report["locked"]["kernel_bytes"] > 64 << 10, report
        file.unlink()
        assert run() == 0
        assert json.loads(file.read_text())["backend"] == "hooks"


def test_ambient_that_is_there_is_kept() -> None:
    need_root()
    with for_everybody() as (_, command, _program):
        setpriv = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups", "--inh-caps",
                   "+ipc_lock", "--ambient-caps", "+ipc_lock"]
        if subprocess.run([*setpriv, "true"], capture_output=True, check=False).returncode:
            raise Skip("setpriv cannot do it here")
        for options in (), ("--ambient",):
            done = subprocess.run([*setpriv, command, *RUN[:-1], *options, "--", "grep", "CapAmb", "/proc/self/status"],
                                  cwd="/", capture_output=True, check=False, timeout=harness.PATIENCE_S)
            assert done.returncode == 0 and done.stderr == b"", done
            assert int(done.stdout.split()[1], 16) == 1 << 14, done


def test_no_rights_are_no_reason_to_fail() -> None:
    need_root()
    with for_everybody() as (_, command, program):
        done = subprocess.run([command, *RUN[:-1], "--ambient", "--memlock", "unlimited", "--", program("state")],
                              user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", capture_output=True, check=False,
                              timeout=harness.PATIENCE_S)
        assert done.returncode == 23 and b"--ambient: this process does not have CAP_IPC_LOCK" in done.stderr, done


# -- init --------------------------------------------------------------------------------------------

# Makes an orphan, waits until it has another parent and is gone, then ends with 7.
ORPHAN = """
import os, sys, time
reading, writing = os.pipe()
if os.fork() == 0:
    middle = os.getpid()
    if os.fork() == 0:
        while os.getppid() == middle:
            time.sleep(0.01)
        os.write(writing, b"%d %d" % (os.getpid(), os.getppid()))
        os._exit(3)
    os._exit(0)
os.wait()
orphan, parent = os.read(reading, 100).split()
assert int(parent) == os.getppid(), (parent, os.getppid())
for _ in range(3000):
    if not os.path.exists(b"/proc/" + orphan):
        sys.exit(7)
    time.sleep(0.01)
sys.exit("the orphan is still there")
"""

NAMESPACE = ("unshare", "--pid", "--fork")


def _need_namespaces() -> None:
    need_root()
    try:
        done = subprocess.run([*NAMESPACE, "--mount-proc", "true"], capture_output=True, check=False)
    except FileNotFoundError:
        raise Skip("there is no unshare") from None
    if done.returncode:
        raise Skip(f"no namespaces here: {done.stderr.decode()}")


def test_orphans_are_taken() -> None:
    autolock(*RUN[:-1], "--init", "--", "python3", "-c", ORPHAN).expect(7, b"", b"")


def test_process_1() -> None:
    _need_namespaces()
    for proc in ("--mount-proc",), ():
        done = subprocess.run([*NAMESPACE, *proc, path(), *RUN, "sh", "-c", "echo $$; exit 5"], capture_output=True,
                              check=False, timeout=harness.PATIENCE_S)
        assert done.returncode == 5 and done.stdout == b"2\n" and done.stderr == b"", (proc, done)
    done = subprocess.run([*NAMESPACE, "--mount-proc", path(), *RUN, "python3", "-c", ORPHAN], capture_output=True,
                          check=False, timeout=harness.PATIENCE_S)
    assert done.returncode == 7, done


def test_process_1_passes_signals_on() -> None:
    _need_namespaces()
    with subprocess.Popen([*NAMESPACE, "--mount-proc", path(), *RUN, own("signals")],
                          stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"pid 2.\n"
        with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
            first = int(file.read())
        for number in signal.SIGINT, signal.SIGUSR1, signal.SIGHUP, signal.SIGTERM:
            os.kill(first, number)
            assert process.stdout.readline() == b"<%d>\n" % number
        assert process.wait() == 9
        wait_for("the end", lambda: not os.path.exists(f"/proc/{first}"))


def test_nobody_reads_what_is_said() -> None:
    """A word before the program runs neither ends the command nor keeps the program from running."""
    said = (path(), "run", "--stats", "off", "--log", "info", "--programs", "no-such-program", "--", own("state"))
    assert b"not among those of AUTOLOCK_PROGRAMS" in autolock(*said[1:]).expect(23).err
    reads, writes = os.pipe()
    os.close(reads)
    with os.fdopen(writes, "wb") as closed:
        done = subprocess.run(said, stdout=subprocess.PIPE, stderr=closed, check=False, timeout=harness.PATIENCE_S)
    assert done.returncode == 23 and done.stdout, done
    with directory() as folder, open(folder / "full", "wb") as full:
        limits = (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1])
        done = subprocess.run(said, stdout=subprocess.PIPE, stderr=full, check=False, timeout=harness.PATIENCE_S,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limits))
    assert done.returncode == 23 and done.stdout, done


def test_few_descriptors() -> None:
    """What the command would like to look at takes none that starting the program needs."""
    for limit in 8, 9, 10, 12, 16, 24:
        with directory() as folder:
            options = ("--expect", "swap>=0", "--json", str(folder / "json"), "--tree", f"--faults={folder / 'faults'}")
            done = subprocess.run([path(), *RUN[:-1], *options, "--", own("state")], capture_output=True, check=False,
                                  timeout=harness.PATIENCE_S,
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))
            assert done.returncode == 23 and f"limit {resource.RLIMIT_NOFILE}".encode() in done.stdout, (limit, done)
            assert harness.parse_reports((folder / "json").read_bytes()), (limit, done)


def test_without_proc() -> None:
    """The library is found all the same, and what cannot do without says why."""
    _need_namespaces()
    with directory() as folder:
        def without(*arguments: str) -> subprocess.CompletedProcess:
            return subprocess.run(["unshare", "--mount", "sh", "-c", 'umount -l /proc && exec "$@"', "sh", path(),
                                   *arguments], capture_output=True, check=False, timeout=harness.PATIENCE_S)

        done = without("run", "--stats", "json", "--", "sh", "-c", "exit 5")
        assert done.returncode == 5 and harness.parse_reports(done.stderr)[0]["program"] == "sh", done
        for call in ("status", str(os.getpid())), ("export", "--once", "--textfile", str(folder)):
            done = without(*call)
            assert done.returncode == 1 and b"/proc" in done.stderr and done.stderr.count(b"\n") == 1, done


def test_little_memory() -> None:
    """There may be too little to look at the program, or to say what was seen; it is not left alone, and its status
    is its own."""
    lacked = 0
    for limit in range(6 * MIB, 16 * MIB, 256 << 10):
        with directory() as folder:
            # The program has all it wants.
            command = ("prlimit", f"--as={limit}:unlimited", path(), *RUN[:-1], "--expect", "swap>=0", "--tree", "--json",
                       str(folder / "json"), f"--faults={folder / 'faults'}", "--", "prlimit", "--as=unlimited", "sh",
                       "-c", 'echo ran; exec >&-; sleep 0.1; exit 23')
            done = subprocess.run(command, capture_output=True, check=False, timeout=harness.PATIENCE_S)
            if b"ran\n" in done.stdout:
                assert done.returncode == 23, (limit, done)
                lacked += b"out of memory" in done.stderr
    assert lacked, "there was enough each time"
