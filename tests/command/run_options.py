"""autolock run: each option of the library's table, by the report of the program."""

import json
import os
import re

import harness
from command import autolock, own
from harness import directory

# A value that is not the default, for each; what the report has for it.
VALUES = {
    "mode": ("alloc", "alloc"), "flags": ("current", ["current"]), "kinds": ("heap,stack", ["heap", "stack"]),
    "min-size": ("64K", 65536), "max-size": ("2G", 2 << 30), "budget": ("1G", "1G"), "on-failure": ("ignore", "ignore"),
    "programs": ("state", "state"), "fork": ("relock", "relock"), "heap-reserve": ("1M", 1 << 20),
    "stack-reserve": ("64K", 65536), "thread-stack": ("1M", 1 << 20), "arenas": ("2", 2), "hugepages": ("yes", 1),
    "populate-threads": ("2", 2), "stats": ("json", "json"), "log": ("error", "error"),
}


def _report(folder, *options: str, env: dict | None = None) -> dict:
    file = folder / "report"
    if file.exists():
        file.unlink()
    done = autolock("run", "--on-failure", "ignore", "--stats", "json", "--stats-file", str(file), *options, "--",
                    own("state"), env=env).expect(23, err=b"")
    report = json.loads(file.read_text())
    report["variables"] = dict(line.split(b" ", 1)[1].split(b"=", 1) for line in done.out.splitlines()
                               if line.startswith(b"variable "))
    return report


def _table() -> list:
    """As the library knows them, by what it says of a name that nobody would mean."""
    problem = harness.run("true", preload=harness.library, also={"AUTOLOCK_QQQQQQQQQQQQ": "1"}, STATS="off").err
    known = re.search(rb"known are (.*)", problem)
    assert known, problem
    return [name.lower().replace("_", "-") for name in known.group(1).decode().split(", ")]


def test_each_of_the_table() -> None:
    table = _table()
    helped = autolock("run", "--help").expect(0).out.decode()
    with directory() as folder:
        values = {**VALUES, "stats-file": (str(folder / "report"), str(folder / "report")),
                  "live-dir": (str(folder), str(folder))}
        assert set(table) == set(values), "an option has no value here"
        for option, (value, reported) in values.items():
            assert f"--{option} " in helped, option
            report = _report(folder, f"--{option}", value)
            name = option.replace("-", "_")
            assert report["config"][name] == reported, (option, report["config"][name])
            assert report["variables"][f"AUTOLOCK_{name.upper()}".encode()] == value.encode(), option
            done = autolock("run", f"--{option}", "\1" * 5000, "--", "true")
            # Of bytes that are no path or list there are none that short.
            assert done.status == 78, done


def test_goes_before_the_environment() -> None:
    with directory() as folder:
        env = {**os.environ, "AUTOLOCK_MODE": "off", "AUTOLOCK_FORK": "none", "AUTOLOCK_LOG": "nonsense"}
        report = _report(folder, "--mode", "observe", "--log=quiet", env=env)
        assert report["mode"] == "observe" and report["config"]["fork"] == "none", report
        # The last one counts, and nothing is the default.
        report = _report(folder, "--mode", "alloc", "--mode", "observe", "--fork", "", env={**env, "AUTOLOCK_LOG": ""})
        assert report["mode"] == "observe" and report["config"]["fork"] == "onfault", report
