"""The jobs of docs/ci.md: their files are what they should be, and their steps run."""

import os
import pathlib
import re
import subprocess

import harness
from command import path
from harness import Skip, directory, environment, need_privilege

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "ci.md"


def _example(name: str) -> str:
    found = re.search(rf"<!-- example {name} -->\n```\w+\n(.*?)\n```\n", DOCUMENT.read_text(), re.DOTALL)
    assert found, f"docs/ci.md has no example {name}"
    return found.group(1)


def _yaml(name: str) -> dict:
    try:
        import yaml
    except ImportError:
        raise Skip("no python3-yaml here") from None
    return yaml.safe_load(_example(name))


def _github() -> str:
    steps = _yaml("github")["jobs"]["latency"]["steps"]
    return "\n".join(step["run"] for step in steps if "run" in step)


def _gitlab() -> str:
    job = _yaml("gitlab")["latency"]
    return "\n".join(job["before_script"] + job["script"])


def _jenkins() -> str:
    # What Groovy makes of the text: a backslash before a newline takes it away.
    return "\n".join(re.findall(r"sh '''\n(.*?)'''", _example("jenkins"), re.DOTALL)).replace("\\\n", "")


SCRIPTS = (_github, _gitlab, _jenkins)


def test_github() -> None:
    job = _yaml("github")
    # To YAML 1.1 `on` is a truth value.
    assert set(job) == {"name", True, "env", "jobs"}, job
    steps = job["jobs"]["latency"]["steps"]
    assert all(("run" in step) != ("uses" in step) for step in steps), steps
    assert steps[-1]["if"] == "always()" and "autolock.xml" in steps[-1]["with"]["path"].split(), steps[-1]


def test_gitlab() -> None:
    job = _yaml("gitlab")["latency"]
    assert all(isinstance(line, str) for line in job["before_script"] + job["script"]), job
    assert job["artifacts"]["when"] == "always" and job["artifacts"]["reports"] == {"junit": "autolock.xml"}, job
    try:
        import tomllib
    except ImportError:
        return
    assert tomllib.loads(_example("runner"))["runners"][0]["docker"]["cap_add"] == ["IPC_LOCK"]


def test_jenkins() -> None:
    text = _example("jenkins")
    bare = re.sub(r"'''.*?'''|'[^'\n]*'", "", text, flags=re.DOTALL)
    depth = 0
    for bracket in re.findall(r"[{}()]", bare):
        depth += 1 if bracket in "{(" else -1
        assert depth >= 0, text
    assert depth == 0 and text.startswith("pipeline {") and text.rstrip().endswith("}"), text
    assert re.search(r"post \{\s+always \{\s+junit testResults: 'autolock.xml'", text), text


def test_what_shells_run() -> None:
    for script in SCRIPTS:
        text = script()
        done = subprocess.run(["sh", "-n"], input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0 and not done.stderr, (text, done)
        for file in re.findall(r"sh (cmake/\S+) (\w+)", text):
            assert (DOCUMENT.parents[1] / file[0]).exists() and file[1] == "build", file


def test_what_autolock_is_told() -> None:
    """The command of each, as it stands there, with a test that passes and one that fails."""
    need_privilege()
    commands = {re.search(r"^\s*(autolock run (?:[^\\\n]|\\\n)*)", script(), re.MULTILINE).group(1) for script in SCRIPTS}
    (of_the_head,) = re.findall(r"^(autolock run (?:[^\\\n]|\\\n)*)", DOCUMENT.read_text().split("## GitHub")[0], re.MULTILINE)
    told = {re.sub(r"\\\n", " ", command) for command in (*commands, of_the_head)}
    assert len({" ".join(command.split()) for command in told}) == 1, told
    with directory() as folder:
        os.symlink(path(), folder / "autolock")
        test = folder / "latency-test"
        env = {**environment({"STATS": "off"}, ""), "PATH": f"{folder}:{os.environ['PATH']}"}
        # Of what ends before its warm-up there are no faults and no failures.
        for body, status in ("sleep 3", 0), ("sleep 3; exit 7", 7), ("exit 0", 86):
            test.write_text(f"#!/bin/sh\n{body}\n")
            test.chmod(0o755)
            for name in "autolock.xml", "autolock.jsonl":
                (folder / name).unlink(missing_ok=True)
            done = subprocess.run(["sh", "-c", of_the_head], cwd=folder, env=env, capture_output=True, check=False,
                                  timeout=harness.PATIENCE_S)
            assert done.returncode == status, done
            suite = (folder / "autolock.xml").read_text()
            assert f'failures="{2 if status == 86 else 0}"' in suite, suite
            assert harness.parse_reports((folder / "autolock.jsonl").read_bytes())[0]["program"] == "latency-test"
