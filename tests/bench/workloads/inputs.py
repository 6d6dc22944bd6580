"""What the real programs work on: made here, the same in every run."""

from __future__ import annotations

import random

_WORDS = ("memory page lock fault swap resident mapping thread arena heap stack kernel limit budget report counter "
          "signal child parent loader symbol table region").split()


def text(size: int) -> bytes:
    """Words and numbers: about as compressible as a log."""
    numbers = random.Random(1)
    lines = []
    length = 0
    while length < size:
        line = " ".join(numbers.choice(_WORDS) for _ in range(8)) + f" {numbers.randrange(1 << 32):x}\n"
        lines.append(line)
        length += len(line)
    return "".join(lines).encode()[:size]


def c_source(functions: int) -> str:
    """Functions with loops, branches and calls of each other."""
    parts = ["unsigned long f0(unsigned long *a, unsigned n) { return a[n % 8]; }\n"]
    for i in range(1, functions):
        parts.append(
            f"unsigned long f{i}(unsigned long *a, unsigned n)\n{{\n"
            f"    unsigned long sum = {i * 2654435761 % 4093};\n"
            f"    for (unsigned i = 0; i < n; i++) {{\n"
            f"        switch ((a[i % 8] ^ sum) % 5) {{\n"
            f"        case 0: sum += a[i % 8] * {i}; break;\n"
            f"        case 1: sum ^= sum << {i % 13 + 1}; break;\n"
            f"        case 2: a[i % 8] -= sum / {i % 7 + 2}; break;\n"
            f"        default: sum += f{i // 2}(a, n / 2);\n"
            f"        }}\n    }}\n    return sum;\n}}\n")
    return "".join(parts)


def sql(rows: int) -> str:
    """Rows are inserted, indexed, changed and asked for. The disk is not waited for: that is not what is measured."""
    return f"""
PRAGMA synchronous = OFF;
PRAGMA journal_mode = MEMORY;
CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price INTEGER, note TEXT);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
  INSERT INTO item SELECT i, 'item ' || (i * 7919 % 20011), i * i % 9973, hex(zeroblob(i % 50)) FROM n;
COMMIT;
CREATE INDEX item_price ON item (price, name);
SELECT count(*), sum(price), min(name), max(name), sum(length(note)) FROM item;
SELECT price / 1000 AS band, count(*), avg(price) FROM item GROUP BY band ORDER BY band;
SELECT count(*) FROM item a JOIN item b ON a.price = b.price AND a.id < b.id WHERE a.id < {rows // 20};
SELECT count(*) FROM item WHERE note LIKE '%00000000000000000000%' AND name LIKE '%9%';
UPDATE item SET note = note || name WHERE id % 3 = 0;
DELETE FROM item WHERE id % 5 = 0;
SELECT name, count(*) FROM item GROUP BY name ORDER BY 2 DESC, 1 LIMIT 10;
"""
