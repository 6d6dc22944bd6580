"""sqlite's own speedtest1, which hashes what its queries give, in several ways to keep the data."""

from __future__ import annotations

import os
import re
import shutil

from cell import Cell

SETS = ("main", "cte", "fp", "orm", "rtree", "debug1")
WAYS = {
    "file": "--journal delete",
    "wal": "--journal wal",
    "memory": "--memdb",
    "lookaside": "--lookaside 500 512",
    "page-cache": "--pcache 200 4096",
    "threads": "--serialized",
    "mapped": "--mmap 67108864",
    "without-rowid": "--without-rowid",
}
UNITS = [f"{way}:{name}" for way in WAYS for name in SETS]
SIZE = "5"


def prepare(place) -> dict:
    source = os.path.join(place.source("sqlite3"), "test", "speedtest1.c")
    compiler = shutil.which("cc") or place.skip("no C compiler here")
    if not os.path.exists("/usr/include/sqlite3.h"):
        place.packages("libsqlite3-dev")
    include = os.path.join(place.root, "usr/include")
    library = next((path for path in ("/usr/lib/x86_64-linux-gnu/libsqlite3.so.0",
                                      *(os.path.join(folder, "libsqlite3.so.0")
                                        for folder in place.library_path().split(":"))) if os.path.exists(path)),
                   None) or place.skip("no libsqlite3.so.0 here")
    return {"program": place.build("speedtest1", compiler, "-O1", "-w", "-DSQLITE_ENABLE_RTREE",
                                   f"-I{include}", source, library)}


def run(cell: Cell, material: dict, units: list) -> dict:
    found = {}
    for unit in units:
        way, name = unit.split(":")
        # Options that sqlite refuses make a run that ends at once; that is compared too.
        ended = cell.command(material["program"], "--verify", "--nosync", "--size", SIZE, *WAYS[way].split(),
                             "--testset", name, *([] if way == "memory" else ["test.db"]),
                             cwd=cell.make_directory("work"))
        # Each test by its line, without the time it took; the hash of all results is one of them.
        said = [re.sub(r"\.*\s+\d+\.\d+s", "", line).strip() for line in ended.output.splitlines()]
        found[unit] = ended.how
        for number, line in enumerate(said):
            found[f"{unit}/{number}"] = line
    return found
