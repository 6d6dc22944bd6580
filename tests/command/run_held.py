"""autolock run: whether the library has taken hold, and why it has not."""

import os
import shutil
import struct
import subprocess

import harness
from command import autolock, for_everybody, need_libelf, own, path
from harness import NOBODY, Skip, directory, need_root, program

QUIET = ("run", "--stats", "off", "--on-failure", "ignore")


def _not_held(why: bytes, *command: str, status: int = 0, out: bytes | None = None) -> None:
    """A line; and under --require nothing is run."""
    done = autolock(*QUIET, "--", *command).expect(status, out)
    assert done.err.count(b"\n") == 1 and b"the library does not take hold" in done.err and why in done.err, done
    autolock(*QUIET, "--log", "error", "--", *command).expect(status, out, b"")
    done = autolock(*QUIET, "--require", "--", *command).expect(125, b"")
    assert done.err.count(b"\n") == 1 and why in done.err, done


def test_held() -> None:
    for command, status in (("true",), 0), ((own("state"),), 23), (("sh", "-c", "exec sleep 0"), 0), (("false",), 1):
        for _ in range(5):
            autolock(*QUIET, "--require", "--", *command).expect(status, err=b"")
            autolock(*QUIET, "--", *command).expect(status, err=b"")


def test_held_is_the_kernels_word() -> None:
    """While the program runs it is seen: the loader says nothing against it, and is not what is believed."""
    with directory() as folder:
        (folder / "libautolock.so").symlink_to(harness.behind("next_library"))
        # A library that is preloaded, and is not ours.
        command = [path(), *QUIET, "--require", "--library", str(folder / "libautolock.so"), "--", program("hold_on")]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            assert process.wait(timeout=harness.PATIENCE_S) == 125
            assert b"does not take hold" in process.stderr.read()


def test_static() -> None:
    need_libelf()
    if not os.path.exists(own("static")):
        raise Skip("no static program can be made here")
    _not_held(b"static", own("static"), status=6, out=b"ran\n")


def _elf32(folder) -> str:
    """A program of 32 bits whose first instruction ends it with status 42."""
    code = b"\xb8\x01\x00\x00\x00\xbb\x2a\x00\x00\x00\xcd\x80"
    base, offset = 0x8048000, 84
    head = struct.pack("<16sHHIIIIIHHHHHH", b"\x7fELF\x01\x01\x01", 2, 3, 1, base + offset, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    segment = struct.pack("<IIIIIIII", 1, 0, base, base, offset + len(code), offset + len(code), 5, 4096)
    file = folder / "narrow"
    file.write_bytes(head + segment + code)
    file.chmod(0o755)
    return str(file)


def test_32_bits() -> None:
    need_libelf()
    with directory() as folder:
        narrow = _elf32(folder)
        done = autolock(*QUIET, "--require", "--", narrow).expect(125, b"")
        assert b"32 bits" in done.err, done
        try:
            plain = subprocess.run([narrow], check=False).returncode
        except OSError as error:
            raise Skip(f"programs of 32 bits do not run here: {error}") from None
        assert plain == 42
        _not_held(b"32 bits", narrow, status=42)


def test_mode_off_and_other_programs() -> None:
    """As it was asked for, so it is no reason for a line."""
    for options in ("--mode", "off"), ("--programs", "other,*/else"):
        autolock(*QUIET, *options, "--", "true").expect(0, b"", b"")
        assert autolock(*QUIET, *options, "--log", "info", "--", "true").expect(0, b"").err.count(b"\n") == 1
        autolock(*QUIET, *options, "--require", "--", "true").expect(125, b"")
    with directory() as folder:
        script = folder / "script"
        script.write_text("#!/bin/sh\nexit 3\n")
        script.chmod(0o755)
        for globs in "script", "sh,dash", f"{folder}/*", "*":
            autolock(*QUIET, "--require", "--programs", globs, "--", str(script)).expect(3, b"", b"")
            autolock(*QUIET, "--require", "--programs", globs, "--", "./script", cwd=folder).expect(
                3 if globs != "sh,dash" or os.path.realpath("/bin/sh").endswith("dash") else 3, b"", b"")
        autolock(*QUIET, "--require", "--programs", "!script", "--", str(script)).expect(125, b"")


def test_sanitizer() -> None:
    need_libelf()
    name = program("strangers_asan")
    if not os.path.exists(name):
        raise Skip("no AddressSanitizer here")
    done = autolock(*QUIET, "--require", "--", name).expect(125, b"")
    assert b"AddressSanitizer" in done.err, done


def test_another_libc() -> None:
    """What its loader cannot load it says, and so do we."""
    need_libelf()
    with directory() as folder:
        bad = folder / "libautolock.so"
        content = bytearray(open(harness.library, "rb").read())
        # No loader knows this operating system's ABI.
        content[7] = 200
        bad.write_bytes(content)
        done = autolock(*QUIET, "--require", "--library", str(bad), "--", own("state")).expect(125, b"")
        assert b"its loader says: ERROR" in done.err and b"cannot be preloaded" in done.err, done
        done = autolock(*QUIET, "--library", str(bad), "--", "sh", "-c", "echo ran; sleep 2").expect(0, b"ran\n")
        assert b"ERROR: ld.so" in done.err and b"its loader did not preload it" in done.err, done


def _as_nobody(command: str, target: str, *options: str) -> subprocess.CompletedProcess:
    return subprocess.run([command, *QUIET, *options, "--", target], user=NOBODY, group=NOBODY, extra_groups=[],
                          cwd="/", capture_output=True, check=False, timeout=harness.PATIENCE_S)


def test_more_rights_than_its_caller() -> None:
    need_root()
    with for_everybody() as (folder, command, bin_of):
        if os.statvfs(folder).f_flag & os.ST_NOSUID:
            raise Skip("setuid has no effect in this directory")
        state = bin_of("state")
        done = _as_nobody(command, state, "--require")
        assert done.returncode == 23 and done.stderr == b"", done
        for mode, why in (0o4755, b"setuid"), (0o2755, b"setgid"):
            shutil.copy2(state, bin_of("more"))
            os.chmod(bin_of("more"), mode)
            done = _as_nobody(command, bin_of("more"))
            assert done.returncode == 23 and done.stderr.count(b"\n") == 1 and why in done.stderr, done
            assert _as_nobody(command, bin_of("more"), "--require").returncode == 125
            # Root gains nothing by it.
            done = subprocess.run([command, *QUIET, "--require", "--", bin_of("more")], check=False,
                                  capture_output=True, timeout=harness.PATIENCE_S)
            assert done.returncode == 23 and done.stderr == b"", done
        os.chmod(bin_of("more"), 0o755)
        marked = subprocess.run(["setcap", "cap_ipc_lock+ep", bin_of("more")], capture_output=True, check=False)
        if marked.returncode:
            raise Skip(f"setcap: {marked.stderr.decode()}")
        done = _as_nobody(command, bin_of("more"))
        assert done.returncode == 23 and b"its file has capabilities" in done.stderr, done
        assert _as_nobody(command, bin_of("more"), "--require").returncode == 125


def test_require_leaves_nothing_behind() -> None:
    """What has run before it was known is ended."""
    with directory() as folder:
        bad = folder / "libautolock.so"
        shutil.copy2(harness.behind("next_library"), bad)
        done = autolock(*QUIET, "--require", "--library", str(bad), "--", "sleep", "1000").expect(125, b"")
        assert done.err.count(b"\n") == 1, done
