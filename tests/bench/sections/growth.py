"""What an operation costs as a program grows: live blocks of 16 to 80 bytes, and threads that free each other's."""

TITLE = "growth, per operation"

_COMPARED = ("none", "all", "alloc")


def configurations(bench):
    return [configuration for configuration in bench.configurations if configuration.name in _COMPARED]


def cases(bench):
    return [
        *(bench.program(f"churn 10^{exponent} live", "churn", str(10 ** exponent), "80") for exponent in (3, 4, 5, 6, 7)),
        *(bench.program(f"handoff, {threads} thread{'s' if threads > 1 else ''}", "handoff", str(threads))
          for threads in (1, 2, 4)),
    ]
