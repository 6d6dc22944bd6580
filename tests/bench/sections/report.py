"""What a report costs in a process with many mappings; the exec that fails, and so has one made, is row `none`."""

from configurations import Configuration

TITLE = "a report"

_FILE = {"AUTOLOCK_STATS": "json", "AUTOLOCK_STATS_FILE": "{scratch}/report.json"}

ALSO = (
    Configuration("observe", ("autolock",), {"AUTOLOCK_MODE": "observe", **_FILE}),
    Configuration("all", ("autolock",), {"AUTOLOCK_MODE": "all", **_FILE}),
    Configuration("alloc", ("autolock",), {"AUTOLOCK_MODE": "alloc", **_FILE}),
    # Of the mappings every other one.
    Configuration("alloc 32K", ("autolock",), {"AUTOLOCK_MODE": "alloc", "AUTOLOCK_MIN_SIZE": "32K", **_FILE}),
    Configuration("alloc heap", ("autolock",), {"AUTOLOCK_MODE": "alloc", "AUTOLOCK_KINDS": "heap", **_FILE}),
)


def configurations(bench):
    return [row for row in bench.configurations if row.name == "none"] + bench.prepare(ALSO)


def cases(bench):
    counts = (10, 1000) if bench.quick else (10, 1000, 10000)
    return [
        *(bench.program(f"report, {count} mappings", "report", str(count)) for count in counts),
        bench.program("report, 1000, half unlocked", "report", "1000", "munlock"),
    ]
