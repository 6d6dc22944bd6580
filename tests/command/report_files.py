"""autolock report: what it reads, and what it does not take for a report."""

import json
import os
import pathlib
import resource
import subprocess

import harness
from command import autolock, for_everybody, held, path, wait_for
from harness import NOBODY, directory, need_root

QUIET = ("run", "--stats", "off", "--on-failure", "ignore")


def reports_of(*command: str) -> list:
    """Real ones, of a program and its children."""
    with directory() as folder:
        autolock(*QUIET, "--json", str(folder / "all"), "--", *command).expect(0, err=b"")
        return [json.loads(line) for line in (folder / "all").read_text().splitlines()]


def write(file: pathlib.Path, reports: list) -> str:
    file.write_text("".join(json.dumps(report) + "\n" for report in reports))
    return str(file)


def shown(*arguments: str, status: int = 0, **more) -> list:
    """The reports that are shown, by the answer in JSON."""
    answer = json.loads(autolock("report", "--format", "json", *arguments, **more).expect(status).out)
    assert answer["schema"] == "autolock-reports/1" and answer["totals"]["processes"] == len(answer["processes"])
    return answer["processes"]


def wrong(*arguments: str) -> list:
    """The lines of a call of which nothing comes but complaints."""
    lines = autolock("report", *arguments).expect(65, b"").err.decode().splitlines()
    assert lines and all(line.startswith("autolock report: ") for line in lines), lines
    return [line.removeprefix("autolock report: ") for line in lines]


def test_reports_are_shown_as_they_are() -> None:
    reports = reports_of("sh", "-c", "ls / >/dev/null; :")
    assert len(reports) >= 2
    with directory() as folder:
        name = write(folder / "all", reports)
        assert shown(name) == reports
        with open(name, "rb") as file:
            done = subprocess.run([path(), "report", "--format", "json", "-"], stdin=file, capture_output=True, check=True)
        assert json.loads(done.stdout)["processes"] == reports
        # Of several files, one of them a pipe; blank lines are none.
        (folder / "first").write_text("\n" + json.dumps(reports[0]) + "\n \n")
        done = subprocess.run(["sh", "-c", f"cat {write(folder / 'rest', reports[1:])} | {path()} report --format json "
                               f"{folder / 'first'} /dev/fd/0"], capture_output=True, check=True)
        assert json.loads(done.stdout)["processes"] == reports


def test_live_files() -> None:
    """Of a process that runs and of one that has ended, what these say of themselves."""
    with directory() as folder:
        live, stats = folder / "live", folder / "stats"
        live.mkdir()
        harness.run("true", LIVE_DIR=str(live), STATS="json", STATS_FILE=str(stats), ON_FAILURE="ignore").expect(0)
        ended = json.loads(stats.read_text())
        file = next(live.iterdir())
        assert shown(str(file)) == [ended]
        link = folder / "link"
        link.symlink_to(file)
        assert shown(str(link)) == [ended]
        with held(LIVE_DIR=str(live), ON_FAILURE="ignore") as process:
            runs = next(name for name in live.iterdir() if name != file)
            processes = {report["pid"]: report for report in shown(str(file), str(runs))}
            assert processes[process.pid]["ended"] == "running" and processes[ended["pid"]] == ended
        wait_for("its end", lambda: shown(str(runs))[0]["ended"] == "killed")
        # The same process twice, live and as it has reported itself.
        assert shown(str(stats), str(file)) == shown(str(file), str(stats)) == [ended]


def test_the_later_one_holds() -> None:
    report = reports_of("true")[0]
    earlier = {**report, "ended": "running", "faults": {**report["faults"], "minor": 1}}
    killed = {**report, "ended": "killed"}
    again = {**report, "faults": {**report["faults"], "minor": 2}}
    other = {**report, "program": "other", "command": "other"}
    with directory() as folder:
        def of(*reports: dict) -> list:
            return shown(write(folder / "reports", list(reports)))

        assert of(earlier, report) == [report]
        assert of(report, earlier) == [report], "what was made while it ran is not later than its end"
        assert of(report, killed) == [report]
        assert of(report, again) == [again]
        assert of(report, other, again) == [other, again]
        assert of({**report, "pid": 1}, report) == [{**report, "pid": 1}, report]


def test_what_is_not_a_report() -> None:
    report = reports_of("true")[0]
    good = json.dumps(report).encode()
    faults = {**report["faults"], "major": "none"}
    cases = (
        (b"", "not a report: it is empty"),
        (b"\n \n", "not a report: it is empty"),
        (b"hello\n", "1: not a report: "),
        (b"{}\n", "1: not a report: it has not the schema autolock/1"),
        (b"[]\n", "1: not a report: it is no object"),
        (b"3\n", "1: not a report: "),
        (b'{"schema": "autolock/2"}\n', "1: not a report: it has another schema than autolock/1"),
        (b'{"schema": "autolock/1"}\n', '1: not a report: its "pid" is no process'),
        (json.dumps({**report, "pid": -1}).encode(), '1: not a report: its "pid" is no process'),
        (json.dumps({**report, "program": 3}).encode(), '1: not a report: its "program" is no text'),
        (json.dumps({**report, "faults": 3}).encode(), '1: not a report: its "faults" is no object'),
        (json.dumps({**report, "faults": faults}).encode(), '1: not a report: its "faults.major" is no number'),
        (good[:1000], "1: not a report: "),
        (good + good, "1: not a report: "),
        (good.replace(b'"pid"', b'"pid": 1, "pid"', 1), "1: not a report: duplicate object key"),
        (good.replace(b'"true"', b'"tr\xffue"'), "1: not a report: "),
        (good.replace(b'"true"', b'"tr\\u0000ue"'), "1: not a report: "),
        (good.replace(str(report["pid"]).encode(), b"9" * 30), "1: not a report: "),
        (b"[" * 100000 + b"\n", "1: not a report: "),
        (b"\x1b[31mred\x1b[0m\n", "1: not a report: "),
        (b"<!DOCTYPE html><p>hello", "not a report: it has no data of reports in it"),
        (b"autolock" + bytes(100000), "not a report: a file of counters that is truncated"),
    )
    with directory() as folder:
        for content, said in cases:
            file = folder / "file"
            file.write_bytes(content)
            lines = wrong(str(file))
            assert len(lines) == 1 and lines[0].removeprefix(f"{file}:").lstrip().startswith(said), (content[:100], lines)
            assert lines[0].isprintable(), lines
            if content.isspace() or not content:
                continue
            # What is good beside it is shown.
            file.write_bytes(content if content[:8] == b"autolock" or content[:1] == b"<" else b"\n" + content + b"\n" + good)
            assert shown(str(file), write(folder / "good", [report]), status=65) == [report]


def test_many_wrong_lines() -> None:
    with directory() as folder:
        (folder / "text").write_text("word\n" * 1000)
        lines = wrong(str(folder / "text"))
        assert len(lines) == 4 and lines[3] == f"{folder / 'text'}: 997 more lines are not reports", lines


def test_an_endless_line() -> None:
    """100 MB without a newline take no memory."""
    report = reports_of("true")[0]
    with directory() as folder:
        file = folder / "long"
        with open(file, "wb") as out:
            for _ in range(100):
                out.write(b"x" * 1000000)
            out.write(b"\n" + json.dumps(report).encode() + b"\n")

        def bounded() -> None:
            resource.setrlimit(resource.RLIMIT_AS, (64 << 20, 64 << 20))

        done = autolock("report", str(file), preexec_fn=bounded).expect(65)
        assert done.err == f"autolock report: {file}:1: not a report: it is longer than any report\n".encode(), done
        assert f"{report['pid']}  true " in done.out.decode(), done


def test_what_cannot_be_read() -> None:
    with directory() as folder:
        missing = folder / "missing"
        assert wrong(str(missing)) == [f"{missing}: No such file or directory"]
        assert wrong(str(folder)) == [f"{folder}: Is a directory"]
        live = folder / "live"
        live.mkdir()
        harness.run("true", LIVE_DIR=str(live), STATS="off", ON_FAILURE="ignore").expect(0)
        file = next(live.iterdir())
        whole = file.read_bytes()
        for length in (8, 100, 4096, len(whole) // 2):
            file.write_bytes(whole[:length])
            lines = wrong(str(file))
            assert len(lines) == 1 and lines[0].startswith(f"{file}: not a report: a file of counters that is truncated"), lines
        done = subprocess.run([path(), "report", "-"], input=whole, capture_output=True, check=False)
        assert done.returncode == 65 and b"standard input: a file of counters is read by its name" in done.stderr, done


def test_what_may_not_be_read() -> None:
    need_root()
    with for_everybody() as (folder, command, _):
        file = folder / "secret"
        file.write_text("{}")
        file.chmod(0o600)
        done = subprocess.run([command, "report", str(file)], capture_output=True, check=False, user=NOBODY, group=NOBODY,
                              extra_groups=[])
        assert done.returncode == 65 and done.stderr == f"autolock report: {file}: Permission denied\n".encode(), done


def test_what_cannot_be_written() -> None:
    with directory() as folder:
        name = write(folder / "all", reports_of("true"))
        for options in (), ("--format", "json"):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([path(), "report", *options, name], stdout=full, check=False)
            assert done.returncode == 1
        done = autolock("report", "--html", "/dev/full", name).expect(1, b"")
        assert done.err == b"autolock report: --html /dev/full: No space left on device\n", done
        page = folder / "page.html"
        page.write_text("as it was")

        def no_room() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

        done = autolock("report", "--html", str(page), name, preexec_fn=no_room).expect(1, b"")
        assert done.err == f"autolock report: --html {page}: File too large\n".encode(), done
        assert page.read_text() == "as it was"
        assert sorted(os.listdir(folder)) == ["all", "page.html"]


def test_called_wrongly() -> None:
    for arguments in ((), ("--sort",), ("--sort", "size", "x"), ("--format", "xml", "x"), ("--html",)):
        done = autolock("report", *arguments).expect(64, b"")
        assert done.err.count(b"\n") == 1, done
    done = autolock("report", "--sort", "size", "x")
    assert b"it is one of start, pid, program, mode, locked, unlocked, " in done.err, done
