"""What all calls of the command have in common: their options are read, described and complained of alike."""

import re
import subprocess

from command import autolock, path

# What they end with that are called wrongly.
WRONG = {"run": 78}


def names() -> list:
    listed = autolock("--help").expect(0, err=b"").out.decode()
    return re.findall(r"^  (\w+) ", listed, re.MULTILINE)


def options_of(call: str) -> dict:
    """Each option that its help has, and how its value is called there, or None; [=VALUE], if it goes without."""
    helped = autolock(call, "--help").expect(0, err=b"").out.decode()
    return {name: value.strip() or None
            for name, value in re.findall(r"^  --([a-z-]+)(?:, -[a-z])?( .+|\[=.+\])?$", helped, re.MULTILINE)}


def test_help() -> None:
    assert {"check", "export", "run"} <= set(names())
    for call in names():
        helped = autolock(call, "--help").expect(0, err=b"").out.decode()
        assert helped.startswith(f"usage: autolock {call} "), helped
        assert all(len(line) <= 80 and line == line.rstrip() for line in helped.splitlines()), helped
        assert helped == autolock(call, "-h").expect(0, err=b"").out.decode()
        assert {"help", "version"} < set(options_of(call)), helped
        assert "\nExits with:\n" in helped, helped
        with open("/dev/full", "wb") as full:
            for option in "--help", "--version":
                assert subprocess.run([path(), call, option], stdout=full, check=False).returncode == 1, call


def test_version() -> None:
    version = autolock("--version").expect(0, err=b"").out
    for call in names():
        autolock(call, "--version").expect(0, version, b"")


def test_what_is_no_option() -> None:
    for call in names():
        status = WRONG.get(call, 64)

        def wrong(*arguments: str) -> str:
            done = autolock(call, *arguments).expect(status, b"")
            assert done.err.count(b"\n") == 1 and done.err.startswith(f"autolock {call}: ".encode()), done
            return done.err.decode().removeprefix(f"autolock {call}: ").rstrip("\n")

        assert wrong("--qqqqqqqqqqqq") == f"--qqqqqqqqqqqq: no such option; autolock {call} --help has them all"
        assert wrong("--helq=1") == "--helq: no such option (did you mean --help?)"
        assert wrong("-q") == f"-q: no such option; autolock {call} --help has them all"
        for option, value in options_of(call).items():
            if value and value.startswith("["):
                continue
            if value:
                assert wrong(f"--{option}") == f"--{option}: it takes a value; autolock {call} --help says which"
            else:
                assert wrong(f"--{option}=1") == f"--{option}: it takes no value"


def test_which_of_several() -> None:
    done = autolock("run", "--stat", "text", "--", "true").expect(78, b"")
    assert b"did you mean one of --stats, --stats-file?" in done.err, done


def test_where_options_end() -> None:
    """The program's are its own; elsewhere options may come last."""
    autolock("run", "--stats", "off", "--on-failure", "ignore", "echo", "--qqq", "--help").expect(0, b"--qqq --help\n", b"")
    autolock("export", "1", "--version").expect(0, err=b"")


def test_what_is_said_stays_one_line() -> None:
    """Whatever is named: who reads it is a terminal, or a job of GitHub Actions, and obeys."""
    name = b"no\x1b[31m\n::error::such\xff\xc2\x9b"
    shown = "no\ufffd[31m\ufffd::error::such\ufffd\ufffd".encode()
    named = {"run": (b"--", name), "check": (b"--" + name,), "status": (name,), "report": (name,),
             "export": (b"--textfile", name)}
    assert set(named) == set(names())
    for call, arguments in named.items():
        done = subprocess.run([path(), call, *arguments], capture_output=True, check=False)
        assert done.returncode != 0 and shown in done.stderr, done
        assert done.stderr.count(b"\n") == 1 and done.stderr.endswith(b"\n"), done
    done = subprocess.run([path(), name], capture_output=True, check=False)
    assert done.stderr.startswith(b'autolock: no call "' + shown + b'"\n'), done
