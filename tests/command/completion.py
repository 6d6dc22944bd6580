"""What shells complete: by the files that are made in the build, in the shells themselves."""

import os
import pathlib
import re
import shutil
import subprocess

import harness
from command import autolock, held, path
from calls import names, options_of
from harness import Skip, directory
from terminal import Terminal

SHARE = pathlib.Path(path()).resolve().parents[1] / "share"
FRAMEWORK = pathlib.Path("/usr/share/bash-completion/bash_completion")

# What is typed, and what of the following must be offered, and must not.
CASES = (
    (("",), {"run", "check", "export"}, {"--mode"}),
    (("r",), {"run"}, {"check"}),
    (("run", "--mo"), {"--mode"}, {"--memlock"}),
    (("run", "--st"), {"--stats", "--stats-file", "--stack-reserve"}, {"--mode"}),
    (("run", "--mode", ""), {"all", "alloc", "observe", "off"}, {"--mode", "ls"}),
    (("run", "--mode", "al"), {"all", "alloc"}, {"off"}),
    (("run", "--kinds", "heap,an"), {"heap,anon"}, {"heap,file"}),
    (("run", "--memlock", ""), {"unlimited", "keep"}, set()),
    (("run", "--log", "warn", "--exp"), {"--expect"}, set()),
    (("run", "--library", "/us"), {"/usr"}, set()),
    (("check", "--for"), {"--format"}, {"--root"}),
    (("check", "--format", ""), {"text", "json"}, {"ls"}),
    (("check", "--ro"), set(), {"--root"}),
    (("export", "--textfile", "/us"), {"/usr"}, set()),
    (("run", "--require", "tru"), {"true"}, set()),
    (("run", "--mode", "all", "--", "tru"), {"true"}, set()),
    # What follows the program is its own.
    (("run", "--mode", "all", "ls", "--mo"), set(), {"--mode"}),
    (("run", "--mode", "all", "--", "ls", "--mo"), set(), {"--mode"}),
    (("run", "ls", "/us"), {"/usr"}, set()),
)


def _shell(name: str) -> str:
    found = shutil.which(name)
    if not found:
        raise Skip(f"no {name} here")
    return found


def _need(file: pathlib.Path) -> str:
    if not file.exists():
        raise Skip("the build made no completion")
    return str(file)


def _expect_cases(offered) -> None:
    for words, wanted, unwanted in CASES:
        found = {word.rstrip("/ ") for word in offered(words)}
        assert wanted <= found and not unwanted & found, (words, found)


# -- bash


def _bash(words: tuple, *before: str) -> list:
    file = _need(SHARE / "bash-completion" / "completions" / "autolock")
    script = "".join(f"source {line}\n" for line in (*before, file)) + """
        COMP_WORDS=(autolock "$@") COMP_CWORD=$# COMPREPLY=()
        COMP_LINE="${COMP_WORDS[*]}" COMP_POINT=${#COMP_LINE}
        _autolock 2>/dev/null
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    done = subprocess.run([_shell("bash"), "--norc", "-c", script, "bash", *words], capture_output=True, check=False,
                          text=True, timeout=harness.PATIENCE_S)
    assert not done.stderr, done
    return [line for line in done.stdout.splitlines() if line]


def test_bash() -> None:
    _expect_cases(_bash)
    # It parts words at an equals sign.
    assert _bash(("run", "--mode", "=")) == ["all", "alloc", "observe", "off"]
    assert _bash(("run", "--mode", "=", "al")) == ["all", "alloc"]
    assert "--stats" in _bash(("run", "--mode", "=", "all", "--st"))
    assert "true" in _bash(("run", "--mode", "=", "all", "tru"))


def test_bash_has_every_option() -> None:
    for call in names():
        assert set(_bash((call, "--"))) == {f"--{option}" for option in options_of(call)}, call
        # Nothing is offered for a value that there is not.
        assert not [word for option, value in options_of(call).items() if value == "TIME"
                    for word in _bash((call, f"--{option}", "x"))], call


def test_bash_with_its_framework() -> None:
    """Which completes the program's own arguments."""
    if not FRAMEWORK.exists():
        raise Skip("no bash-completion here")
    assert "/usr" in {word.rstrip("/") for word in _bash(("run", "--", "ls", "/us"), str(FRAMEWORK))}
    assert "--directory" in {word.split("=")[0] for word in _bash(("run", "--", "make", "--dir"), str(FRAMEWORK))}


def test_processes() -> None:
    """Those that have the library."""
    with held() as process:
        assert str(process.pid) in _bash(("export", ""))
        assert str(os.getpid()) not in _bash(("export", ""))
        if shutil.which("fish"):
            assert str(process.pid) in _fish(("export", ""))


def test_bash_on_a_terminal() -> None:
    file = _need(SHARE / "bash-completion" / "completions" / "autolock")
    env = {**os.environ, "PS1": "ready> ", "INPUTRC": "/dev/null", "TERM": "dumb"}
    with Terminal(_shell("bash"), "--norc", "--noprofile", env=env) as terminal:
        terminal.expect(b"ready> ")
        terminal.type(f"source {file}\n".encode())
        terminal.expect(b"\nready> ")
        terminal.type(b"autolock run --mod\tobs\t-- echo ok\n"[:-1])
        terminal.expect(rb"autolock run --mode observe -- echo ok")
        terminal.type(b"\x15autolock run --kinds=heap,ima\t")
        terminal.expect(rb"--kinds=heap,image")


# -- zsh


def test_zsh() -> None:
    shell = _shell("zsh")
    file = _need(SHARE / "zsh" / "site-functions" / "_autolock")
    done = subprocess.run([shell, "-n", file], capture_output=True, check=False)
    assert done.returncode == 0 and not done.stderr, done
    with directory() as folder:
        env = {**os.environ, "ZDOTDIR": str(folder), "TERM": "dumb", "HOME": str(folder)}
        with Terminal(shell, "-f", "-i", env=env) as terminal:
            terminal.type(b"PS1='rea''dy> '; unsetopt zle_bracketed_paste; LISTMAX=1000\n")
            terminal.expect(b"ready> ")
            terminal.type(f"fpath=({pathlib.Path(file).parent} $fpath); autoload -Uz compinit; compinit -u -D; "
                          "zstyle ':completion:*' list-prompt ''; echo lo''aded\n".encode())
            terminal.expect(b"loaded\r\n")
            terminal.expect(b"ready> ")
            for typed, completed in ((b"autolock ru\t", rb"autolock run "), (b"--mod\t", rb"--mode="),
                                     (b"obs\t", rb"observe "), (b"--kinds=heap,ima\t", rb"heap,image"),
                                     (b" --requ\t", rb"--require "), (b"pathch\t", rb"pathchk "), (b"/us\t", rb"/usr/")):
                terminal.type(typed)
                terminal.expect(completed)
            terminal.type(b"\x15autolock check --for\t")
            terminal.expect(rb"--format=")
            terminal.type(b"js\t")
            terminal.expect(rb"json ")
            terminal.type(b"\x15autolock run --mode=\t")
            for word in b"all", b"alloc", b"observe", b"off":
                terminal.expect(rb"\b" + word + rb"\b")


def test_zsh_has_every_option() -> None:
    text = pathlib.Path(_need(SHARE / "zsh" / "site-functions" / "_autolock")).read_text()
    for call in names():
        function = text[text.index(f"_autolock_{call}() {{"):].split("\n}\n")[0]
        assert set(re.findall(r"--([a-z-]+)=?-?\}?\"\[", function)) == set(options_of(call)), call


# -- fish


def _fish(words: tuple) -> list:
    file = _need(SHARE / "fish" / "vendor_completions.d" / "autolock.fish")
    with directory() as folder:
        env = {**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}
        done = subprocess.run([_shell("fish"), "-c", f"source {file}; complete -C \"$argv\"",
                               " ".join(("autolock", *words))], capture_output=True, check=False, text=True, env=env,
                              timeout=harness.PATIENCE_S)
    assert not done.stderr, done
    return [line.split("\t")[0] for line in done.stdout.splitlines()]


def test_fish() -> None:
    _expect_cases(_fish)
    assert set(_fish(("run", "--mode=al"))) == {"--mode=all", "--mode=alloc"}
    assert "--almost-all" in _fish(("run", "--", "ls", "--al")), "the program's own options"


def test_fish_has_every_option() -> None:
    for call in names():
        assert {word.rstrip("=") for word in _fish((call, "--"))} == {f"--{option}" for option in options_of(call)}, call


# -- all of them


def test_help_of_the_command_itself() -> None:
    for option in "--help", "--version":
        autolock(option).expect(0, err=b"")
        assert option in _bash(("--",))
