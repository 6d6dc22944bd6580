"""What malloc and free cost in programs that know nothing of the library."""

TITLE = "malloc patterns, per operation"


def cases(bench):
    return [
        *(bench.program(f"pair {size}", "pair", str(size)) for size in (16, 64, 256, 1024)),
        *(bench.program(f"pair {size >> 10}K touched", "pair", str(size), "touch")
          for size in (64 << 10, 256 << 10, 1 << 20)),
        bench.program("churn 20,000 live", "churn", "20000"),
        bench.program("handoff, 2 threads", "handoff", "2"),
        bench.program("grow to 1M", "grow", str(1 << 20)),
    ]
