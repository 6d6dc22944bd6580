"""Programs in Python, in the way of pyperformance: python_work.py NAME LOOPS."""

import json
import re
import sys


def floats(loops: int) -> object:
    """Five bodies that pull at each other."""
    bodies = [[float(i), 0.5 * i, 0.0, 0.0, 1.0 / (i + 1)] for i in range(5)]
    for _ in range(loops * 1500):
        for i, one in enumerate(bodies):
            for other in bodies[i + 1:]:
                dx, dy = one[0] - other[0], one[1] - other[1]
                pull = 0.001 / ((dx * dx + dy * dy + 0.01) ** 1.5)
                one[2] -= dx * other[4] * pull
                one[3] -= dy * other[4] * pull
                other[2] += dx * one[4] * pull
                other[3] += dy * one[4] * pull
        for body in bodies:
            body[0] += 0.001 * body[2]
            body[1] += 0.001 * body[3]
    return bodies[0][0]


class Node:
    def __init__(self, depth: int):
        self.children = [Node(depth - 1), Node(depth - 1)] if depth else []

    def count(self) -> int:
        return 1 + sum(child.count() for child in self.children)


def objects(loops: int) -> object:
    """Trees of objects that are made and forgotten."""
    kept = Node(13)
    return sum(Node(10).count() for _ in range(loops * 4)) + kept.count()


def documents(loops: int) -> object:
    """JSON, there and back."""
    document = {f"key {i}": {"list": list(range(i % 30)), "text": "text " * (i % 20), "number": i / 7}
                for i in range(2000)}
    length = 0
    for _ in range(loops):
        text = json.dumps(document)
        document = json.loads(text)
        length += len(text)
    return length


def words(loops: int) -> object:
    """Regular expressions, strings, and a table of words."""
    text = " ".join(f"word{i * 7919 % 1009} {i}" for i in range(8000))
    table = {}
    for _ in range(loops):
        for word in re.findall(r"[a-z]+(\d+)", text):
            table[word] = table.get(word, 0) + 1
        text = text.replace("word1", "word2").upper().lower()
    return len(table)


if __name__ == "__main__":
    WORK = {work.__name__: work for work in (floats, objects, documents, words)}
    print(WORK[sys.argv[1]](int(sys.argv[2])))
