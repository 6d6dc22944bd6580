"""sort: a numeric and a stable textual sort of 200,000 lines, in two threads and through temporary files."""

import random

from support import need


def run(stage):
    sort = need("sort")
    dice = random.Random(1)
    stage.write("lines", "".join(f"{dice.randrange(10**6)} word{dice.randrange(500)}\n" for _ in range(200_000)))
    stage.command(sort, "-n", "lines")
    stage.command(sort, "--parallel=2", "-S", "2M", "-k2,2", "-s", "-o", "sorted", "lines")
    stage.produced("sorted")
    stage.command(sort, "-c", "lines", status=1)
    stage.command(sort, "no-such-file", status=2)
