#!/usr/bin/env python3
"""Holds the examples against the programs that they are for: checks.py TREE LIBRARY COMMAND NAME"""

from __future__ import annotations

import configparser
import copy
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

SKIP = 77
HERE = pathlib.Path(__file__).resolve().parent

# Set at the start.
tree = pathlib.Path()
library = ""
command = ""


class Skip(Exception):
    """The reason why it cannot be told here."""


def example(name: str) -> pathlib.Path:
    return tree / "examples" / name


def need(program: str) -> str:
    found = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/bin:/usr/sbin:/sbin")
    if not found:
        raise Skip(f"no {program} here")
    return found


def run(*words: str, **more) -> subprocess.CompletedProcess:
    done = subprocess.run(words, capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, f"{' '.join(words)}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def documents(*names: str) -> list:
    """What YAML files have in them."""
    try:
        import yaml
    except ImportError:
        raise Skip("no yaml module for python here") from None
    return [document for name in names for document in yaml.safe_load_all(example(name).read_text())]


# -- Docker ---------------------------------------------------------------------------------------


def stages() -> dict:
    """Of the Dockerfile: the instructions of each stage, as (word, rest)."""
    text = re.sub(r"\\\n\s*", "", example("docker/Dockerfile").read_text())
    result: dict = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            word, rest = line.split(None, 1)
            if word == "FROM":
                result[rest.split()[-1]] = []
            else:
                result[list(result)[-1]].append((word, rest))
    return result


def _build(lines: list, folder: str) -> None:
    source = pathlib.Path(folder, "src")
    ignored = example("docker/Dockerfile.dockerignore").read_text().split()
    shutil.copytree(tree, source, ignore=shutil.ignore_patterns(*ignored, "tests"))
    for line in lines:
        run("sh", "-c", re.sub(r"/(src|build|out)\b", rf"{folder}/\1", line))


def _commands() -> list:
    """Of the first stage, but for the package manager's."""
    lines = [rest for word, rest in stages()["build"] if word == "RUN" and "apt-get" not in rest]
    assert len(lines) == 3 and all("cmake" in line for line in lines), lines
    return lines


def test_docker_configure() -> None:
    with tempfile.TemporaryDirectory() as folder:
        _build(_commands()[:1], folder)
        cache = pathlib.Path(folder, "build/CMakeCache.txt").read_text()
        assert "CMAKE_INSTALL_LIBDIR:PATH=lib\n" in cache and "AUTOLOCK_TESTS:BOOL=OFF\n" in cache, cache


def long_docker_build() -> None:
    """All of the first stage: what the others take from it is there."""
    with tempfile.TemporaryDirectory() as folder:
        _build(_commands(), folder)
        for stage in "carrier", "server":
            copied = [rest.split()[1] for word, rest in stages()[stage] if word == "COPY" and "--from=build" in rest]
            assert copied and all(pathlib.Path(folder + path).is_file() for path in copied), copied


def test_docker_run() -> None:
    """A server with the variables of the last stage, in a container as Docker makes it."""
    sys.path.insert(0, str(tree / "tests/containers"))
    import bundle
    import container

    variables = dict(word.split("=", 1) for key, rest in stages()["server"] if key == "ENV"
                     for word in shlex.split(rest))
    assert variables["LD_PRELOAD"] == "/usr/lib/libautolock.so"
    variables["LD_PRELOAD"] = bundle.LIBRARY
    server = """
        redis-server --port 0 --unixsocket /tmp/redis --save '' --dir /tmp --loglevel warning &
        until redis-cli -s /tmp/redis ping >/dev/null 2>&1; do sleep 0.01; done
        redis-cli -s /tmp/redis shutdown nosave; wait
    """
    here = bundle.Surroundings(capability="given", docker_seccomp=True, read_only=True, memory=256 << 20)
    arguments = type("Arguments", (), {"library": library, "command": command, "tools": None})
    try:
        with container.machine(arguments) as made:
            if "redis-server" not in made.root.programs:
                raise Skip("no redis-server here")
            done = made.run(here, "sh", "-c", server, loaded=False, also=variables)
    except container.Skip as reason:
        raise Skip(str(reason)) from None
    reports = [json.loads(line) for line in done.err.splitlines() if line.startswith(b'{"schema"')]
    assert done.status == 0 and len(reports) == 1, done
    assert reports[0]["program"] == "redis-server" and reports[0]["memory"]["locked_bytes"] > 1 << 20, reports


def test_compose() -> None:
    compose = need("docker-compose")
    done = run(compose, "-f", str(example("docker/compose.yaml")), "config")
    for part in ("memlock", "libautolock.so:ro", "AUTOLOCK_PROGRAMS: redis-server", "read_only: true"):
        assert part in done.stdout, (part, done.stdout)


# -- Kubernetes -----------------------------------------------------------------------------------


def hold_against_schemas(*objects: dict) -> None:
    node = need("node")
    # Where npm puts what is for all.
    folders = [os.environ.get("NODE_PATH", ""), "/usr/lib/node_modules", "/usr/local/lib/node_modules"]
    done = subprocess.run([node, str(HERE / "schemas.mjs")], input=json.dumps(objects), capture_output=True, text=True,
                          check=False, env={**os.environ, "NODE_PATH": ":".join(filter(None, folders))})
    if done.returncode == SKIP:
        raise Skip(done.stdout.strip().removeprefix("skipped: "))
    assert done.returncode == 0, done.stdout + done.stderr


def test_kubernetes() -> None:
    pod, = documents("kubernetes/pod.yaml")
    program = pod["spec"]["containers"][0]
    mounts = {mount["name"] for part in pod["spec"]["containers"] + pod["spec"]["initContainers"]
              for mount in part["volumeMounts"]}
    assert mounts == {volume["name"] for volume in pod["spec"]["volumes"]}
    library_path = next(variable["value"] for variable in program["env"] if variable["name"] == "LD_PRELOAD")
    assert library_path.startswith(program["volumeMounts"][0]["mountPath"] + "/")
    monitor, = documents("kubernetes/podmonitor.yaml")
    assert monitor["spec"]["selector"]["matchLabels"] == pod["metadata"]["labels"]
    ports = {port["name"] for part in pod["spec"]["containers"] for port in part.get("ports", [])}
    assert {endpoint["port"] for endpoint in monitor["spec"]["podMetricsEndpoints"]} == ports
    hold_against_schemas(pod)


def test_kubernetes_mistakes_are_noticed() -> None:
    pod, = documents("kubernetes/pod.yaml")
    hold_against_schemas(pod)
    mistakes = (lambda pod: pod["spec"].update(volumess=[]),
                lambda pod: pod["spec"]["containers"][0].update(env="LD_PRELOAD"),
                lambda pod: pod["spec"]["containers"][0]["securityContext"].update(capability={}))
    for number, mistake in enumerate(mistakes):
        wrong = copy.deepcopy(pod)
        mistake(wrong)
        try:
            hold_against_schemas(wrong)
        except AssertionError:
            continue
        raise AssertionError(f"mistake {number} is not noticed")


# -- kustomize ------------------------------------------------------------------------------------

# By what the objects of a list are told from each other.
KEYS = {"containers": "name", "initContainers": "name", "volumes": "name", "env": "name", "volumeMounts": "mountPath"}


def merged(base, patch, name: str = ""):
    """As kustomize's strategic merge does."""
    if isinstance(base, dict) and isinstance(patch, dict):
        return {**base, **{key: merged(base.get(key), part, key) for key, part in patch.items()}}
    if isinstance(base, list) and isinstance(patch, list) and name in KEYS:
        key = KEYS[name]
        added = {part[key]: part for part in patch}
        kept = [merged(part, added.pop(part[key])) if part[key] in added else part for part in base]
        return list(added.values()) + kept
    return copy.deepcopy(patch)


def contains(whole, part) -> bool:
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and contains(whole[key], part[key]) for key in part)
    if isinstance(part, list):
        return isinstance(whole, list) and all(any(contains(one, wanted) for one in whole) for wanted in part)
    return whole == part


def test_kustomize() -> None:
    component, patch, deployment, application = documents(
        "kustomize/kustomization.yaml", "kustomize/autolock.yaml", "kustomize/gateway/deployment.yaml",
        "kustomize/gateway/kustomization.yaml")
    assert component["kind"] == "Component" and application["components"] == [".."]
    target = component["patches"][0]["target"]
    label, value = target["labelSelector"].split("=")
    assert target["kind"] == patch["kind"] == deployment["kind"]
    assert deployment["metadata"]["labels"][label] == value
    change = {key: part for key, part in patch.items() if key != "metadata"}
    result = merged(deployment, change)
    assert contains(result, deployment) and contains(result, change), result
    assert len(result["spec"]["template"]["spec"]["containers"]) == 1, result
    if shutil.which("kustomize"):
        built, = _yaml(run("kustomize", "build", str(example("kustomize/gateway"))).stdout)
        assert contains(built, deployment) and contains(built, change), built
    hold_against_schemas(result)


def _yaml(text: str) -> list:
    import yaml
    return list(yaml.safe_load_all(text))


# -- systemd --------------------------------------------------------------------------------------


def test_systemd() -> None:
    analyze = need("systemd-analyze")
    with tempfile.TemporaryDirectory() as folder:
        unit = example("systemd/autolock@.service").read_text()
        # The programs that are to be started are not installed here.
        for program in ("/usr/bin/autolock", "/usr/local/bin/%I"):
            assert program in unit
            unit = unit.replace(program, "/bin/true")
        pathlib.Path(folder, "autolock@.service").write_text(unit)
        pathlib.Path(folder, "some.service").write_text("[Service]\nExecStart=/bin/true\n")
        pathlib.Path(folder, "some.service.d").mkdir()
        shutil.copy(example("systemd/autolock.conf"), pathlib.Path(folder, "some.service.d"))
        names = [str(pathlib.Path(folder, name)) for name in ("autolock@gateway.service", "some.service")]
        shutil.copy(pathlib.Path(folder, "autolock@.service"), names[0])
        assert complaints(analyze, *names) == "", complaints(analyze, *names)
        # A mistake is one that is told.
        for name, wrong in (("some.service.d/autolock.conf", "LimitMEMLOK=infinity"),
                            ("autolock@gateway.service", "SystemCallFilter=@memlok")):
            path = pathlib.Path(folder, name)
            path.write_text(path.read_text().replace("[Service]\n", f"[Service]\n{wrong}\n"))
            assert "mem" in complaints(analyze, *names).lower().replace("memlock", ""), name


def complaints(analyze: str, *units: str) -> str:
    done = subprocess.run([analyze, "verify", *units], capture_output=True, text=True, check=False)
    # What it says of this machine's own units is none of ours.
    return "\n".join(line for line in (done.stdout + done.stderr).splitlines()
                     if any(os.path.dirname(unit) in line or os.path.basename(unit) in line for unit in units))


# -- limits.d, supervisord, ansible ---------------------------------------------------------------


def test_limits() -> None:
    lines = [line.split() for line in example("limits.d/90-autolock.conf").read_text().splitlines()
             if line and not line.startswith("#")]
    assert lines
    for domain, kind, item, value in lines:
        assert re.fullmatch(r"[@%]?[a-z_][a-z0-9_-]*|[0-9]*:[0-9]*", domain), domain
        assert kind in ("-", "soft", "hard") and item == "memlock", (kind, item)
        assert value == "unlimited" or value.isdigit(), value


def test_supervisord() -> None:
    """By supervisor's own reading where it is installed."""
    path = example("supervisord/gateway.conf")
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";",))
    parser.read(path)
    assert parser.sections() == ["program:gateway"]
    reading = """
import sys, tempfile
from supervisor.options import ServerOptions
options = ServerOptions()
with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
    file.write("[supervisord]\\nuser=root\\n" + open(sys.argv[1]).read()); file.flush()
    options.realize(["-c", file.name, "-n"])
    program, = options.process_group_configs[0].process_configs
print(program.command, program.environment, program.exitcodes)
"""
    for python in ("/usr/bin/python3", sys.executable):
        if not subprocess.run([python, "-c", "import supervisor"], capture_output=True, check=False).returncode:
            said = run(python, "-c", reading, str(path)).stdout
            assert "/usr/bin/autolock run" in said and "/var/log/gateway.%n.json" in said, said
            return
    raise Skip("no python3-supervisor here: the file was read as an INI file")


def test_ansible() -> None:
    tasks, = documents("ansible/locked_service.yaml")
    for task in tasks:
        modules = [key for key in task if key.startswith("ansible.")]
        assert task["name"] and len(modules) == 1, task
        source = task[modules[0]].get("src", "")
        assert "/" not in source or (example("ansible") / source).is_file(), source
    playbook = need("ansible-playbook")
    with tempfile.TemporaryDirectory() as folder:
        play = pathlib.Path(folder, "play.yaml")
        play.write_text("- hosts: gateways\n  vars: {locked_services: [redis-server]}\n  tasks:\n"
                        f"    - ansible.builtin.import_tasks: {example('ansible/locked_service.yaml')}\n")
        run(playbook, "-i", "gateways,", "--syntax-check", str(play), env={**os.environ, "HOME": folder})
        listed = run(playbook, "-i", "gateways,", "--list-tasks", str(play), env={**os.environ, "HOME": folder}).stdout
        assert all(task["name"] in listed for task in tasks), listed


def main() -> int:
    global tree, library, command
    tree, library, command = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    try:
        globals()[sys.argv[4]]()
    except Skip as reason:
        print(f"skipped: {reason}")
        return SKIP
    return 0


if __name__ == "__main__":
    sys.exit(main())
