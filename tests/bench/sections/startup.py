"""What a program pays that does nothing: from its start to its end, with the report."""

import shutil

from configurations import Configuration, clean_environment
from measure import Case, number

TITLE = "a run of true"

ALSO = (
    Configuration("all, JSON file", ("autolock",),
                  {"AUTOLOCK_STATS": "json", "AUTOLOCK_STATS_FILE": "{scratch}/startup.json"}),
    Configuration("all, no report", ("autolock",), {"AUTOLOCK_STATS": "off"}),
)


def configurations(bench):
    return bench.configurations + bench.prepare(ALSO)


def cases(bench):
    true = shutil.which("true") or "/bin/true"

    def measure(configuration, amount: int) -> dict:
        variables = [f"{name}={value}" for name, value in configuration.variables.items()]
        # Only the children have the library; the report as text goes into a pipe.
        argv = [bench.path("spawn"), str(amount), *variables, true]
        return {"time": number(argv, clean_environment()) / 1000}

    return [Case("true", measure, "us")]
