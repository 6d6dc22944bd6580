"""xz -T2: compress 6 MB in two threads and in blocks, decompress, compare."""

import random

from support import need


def run(stage):
    xz = need("xz")
    dice = random.Random(2)
    words = [bytes(dice.choices(b"abcdefghij", k=dice.randrange(2, 9))) for _ in range(3000)]
    content = b" ".join(dice.choices(words, k=900_000))[: 6 << 20]
    stage.write("text", content)
    stage.command(xz, "-T2", "-1", "--block-size=1MiB", "-k", "text")
    stage.produced("text.xz")
    stage.command(xz, "-T2", "-dc", "text.xz")
    stage.command(xz, "-T2", "-dk", "-S", ".xz", "--force", "text.xz")
    stage.check(stage.read("text") == content, "the text is not what was compressed")
    stage.command(xz, "-l", "--robot", "text.xz")
    stage.command(xz, "-t", "text", status=1)
