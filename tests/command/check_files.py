"""autolock check: rights that come with a file, files that are no program, and files that lie."""

import json
import os
import pathlib
import random
import shutil
import subprocess

from checking import STATUSES, Surroundings, as_nobody, as_root, made, set_capabilities, true_of, words
from command import PATIENCE_S, autolock, path
from explain import memlock
from harness import MIB, NOBODY, Skip, directory, need_privilege, need_root, program


# -- rights that come with a file -----------------------------------------------------------------


def _no_setuid(folder: pathlib.Path) -> bool:
    return bool(os.statvfs(folder).f_flag & os.ST_NOSUID)


def test_setuid_and_setgid() -> None:
    need_root()
    with directory() as folder:
        if _no_setuid(folder):
            raise Skip("setuid does not count in this file system")
        command = made(folder)
        for owner, group, mode, subject in ((0, 0, 0o4755, "setuid to user 0"), (0, 0, 0o2755, "setgid to group 0")):
            os.chown(command, owner, group)
            os.chmod(command, mode)
            answer = true_of(as_nobody(8 * MIB), command, verdict="none", loaded=False)
            assert subject in words(answer, "program"), answer
            # Who gains nothing by it is trusted.
            true_of(as_root(), command, verdict="all", loaded=True)
        os.chown(command, NOBODY, NOBODY)
        os.chmod(command, 0o6755)
        true_of(as_nobody(8 * MIB), command, verdict="some", loaded=True)
        os.chmod(command, 0o2745)
        true_of(as_nobody(8 * MIB), command, verdict="some", loaded=True)
        # As root it is another user's.
        os.chmod(command, 0o4755)
        answer = as_root().check(command)
        assert answer["verdict"] == "none" and f"setuid to user {NOBODY}" in words(answer, "program"), answer
        assert not as_root().become(command)[0]


def test_setuid_where_it_does_not_count() -> None:
    need_root()
    setpriv = shutil.which("setpriv")
    if not setpriv:
        raise Skip("no setpriv here")
    with directory() as folder:
        command = made(folder)
        os.chmod(command, 0o4755)
        here = Surroundings(setpriv, "--no-new-privs", user=NOBODY, prepare=memlock(8 * MIB))
        true_of(here, command, verdict="some", loaded=True)


def test_file_capabilities() -> None:
    need_root()
    with directory() as folder:
        if _no_setuid(folder):
            raise Skip("file capabilities do not count in this file system")
        command = made(folder)
        for text, verdict in (("cap_ipc_lock+ep", "none"), ("cap_net_raw+p", "none"), ("cap_net_raw+i", "some"),
                              ("cap_net_raw+ei", "none")):
            set_capabilities(command, text)
            answer = true_of(as_nobody(8 * MIB), command, verdict=verdict, loaded=verdict == "some")
            assert ("has file capabilities" in words(answer, "program")) == (verdict == "none"), answer
            true_of(as_root(), command, verdict="all", loaded=True)


def test_file_capabilities_that_cannot_be_had() -> None:
    need_root()
    capsh = shutil.which("capsh")
    if not capsh:
        raise Skip("no capsh here")
    with directory() as folder:
        command = made(folder)
        set_capabilities(command, "cap_net_raw+ep")
        here = Surroundings(capsh, "--drop=cap_net_raw", "--", "-c", 'exec "$0" "$@"')
        answer = here.check(command)
        assert answer["verdict"] == "none" and "not in the bounding set" in words(answer, "program"), answer
        with here.running(command) as process:
            assert process.stdout is not None and process.stdout.readline() == b""


# -- files that are no program --------------------------------------------------------------------


def test_what_is_no_program() -> None:
    need_privilege()
    with directory() as folder:
        cases = {"missing": "is not there", "folder": "is a directory", "fifo": "is no regular file",
                 "forbidden": "may not be executed", "empty": "is neither", "binary": "is neither",
                 "object": "is an object file", "library": "is a library"}
        (folder / "folder").mkdir()
        os.mkfifo(folder / "fifo")
        (folder / "forbidden").write_text("#!/bin/sh\n")
        (folder / "empty").write_bytes(b"")
        (folder / "binary").write_bytes(bytes(range(256)) * 4)
        made(folder, "-c", name="object")
        made(folder, "-shared", "-fPIC", name="library")
        for name, expected in cases.items():
            if name not in ("missing", "folder", "fifo", "forbidden"):
                (folder / name).chmod(0o755)
            answer = as_root().check(str(folder / name))
            assert answer["verdict"] == "none" and expected in words(answer, "program"), answer
        assert "is not there" in words(as_root().check("no-such-program"), "program")
        assert "is not there" in words(as_root().check(""), "program")


def test_unreadable() -> None:
    need_root()
    with directory() as folder:
        command = made(folder)
        os.chmod(command, 0o711)
        answer = true_of(as_nobody(8 * MIB), command, verdict="some", loaded=True)
        assert "but not read" in words(answer, "program"), answer


def test_loader() -> None:
    with directory() as folder:
        loader = as_root().check(made(folder))["program"]["loader"]
        here = as_root()
        answer = here.check(loader)
        if os.path.basename(answer["program"]["file"]).startswith("ld-"):
            assert answer["verdict"] == "some" and "is a loader" in words(answer, "program"), answer
            assert here.become(loader, str(folder / "waits"))[0]


def test_appimage() -> None:
    with directory() as folder:
        command = pathlib.Path(made(folder))
        image = bytearray(command.read_bytes())
        image[8:11] = b"AI\x02"
        command.write_bytes(image)
        answer = as_root().check(str(command))
        assert answer["verdict"] == "some" and "is an AppImage" in words(answer, "program"), answer


def test_found_as_a_shell_would() -> None:
    need_privilege()
    with directory() as folder:
        (folder / "a").mkdir()
        (folder / "b").mkdir()
        (folder / "a" / "waits").mkdir()
        shutil.copy2(made(folder, "-static"), folder / "b")
        (folder / "c").mkdir()
        (folder / "c" / "waits").write_text("")
        search = f"{folder}/c:{folder}/a:{folder}/none:{folder}/b"
        done = autolock("check", "waits", env={"PATH": search}).expect(2, err=b"")
        assert f"{folder}/b/waits is static".encode() in done.out, done
        done = autolock("check", "./waits", cwd=folder).expect(2, err=b"")
        assert b"is static" in done.out, done
        done = autolock("check", "waits", cwd=folder, env={"PATH": ":/nowhere"}).expect(2, err=b"")
        assert b"is static" in done.out, done


# -- files that lie -------------------------------------------------------------------------------


def test_cut_off() -> None:
    """Whatever is missing: what runs under the library is not said to be lost, and what does not run not to be well."""
    here = as_root()
    with directory() as folder:
        whole = pathlib.Path(made(folder)).read_bytes()
        cut = folder / "cut"
        seen = set()
        for length in [0, 1, 3, 4, 5, 16, 63, 64, 65, 119, 120, 500, *range(1000, len(whole), 1500), len(whole) - 1]:
            cut.write_bytes(whole[:length])
            cut.chmod(0o755)
            verdict = here.check(str(cut))["verdict"]
            try:
                there, locked = here.become(str(cut))
            except (AssertionError, OSError):
                assert verdict != "all", length
                seen.add("dead")
            else:
                assert there and (locked == "none") == (verdict == "none"), (length, verdict, locked)
                seen.add("alive")
            finally:
                cut.unlink()
        assert seen == {"dead", "alive"}


def _flipped(whole: bytes, chance: random.Random) -> bytes:
    changed = bytearray(whole)
    # Most of what is read lies at both ends: headers, segments; sections.
    for _ in range(chance.choice((1, 2, 8, 64))):
        at = chance.choice((chance.randrange(64), chance.randrange(1024), chance.randrange(len(whole)),
                            len(whole) - 1 - chance.randrange(2048)))
        changed[at] = chance.choice((0, 255, 127, changed[at] ^ 1 << chance.randrange(8)))
    return bytes(changed)


def _survives(folder: pathlib.Path, *before: str, count: int, seed: int) -> None:
    chance = random.Random(seed)
    whole = pathlib.Path(made(folder)).read_bytes()
    flipped = folder / "flipped"
    verdicts = set()
    for _ in range(count):
        flipped.write_bytes(_flipped(whole, chance))
        flipped.chmod(0o755)
        process = subprocess.run([*before, path(), "check", "--format", "json", str(flipped)], capture_output=True,
                                 check=False, timeout=PATIENCE_S)
        told = f"seed {seed}: {process}"
        assert process.returncode in (0, 1, 2) and not process.stderr, told
        assert STATUSES[json.loads(process.stdout)["verdict"]] == process.returncode, told
        verdicts.add(process.returncode)
    assert len(verdicts) > 1, verdicts


def test_bits_flipped() -> None:
    need_privilege()
    with directory() as folder:
        _survives(folder, count=500, seed=1)


def test_bits_flipped_under_valgrind() -> None:
    need_privilege()
    valgrind = shutil.which("valgrind")
    if not valgrind:
        raise Skip("no valgrind here")
    with directory() as folder:
        _survives(folder, valgrind, "--quiet", "--error-exitcode=99", count=20, seed=2)
