"""Clients: each in a process of its own asks one server, so many times, at a pace, and knows what it was promised."""

from __future__ import annotations

import array
import multiprocessing
import time
import traceback
from typing import Protocol

_fork = multiprocessing.get_context("fork")


class Traffic(Protocol):
    """What is asked of a server. Kept by the client: all that was acknowledged."""

    def connect(self) -> None: ...

    def disconnect(self) -> None: ...

    def request(self) -> object:
        """The next one."""

    def ask(self, request: object) -> object:
        """Sends it and reads the answer: this is what is timed."""

    def check(self, request: object, answer: object) -> None:
        """Raises Failed where the answer is not what it has to be; keeps what was acknowledged."""

    def read_back(self) -> int:
        """All that was acknowledged is there, byte for byte: how much that is."""


class Client:
    """Asks `operations` times, at most `per_second`, or less often, if `seconds` are over. Later than due is no reason
    to ask faster."""

    def __init__(self, traffic: Traffic, operations: int, per_second: float, seconds: float | None):
        self._here, there = _fork.Pipe(duplex=False)
        self._process = _fork.Process(target=_work, args=(traffic, operations, per_second, seconds, there), daemon=True)
        self._process.start()
        there.close()

    def wait(self, seconds: float) -> bool:
        """Whether it has done its work, or failed to."""
        return self._here.poll(seconds)

    def result(self) -> tuple:
        """(traffic with what was acknowledged, latencies in ns, an error's text or "")"""
        try:
            traffic, latencies, error = self._here.recv()
        except EOFError:
            return None, array.array("Q"), "the client has gone without a word"
        finally:
            self._process.join()
        return traffic, latencies, error

    def kill(self) -> None:
        self._process.kill()
        self._process.join()


def _work(traffic: Traffic, operations: int, per_second: float, seconds: float | None, pipe) -> None:
    latencies = array.array("Q")
    error = ""
    try:
        traffic.connect()
        _ask(traffic, operations, int(1e9 / per_second), int(seconds * 1e9) if seconds else None, latencies)
    except Exception:  # whatever it is, the driver has to know
        error = traceback.format_exc()
    traffic.disconnect()
    pipe.send((traffic, latencies, error))


def _ask(traffic: Traffic, operations: int, pace_ns: int, most_ns: int | None, latencies: array.array) -> None:
    due = begun = time.perf_counter_ns()
    for _ in range(operations):
        request = traffic.request()
        wait = due - time.perf_counter_ns()
        if wait > 0:
            time.sleep(wait / 1e9)
        else:
            due -= wait
        due += pace_ns
        begin = time.perf_counter_ns()
        if most_ns and begin - begun >= most_ns:
            break
        answer = traffic.ask(request)
        latencies.append(time.perf_counter_ns() - begin)
        traffic.check(request, answer)


def figures(latencies: array.array) -> dict:
    """In microseconds."""
    ordered = sorted(latencies)
    shares = {"p50": 500, "p99": 990, "p99.9": 999}
    found = {name: ordered[-(-len(ordered) * share // 1000) - 1] / 1000 for name, share in shares.items()}
    return {**found, "max": ordered[-1] / 1000}
