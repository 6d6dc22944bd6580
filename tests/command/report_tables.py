"""autolock report: the table, at any width, in any order."""

import copy
import json
import os
import subprocess

from command import autolock, path
from harness import directory
from report_files import reports_of, write
from terminal import Terminal

COLUMNS = ("pid", "program", "mode", "locked", "unlocked", "resident", "swap", "majflt", "minflt", "failures",
           "downgrades", "ended")


def some(count: int = 3) -> list:
    """Processes that differ in everything."""
    first = reports_of("true")[0]
    reports = []
    for number in range(count):
        report = copy.deepcopy(first)
        report["pid"] = 1000 - number
        report["program"] = "cab"[number % 3] * (number + 1)
        report["memory"].update(locked_bytes=[5, 7, 6][number % 3] << 20, rss_bytes=number << 30, swap_bytes=number,
                                unlocked_resident_bytes=[2, 1, 3][number % 3] << 10)
        report["faults"].update(major_after_lock=number, minor_after_lock=-number % 3 * 1000)
        report["failures"]["EPERM"] = number
        report["ended"] = ("exit", "killed", "abort")[number % 3]
        reports.append(report)
    return reports


def cells(text: str) -> list:
    """Rows of cells, which stand two blanks apart."""
    return [[cell for cell in line.split("  ") if cell] for line in text.splitlines()]


def width_of(line: str) -> int:
    """Of characters that are one column wide, or two."""
    return sum(2 if "\u1100" <= character <= "\u115f" or "\u2e80" <= character <= "\ua4cf" else 1 for character in line)


def test_numbers() -> None:
    with directory() as folder:
        rows = cells(autolock("report", write(folder / "all", some())).expect(0, err=b"").out.decode())
        assert tuple(cell.strip() for cell in rows[0]) == COLUMNS, rows
        assert [cell.strip() for cell in rows[3]] == ["998", "bbb", "all", "6.0 MiB", "3.0 KiB", "2.0 GiB", "2 B", "2",
                                                      "1,000", "2", "0", "abort"], rows
        assert [cell.strip() for cell in rows[4]] == ["total", "18.0 MiB", "6.0 KiB", "3.0 GiB", "3 B", "3", "3,000", "3",
                                                      "0"], rows
        totals = json.loads(autolock("report", "--format", "json", str(folder / "all")).out)["totals"]
        assert totals == {"processes": 3, "locked": 18 << 20, "unlocked": 6 << 10, "resident": 3 << 30, "swap": 3,
                          "majflt": 3, "minflt": 3000, "failures": 3, "downgrades": 0}, totals


def test_what_is_not_known() -> None:
    """A report of another version may lack a number, and have others."""
    report = some()[0]
    del report["memory"]["swap_bytes"]
    report["memory"]["novel_bytes"] = 3
    report["novel"] = [{}]
    with directory() as folder:
        rows = cells(autolock("report", write(folder / "all", [report])).expect(0, err=b"").out.decode())
        assert len(rows) == 2 and rows[1][COLUMNS.index("swap")].strip() == "-", rows


def test_each_order() -> None:
    reports = some()
    keys = {
        "start": [1000, 999, 998], "pid": [998, 999, 1000], "program": [999, 998, 1000], "mode": [1000, 999, 998],
        "locked": [999, 998, 1000], "unlocked": [998, 1000, 999], "resident": [998, 999, 1000], "swap": [998, 999, 1000],
        "majflt": [998, 999, 1000], "minflt": [999, 998, 1000], "failures": [998, 999, 1000],
        "downgrades": [1000, 999, 998], "ended": [998, 1000, 999],
    }
    helped = autolock("report", "--sort", "?", "x").err.decode()
    assert helped.split("one of ")[1].strip().split(", ") == ["start", *COLUMNS] and set(keys) == {"start", *COLUMNS}
    with directory() as folder:
        name = write(folder / "all", reports)
        for key, order in keys.items():
            answer = json.loads(autolock("report", "--format", "json", "--sort", key, name).expect(0, err=b"").out)
            assert [report["pid"] for report in answer["processes"]] == order, key


def test_any_width() -> None:
    """A table that does not fit loses columns, and names their ends, but no line is broken."""
    reports = some()
    reports[0]["program"] = "プログラム" * 6
    reports[1]["program"] = "naïve-prögräm-çalled-ünusually"
    reports[2]["program"] = "e\u0301" * 30
    with directory() as folder:
        name = write(folder / "all", reports)
        last = 0
        for width in (*range(8, 60), 80, 100, 200):
            done = autolock("report", name, env={**os.environ, "COLUMNS": str(width)}).expect(0, err=b"")
            lines = done.out.decode().splitlines()
            assert len(lines) == 5 and "\ufffd" not in done.out.decode(), done
            for line in lines:
                wide = width_of(line.replace("\u0301", ""))
                assert wide <= width and line == line.rstrip(), (width, wide, line)
            columns = len(lines[0].split())
            # From there on they stand two blanks apart.
            last = 0 if width == 40 else last
            assert columns >= last, (width, lines)
            last = columns
        assert last == len(COLUMNS)


def test_twenty_columns() -> None:
    with directory() as folder:
        name = write(folder / "all", some())
        done = autolock("report", name, env={**os.environ, "COLUMNS": "20"}).expect(0, err=b"")
        assert [line.split()[0] for line in done.out.decode().splitlines()] == ["pid", "1000", "999", "998", "total"], done
        assert "locked" in done.out.decode().splitlines()[0], done


def test_the_terminal_tells_its_width() -> None:
    with directory() as folder:
        name = write(folder / "all", some())
        with Terminal("sh", "-c", f"stty cols 33; exec {path()} report {name}") as terminal:
            assert terminal.end() == 0
            text = terminal.written.decode().replace("\r\n", "\n")
        assert text.count("\n") == 5 and max(map(len, text.splitlines())) <= 33, text
        assert "locked" in text and "minflt" not in text, text


def test_names_are_harmless() -> None:
    report = some()[0]
    report["program"] = "a\x1b[31mb\u202ec\nd\x7f"
    with directory() as folder:
        done = autolock("report", write(folder / "all", [report])).expect(0, err=b"")
        lines = done.out.decode().splitlines()
        assert len(lines) == 2 and "a\ufffd[31mb\ufffdc\ufffdd\ufffd" in lines[1], done


def test_many() -> None:
    """Some thousand processes take no time to speak of: the kernel's word on what the command used."""
    reports = some(3) * 2000
    for number, report in enumerate(reports):
        reports[number] = {**report, "pid": number // 2 + 1}
    with directory() as folder:
        name = write(folder / "all", reports)
        done = subprocess.run([path(), "report", name], capture_output=True, check=True)
        assert done.stdout.count(b"\n") > 3000 and done.stdout.splitlines()[-1].split()[0] == b"total"
