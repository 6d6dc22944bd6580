#!/usr/bin/env python3
"""Runs one test_… function of a module of this folder with a machine of containers."""

from __future__ import annotations

import argparse
import importlib
import sys

from container import GIVEN_UP, Skip, machine


def parser_of(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", required=True, help="path of libautolock.so")
    parser.add_argument("--command", required=True, help="path of autolock")
    parser.add_argument("--tools", required=True, help="where the programs of this folder are")
    return parser


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("test", help="module.function")
    arguments = parser.parse_args()
    module, function = arguments.test.split(".")
    try:
        with machine(arguments) as made:
            getattr(importlib.import_module(module), function)(made)
    except Skip as reason:
        print(f"skipped: {reason}")
        return GIVEN_UP
    return 0


if __name__ == "__main__":
    sys.exit(main())
