"""Programs with more rights than their caller (AT_SECURE), where the loader does take the library: no variable is
honoured, no file is written, and the program is as without it."""

from __future__ import annotations

import subprocess

from secure_root import Root, secure_root

# Each would be seen: by a file, by a word on standard error, by a program that does not run or has nothing locked.
EVERYTHING = {"STATS": "json", "STATS_FILE": "/out/%n.json", "LIVE_DIR": "/out", "LOG": "debug", "ON_FAILURE": "fail",
              "MODE": "off", "FLAGS": "future", "BUDGET": "0", "PROGRAMS": "!*", "KINDS": "nonsense", "MAX_SIZE": "1",
              "HEAP_RESERVE": "1M", "STACK_RESERVE": "4M", "THREAD_STACK": "1M", "FORK": "none", "NO_SUCH_OPTION": "1"}


def _programs(root: Root) -> dict:
    """Of each way to have more rights than one's caller."""
    return {"setuid": root.program("setuid", 0o4755), "setgid": root.program("setgid", 0o2755),
            "capable": root.program("capable", 0o755, "cap_net_raw+ep")}


def _is_loaded(root: Root, program: str, **more) -> bool:
    done = root.run(program, "loaded", **more)
    assert done.returncode == 5, done
    lines = done.stdout.decode().splitlines()
    assert lines[-1].startswith("VmLck:"), lines
    return any("/libautolock.so" in line for line in lines[:-1]) and int(lines[-1].split()[1]) > 0


def _report_only(done: subprocess.CompletedProcess, name: str) -> None:
    """What standard error gets by default, and no word about a variable."""
    text = done.stderr.decode()
    assert text.startswith("libautolock ") and f": {name}[" in text.splitlines()[0], done
    assert text.count("libautolock") == 1 and "MODE=all FLAGS=current,future\n" in text and "AUTOLOCK_" not in text, done


def test_no_variable_is_honoured() -> None:
    with secure_root() as root:
        for name, program in _programs(root).items():
            bare = root.run(program, "show", preload="", variables=EVERYTHING)
            assert b"secure 1\n" in bare.stdout and bare.returncode == 5 and not bare.stderr, bare
            before = root.files()
            done = root.run(program, "show", variables=EVERYTHING)
            assert (done.returncode, done.stdout) == (5, bare.stdout), (bare, done)
            _report_only(done, name)
            assert root.files() == before, name
            assert _is_loaded(root, program, variables=EVERYTHING), name
            assert root.files() == before, name


def test_elsewhere_they_are() -> None:
    """The same without more rights: what the test above looks at does show it."""
    with secure_root() as root:
        program = root.program("plain", 0o755)
        bare = root.run(program, "show", preload="")
        assert b"secure 0\n" in bare.stdout, bare
        before = root.files()
        done = root.run(program, "show", variables={"STATS": "json", "STATS_FILE": "/out/%n.json", "LIVE_DIR": "/out"})
        assert done.returncode == 5 and not done.stderr, done
        new = set(root.files()) - set(before)
        assert len(new) == 2 and str(root.out / "plain.json") in new, new
        assert not _is_loaded(root, program, variables={"MODE": "off"})
        assert root.run(program, "show", variables=EVERYTHING | {"MODE": "all", "PROGRAMS": "*"}).returncode == 78


def test_the_loader_takes_no_other() -> None:
    """Neither a library that is not setuid, nor one by its path: what is loaded is what root has put there."""
    with secure_root() as root:
        program = root.program("setuid", 0o4755)
        assert _is_loaded(root, program)
        for how in f"{root.trusted}/libautolock.so", "/tmp/libautolock.so":
            done = root.run(program, "loaded", preload=how)
            assert done.returncode == 5 and b"libautolock" not in done.stdout, done
        root.library.chmod(0o755)
        done = root.run(program, "loaded")
        assert done.returncode == 5 and b"libautolock" not in done.stdout, done


def test_limits_are_the_callers() -> None:
    """Who may not raise them does not come by higher ones through a program that starts his shell, say."""
    low, high = 64 << 10, 8 << 20
    with secure_root() as root:
        for program in root.program("setuid", 0o4755), root.program("capable", 0o755, "cap_sys_resource+ep"):
            try:
                bare = root.run(program, "show", preload="", limits=(low, high))
            except PermissionError:
                assert program == "/bin/capable"
                continue  # a capability that nobody has here
            assert f"memlock {low} {high}\n".encode() in bare.stdout and b"secure 1\n" in bare.stdout, bare
            done = root.run(program, "show", limits=(low, high))
            assert (done.returncode, done.stdout) == (5, bare.stdout), (bare, done)
            # As much as fits is locked.
            assert b"only a part is locked" in done.stderr or b"nothing is locked" in done.stderr, done


def test_what_takes_the_place_of_standard_error() -> None:
    """A file of the program's own: nothing that is said goes there, where there was no standard error either."""
    with secure_root() as root:
        program = root.program("setuid", 0o4755)
        secret = root.out / "secret"
        secret.write_text("precious")
        secret.chmod(0o600)
        for closed in False, True:
            done = root.run(program, "over", "/out/secret", closed=closed)
            assert done.returncode == 5 and secret.read_text() == "precious", (closed, done)
