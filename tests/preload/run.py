"""Runs one test of this folder: run.py LIBRARY PROGRAMS MODULE.test_NAME"""

import importlib
import pathlib
import sys

import harness


def main() -> int:
    library, programs, test = sys.argv[1:]
    harness.library = library
    harness.programs = pathlib.Path(programs)
    module, function = test.split(".")
    try:
        getattr(importlib.import_module(module), function)()
    except harness.Skip as reason:
        print(f"skipped: {reason}")
        return harness.SKIP
    return 0


if __name__ == "__main__":
    sys.exit(main())
