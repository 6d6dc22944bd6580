"""What a program pays that does nothing: from its start to its end, with the report, and the two ways apart."""

import shutil

from configurations import BARE, REFERENCE, Configuration, clean_environment
from measure import Case, number, numbers

TITLE = "start and end"

ALSO = (
    Configuration("all, JSON file", ("autolock",),
                  {"AUTOLOCK_STATS": "json", "AUTOLOCK_STATS_FILE": "{scratch}/startup.json"}),
    Configuration("all, no report", ("autolock",), {"AUTOLOCK_STATS": "off"}),
)
_YARDSTICKS = (BARE, "empty", REFERENCE)


def configurations(bench):
    return bench.configurations + bench.rows(REFERENCE) + bench.prepare(ALSO)


def cases(bench):
    true = shutil.which("true") or "/bin/true"

    def argv(configuration, pattern: str, amount: int, program: str) -> list:
        # Only the children have the library; the report as text goes into a pipe.
        variables = [f"{name}={value}" for name, value in configuration.variables.items()]
        return [bench.path(pattern), str(amount), *variables, program]

    def whole(configuration, amount: int) -> dict:
        return {"time": number(argv(configuration, "spawn", amount, true), clean_environment()) / 1000}

    def stages(configuration, amount: int) -> dict:
        command = argv(configuration, "stages", amount, bench.path("stamps"))
        to_main, to_gone = numbers(command, clean_environment(), 2)
        return {"time": (to_main + to_gone) / 1000, "to main us": to_main / 1000, "to gone us": to_gone / 1000}

    return [
        Case("true", whole, "us", yardsticks=_YARDSTICKS),
        Case("exec to main, exit to gone", stages, "us", yardsticks=_YARDSTICKS),
    ]
