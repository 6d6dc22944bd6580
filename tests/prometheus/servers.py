"""A Prometheus that reads a directory of metrics by way of a node exporter, each on a port of its own of the loopback."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Callable, Iterator

import exposition
import harness

# Longer than any of this takes on a busy machine; what is waited for is looked at much more often.
PATIENCE_S = 120
LOOK_AGAIN_S = 0.1

# Another port is tried when somebody else was quicker.
ATTEMPTS = 5

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)
# Never by a proxy.
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


def installed(*names: str) -> str:
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    raise harness.Skip(f"{names[0]} is not installed")


def wait_for(what: str, look: Callable[[], object]) -> object:
    """Looks until there is something, and returns it."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(LOOK_AGAIN_S)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def get(address: str, path: str, **parameters: str) -> bytes | None:
    """None: it does not answer."""
    query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
    try:
        with _open(f"http://{address}{path}{query}", timeout=PATIENCE_S) as answer:
            return answer.read()
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None


def _ends_with_us() -> None:
    """Whatever ends the test, a server does not outlive it."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE_S / 4)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def server(command: list, ready: str, log: pathlib.Path) -> Iterator[str]:
    """Runs it until the end of the context; its address, once it answers to a request for `ready`."""
    for _ in range(ATTEMPTS):
        address = f"127.0.0.1:{free_port()}"
        with open(log, "ab") as output:
            process = subprocess.Popen([*command, f"--web.listen-address={address}"], stdin=subprocess.DEVNULL,
                                       stdout=output, stderr=output, cwd=log.parent, preexec_fn=_ends_with_us,
                                       env={"PATH": os.environ.get("PATH", os.defpath)})
        try:
            wait_for(f"{command[0]}: {log}", lambda: process.poll() is not None or get(address, ready))
            if process.poll() is None:
                yield address
                return
        finally:
            _end(process)
    raise AssertionError(f"{command[0]} does not run: {log.read_text()[-2000:]}")


class Monitor:
    """A running pair of servers, and the directory whose *.prom files they read."""

    def __init__(self, directory: pathlib.Path, exporter: str, prometheus: str):
        self.directory = directory
        self.exporter = exporter
        self.prometheus = prometheus

    def query(self, promql: str) -> exposition.Samples:
        """What Prometheus answers now, without the labels that it has added."""
        answer = get(self.prometheus, "/api/v1/query", query=promql)
        assert answer is not None, "prometheus does not answer"
        reply = json.loads(answer)
        assert reply["status"] == "success", reply
        samples = {}
        for sample in reply["data"]["result"]:
            labels = {name: text for name, text in sample["metric"].items()
                      if name not in ("__name__", "instance", "job")}
            samples[exposition.key(sample["metric"].get("__name__", ""), labels)] = float(sample["value"][1])
        return samples

    def wait_for_query(self, promql: str, holds: Callable[[exposition.Samples], bool]) -> exposition.Samples:
        """Asks until the answer is as it should be."""
        answer: exposition.Samples = {}

        def look() -> bool:
            nonlocal answer
            answer = self.query(promql)
            return holds(answer)

        try:
            wait_for(promql, look)
        except AssertionError as reason:
            raise AssertionError(f"{reason}: the last answer was {answer}") from None
        return answer

    def shows(self, file: pathlib.Path) -> None:
        """Waits until the figures of the file, these and no others of its process, come out of a query."""
        samples = exposition.parse(file.read_bytes())
        assert samples
        pid = exposition.label(samples, "pid")
        promql = f'{{__name__=~"autolock_.+",pid="{pid}"}}'
        self.wait_for_query(promql, lambda answer: answer == samples)

    def has_read_all(self) -> None:
        """The exporter finds nothing wrong with any file."""
        text = get(self.exporter, "/metrics")
        assert text is not None and b"\nnode_textfile_scrape_error 0\n" in text, text


@contextlib.contextmanager
def monitor() -> Iterator[Monitor]:
    exporter = installed("prometheus-node-exporter", "node_exporter")
    prometheus = installed("prometheus")
    with harness.directory() as temporary:
        metrics = temporary / "metrics"
        metrics.mkdir()
        command = [exporter, "--collector.disable-defaults", "--collector.textfile",
                   f"--collector.textfile.directory={metrics}"]
        with server(command, "/metrics", temporary / "exporter.log") as exporter_address:
            configuration = {
                "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
                "scrape_configs": [{"job_name": "textfile", "static_configs": [{"targets": [exporter_address]}]}],
            }
            # JSON is YAML.
            (temporary / "prometheus.yml").write_text(json.dumps(configuration))
            command = [prometheus, f"--config.file={temporary}/prometheus.yml",
                       f"--storage.tsdb.path={temporary}/data"]
            with server(command, "/-/ready", temporary / "prometheus.log") as prometheus_address:
                yield Monitor(metrics, exporter_address, prometheus_address)
