"""rt-tests: threads, priorities, signals, futexes, semaphores and message queues, with a number of loops each."""

from __future__ import annotations

import contextlib
import re
import threading

from cell import Cell

PROGRAMS = {
    "cyclictest": "cyclictest -q -l 300 -i 500 -t 2",
    "cyclictest-mlockall": "cyclictest -q -m -l 300 -i 500 -t 2 -p 20",
    "cyclictest-smp": "cyclictest -q -S -l 300 -i 500 -p 20",
    "cyclictest-posix-timers": "cyclictest -q -x -l 300 -i 500 -t 2",
    "cyclictest-signals": "cyclictest -q -s -l 300 -i 500",
    "pmqtest": "pmqtest -q -l 300 -i 500",
    "pmqtest-smp": "pmqtest -q -S -l 200 -i 500 -p 20",
    "ptsematest": "ptsematest -q -l 300 -i 500",
    "ptsematest-smp": "ptsematest -q -S -l 200 -i 500 -p 20",
    "sigwaittest": "sigwaittest -q -l 300 -i 500",
    "sigwaittest-fork": "sigwaittest -q -f -l 200 -i 500",
    "svsematest": "svsematest -q -l 300 -i 500",
    "svsematest-fork": "svsematest -q -f -l 200 -i 500",
    "signaltest": "signaltest -q -l 500 -t 2",
    "signaltest-mlockall": "signaltest -q -m -l 500 -t 3 -p 20",
    "pi_stress": "pi_stress --inversions=200 --groups=1 --quiet --mlockall --duration=30",
    "rt-migrate-test": "rt-migrate-test -l 5 -c",
    "hackbench": "hackbench -g 2 -l 50",
    "hackbench-threads": "hackbench -T -g 2 -l 50",
    "deadline_test": "deadline_test -i 20",
}
UNITS = list(PROGRAMS)
# Statuses that are a verdict on the times that were measured: on a busy machine it mostly fails, bare too.
TIMED = {"rt-migrate-test": (0, 255)}


def prepare(place) -> dict:
    return {name: place.program(name, "rt-tests") for name in {line.split()[0] for line in PROGRAMS.values()}}


# Those with processes find each other by names of the whole machine (/sigwaittest and the like): two at a time, of two
# cells, wait for ever in one of four runs, bare too.
_named = threading.Lock()


def run(cell: Cell, material: dict, units: list) -> dict:
    found = {}
    for unit in units:
        name, *words = PROGRAMS[unit].split()
        with _named if "-f" in words else contextlib.nullcontext():
            ended = cell.command(material[name], *words, timeout=120)
        if unit in TIMED and ended.status in TIMED[unit]:
            found[unit] = "ends"
            continue
        # What is said, without the times that were measured; how many lines, and for signals in which order, varies.
        said = {" ".join(re.sub(r"-?\d+(\.\d+)?", " N ", line).split()) for line in ended.output.splitlines()}
        found[unit] = " | ".join([ended.how, *sorted(said)])
    return found
