"""autolock run --report, and report --html: what stands in the page."""

import json
import os
import pathlib
import signal
import subprocess

import harness
import page_text
from command import autolock, own, path
from harness import Skip, directory, need_privilege
from page_text import figures_are_of
from report_files import reports_of, write

RUN = ("run", "--stats", "off", "--on-failure", "ignore")


def page_of(*options: str, command: tuple = ("sleep", "0.3"), status: int = 0) -> page_text.Page:
    with directory() as folder:
        page = folder / "page.html"
        autolock(*RUN, "--report", str(page), *options, "--", *command).expect(status)
        assert os.listdir(folder) == ["page.html"]
        return page_text.read(page)


def test_key_figures_are_those_of_the_report() -> None:
    """And those are the figures that --json has."""
    with directory() as folder:
        page, reports = folder / "page.html", folder / "reports"
        autolock(*RUN, "--mode", "alloc", "--report", str(page), "--json", str(reports), "--", "sh", "-c",
                 "ls / >/dev/null; sleep 0.3").expect(0)
        page = page_text.read(page)
        lines = [json.loads(line) for line in reports.read_text().splitlines()]
        assert [process["report"] for process in page.runs[0]["processes"]] == lines
        assert page.report() == lines[-1] or page.report()["program"] == "sh"
        assert figures_are_of(page) >= 18, page.figures
        assert "sh -c ls / >/dev/null; sleep 0.3" in page.text


def test_what_came_out() -> None:
    need_privilege()
    page = page_of()
    assert "All that was in memory was locked in the end; no major fault after the lock" in page.text, page.text[:2000]
    assert "Ended with status 0." in page.text
    page = page_of("--expect", "swap=0,locked=1", command=("sleep", "0.3"), status=86)
    assert "1 of 2 expectations failed: locked=1" in page.text and "swap=0 0 (0 B) ok" in page.text, page.text[:2000]
    assert [row["holds"] for row in page.runs[0]["expectations"]] == [True, False]
    page = page_of("--expect", "swap=0,locked>1", "--warmup", "100ms")
    assert "All 2 expectations hold" in page.text and "counted after a warm-up of 100.0 ms" in page.text, page.text[:2000]
    page = page_of("--mode", "observe")
    assert "it was only observed" in page.text and "In mode observe nothing is locked." in page.text, page.text[:2000]
    page = page_of("--budget", "1M", "--flags", "future")
    assert "Without the flag current, what is there at the start is not locked." in page.text, page.text[:2000]
    page = page_of(command=("sh", "-c", "sleep 0.2; kill -9 $$"), status=137)
    assert "Ended with signal 9." in page.text and "what was locked in the end is not known" in page.text, page.text[:2000]


def test_without_the_library() -> None:
    """Mode off is the run to compare with: it has what the kernel says."""
    page = page_of("--mode", "off", command=("sh", "-c", "sleep 0.3; exit 0"))
    run = page.runs[0]
    assert run["processes"] == [] and run["mode"] == "off" and run["kernel"]["minor"] > 50, run
    assert "Nothing was locked: the library was off" in page.text and "The library was off." in page.text, page.text[:2000]
    assert figures_are_of(page) >= 7
    samples = run["timeline"]["samples"]
    mappings = run["mappings"]
    assert all(kind["locked_bytes"] == 0 < kind["unlocked_bytes"] == kind["resident_bytes"]
               for kind in mappings["kinds"].values() if kind["resident_bytes"]), mappings
    assert mappings["unlocked"][0]["resident_bytes"] >= mappings["unlocked"][-1]["resident_bytes"] > 0, mappings
    assert any("libc.so" in mapping["name"] for mapping in mappings["unlocked"]), mappings
    assert page_text.shown("x_bytes", mappings["unlocked"][0]["resident_bytes"]) in page.text
    assert len(samples) >= 2 and samples[-1][2] > 100000 and all(sample[1] == 0 for sample in samples), samples


def test_the_timeline_is_the_kernels() -> None:
    """Seen from outside: as much as the program has taken, when it had it."""
    need_privilege()
    page = page_of("--sample-interval", "10ms", command=("sleep", "0.5"))
    samples = page.runs[0]["timeline"]["samples"]
    report = page.report()
    assert 3 <= len(samples) <= 60, len(samples)
    assert [sample[0] for sample in samples] == sorted(sample[0] for sample in samples)
    assert samples[-1][0] <= page.runs[0]["duration_ns"]
    for when, locked, resident, swapped, minor, major in samples[-2:]:
        assert locked == report["memory"]["locked_bytes"] and swapped == 0, (when, locked, report["memory"])
        assert abs(resident - report["memory"]["rss_bytes"]) < 1 << 20
        assert minor <= report["faults"]["minor"] and major <= report["faults"]["major"]
    # All mappings as well, once it was old enough.
    kinds = page.runs[0]["mappings"]["kinds"]
    assert {"image", "stack"} <= set(kinds) and not any(kind["unlocked_bytes"] for kind in kinds.values()), kinds
    resident = sum(kind["resident_bytes"] for kind in kinds.values())
    assert abs(resident - report["memory"]["rss_bytes"]) < 1 << 20 and page.runs[0]["mappings"]["unlocked"] == [], kinds
    assert page.runs[0]["peak"]["locked_bytes"] == max(sample[1] for sample in samples)
    # Memory, major and minor faults, and how long mlockall took if it was called often.
    assert page.pictures >= 3 and "Samples as a table" in page.text


def test_a_program_that_is_over_at_once() -> None:
    page = page_of(command=("true",))
    assert figures_are_of(page) >= 15 and "Ended with status 0." in page.text
    assert page.report()["program"] == "true"


def test_what_is_wrong_is_said_before_anything_runs() -> None:
    with directory() as folder:
        ran = folder / "ran"
        cases = (
            (("--report", str(folder)), "Is a directory"),
            (("--report", str(folder / "no" / "page.html")), "No such file or directory"),
            (("--report", ""), "No such file or directory"),
            (("--report", str(folder / "p"), "--sample-interval", "9ms"), "must be from 10ms to 1s"),
            (("--report", str(folder / "p"), "--sample-interval", "2s"), "must be from 10ms to 1s"),
            (("--report", str(folder / "p"), "--sample-interval", "often"), "must be a time"),
            (("--report", str(folder / "p"), "--live-dir", str(folder)), "--report"),
        )
        for options, said in cases:
            done = autolock(*RUN, *options, "--", "touch", str(ran)).expect(78, b"")
            assert done.err.count(b"\n") == 1 and said in done.err.decode(), done
            assert not ran.exists()
        assert os.listdir(folder) == []


def test_what_cannot_be_written() -> None:
    done = autolock(*RUN, "--report", "/dev/full", "--", "true").expect(1, b"")
    assert done.err == b"autolock run: --report /dev/full: No space left on device\n", done
    # The program's own failure says more.
    autolock(*RUN, "--report", "/dev/full", "--", "sh", "-c", "exit 3").expect(3, b"")


def test_texts_are_escaped() -> None:
    """Whatever a program is called, and whatever it is given."""
    with directory() as folder:
        name = "<img src=x onerror=alert(1)>&\"'"
        evil = folder / name
        evil.symlink_to("/bin/sh")
        page = folder / "page.html"
        process = subprocess.run([os.fsencode(path()), *map(os.fsencode, RUN), b"--report", os.fsencode(page), b"--",
                                  os.fsencode(evil), b"-c", b"sleep 0.2 # \xff</script><!--\x01\x1b]]>&amp;"],
                                 capture_output=True, check=True)
        read = page_text.read(page)
        assert process.stderr == b"" and name in read.text, read.text
        assert "sleep 0.2 # \ufffd</script><!--\ufffd\ufffd]]>&amp;" in read.text, read.text
        assert read.report()["program"] == name and read.runs[0]["program"] == name
        # And put together with itself.
        both = folder / "both.html"
        autolock("report", "--html", str(both), str(page), str(page)).expect(0, b"", b"")
        assert len(page_text.read(both).runs) == 2


def test_several_processes() -> None:
    with directory() as folder:
        page = folder / "page.html"
        autolock(*RUN, "--report", str(page), "--", "sh", "-c", "for i in 1 2 3; do ls / >/dev/null; done").expect(0)
        few = page_text.read(page)
        programs = [process["report"]["program"] for process in few.runs[0]["processes"]]
        assert programs.count("ls") == 3 and few.text.count(" ls, process ") == 3 and "sh, process " in few.text, few.text[:2000]
        # The page says of each what its report does.
        for process in few.runs[0]["processes"]:
            report = process["report"]
            assert f"{report['program']}, process {report['pid']}" in few.text
        autolock(*RUN, "--report", str(page), "--", "sh", "-c", "for i in $(seq 60); do ls / >/dev/null; done").expect(0)
        many = page_text.read(page)
        count = len(many.runs[0]["processes"])
        assert count > 60 and f"A table of all {count}" in many.text and "The first 50 in full" in many.text


def test_how_long_calls_took() -> None:
    """The histogram has as many calls as were counted."""
    page = page_of("--mode", "alloc", command=("sh", "-c", "x=$(seq 20000); sleep 0.1"))
    process = next(process for process in page.runs[0]["processes"] if process["main"])
    for name, calls in process["report"]["syscalls"].items():
        buckets = process["histograms"][name]
        assert sum(bucket[2] for bucket in buckets) == calls["count"], (name, buckets, calls)
        if buckets:
            assert buckets[-1][0] <= calls["max_ns"] and buckets[-1][1] <= calls["max_ns"], (name, buckets, calls)
    assert process["report"]["syscalls"]["mlock2"]["count"] > 0, process["report"]["syscalls"]
    assert "How long locking took" in page.text


def test_options_and_environment() -> None:
    page = page_of("--min-size", "64K", "--mode", "alloc")
    options = {name: (value, given) for name, value, given in page.runs[0]["options"]}
    assert options["min_size"] == ("64K", True) and options["mode"] == ("alloc", True), options
    assert options["fork"] == ("onfault", False), options
    environment = dict(page.runs[0]["environment"])
    assert os.uname().release in environment["kernel"], environment
    total = int(pathlib.Path("/proc/meminfo").read_text().split()[1])
    assert environment["memory"] == page_text.shown("memory_bytes", total * 1024), environment
    for name, value in environment.items():
        assert f"{name} {value}" in page.text, name


def test_side_by_side() -> None:
    """Runs of pages and of files of reports, a column each."""
    with directory() as folder:
        bare, locked, reports = folder / "bare.html", folder / "locked.html", folder / "reports"
        autolock(*RUN, "--mode", "off", "--report", str(bare), "--", "sleep", "0.3").expect(0)
        autolock(*RUN, "--report", str(locked), "--json", str(reports), "--", "sleep", "0.3").expect(0)
        both = folder / "both.html"
        autolock("report", "--html", str(both), str(bare), str(locked), str(reports)).expect(0, b"", b"")
        page = page_text.read(both)
        assert [run["label"] for run in page.runs] == ["sleep, mode off", "sleep, mode all", str(reports)]
        assert page.runs[:2] == [page_text.read(bare).runs[0], page_text.read(locked).runs[0]]
        assert page.report(1) == page.report(2) == json.loads(reports.read_text())
        assert figures_are_of(page) >= 30 and all(len(cells) == 3 for cells in page.figures.values())
        # Once more, and twice the same: told apart by their files.
        again = folder / "again.html"
        autolock("report", "--html", str(again), str(both), str(bare)).expect(0, b"", b"")
        assert [run["label"] for run in page_text.read(again).runs] == [
            "sleep, mode off", "sleep, mode all", str(reports), f"sleep, mode off ({bare})"]
        # Their reports as a table.
        done = autolock("report", "--format", "json", str(locked)).expect(0, err=b"")
        assert json.loads(done.out)["processes"] == [page.report(1)]


def test_live_files_are_one_run() -> None:
    with directory() as folder:
        live = folder / "live"
        live.mkdir()
        for _ in range(3):
            harness.run("true", LIVE_DIR=str(live), STATS="off", ON_FAILURE="ignore").expect(0)
        page = folder / "page.html"
        autolock("report", "--html", str(page), *map(str, live.iterdir())).expect(0, b"", b"")
        read = page_text.read(page)
        assert len(read.runs) == 1 and len(read.runs[0]["processes"]) == 3 and read.runs[0]["label"] == "live files"


def test_data_that_was_tampered_with() -> None:
    """A page is made of anything that can be read, and it is whole; what cannot be read is said."""
    with directory() as folder:
        page, out = folder / "page.html", folder / "out.html"
        autolock(*RUN, "--report", str(page), "--", "sleep", "0.2").expect(0)
        source = page.read_text()
        begin = source.index('id="autolock-data">') + len('id="autolock-data">')
        end = source.index("</script>", begin)
        data = json.loads(source[begin:end])

        def with_data(text: str) -> None:
            page.write_text(source[:begin] + text + source[end:])

        for text, said in (("", "the data in it is damaged"), (source[begin:end - 10], "the data in it is damaged"),
                           ("{}", "has not the schema"), ('{"schema":"autolock-page/2"}', "has not the schema"),
                           ('{"schema":"autolock-page/1","runs":[]}', "no runs"),
                           ('{"schema":"autolock-page/1","runs":[3]}', "no object"),
                           ('{"schema":"autolock-page/1","runs":[{"processes":[{}]}]}', "of a report in its data")):
            with_data(text)
            done = autolock("report", "--html", str(out), str(page)).expect(65, b"")
            assert said in done.err.decode() and done.err.count(b"\n") == 1 and not out.exists(), done
        for bytes_ in (source.encode()[:begin - 40], source.encode()[:begin + 100]):
            page.write_bytes(bytes_)
            autolock("report", "--html", str(out), str(page)).expect(65, b"")
            assert not out.exists()

        values = ("<b>", -1, 0, 10**18, 1.5, None, True, [], {}, [[]], [{}], {"x": 1}, [["a", "b", "c"]], [[1, 2, 3]],
                  [[10**18] * 6, [5] * 6, [-3] * 6])
        run = data["runs"][0]
        paths = [(name,) for name in run if name != "processes"]
        paths += [("timeline", "samples"), ("mappings", "kinds"), ("mappings", "unlocked"), ("kernel", "major"),
                  ("faults", "sites"), ("faults", "refused"), ("faults", "lost"), ("peak", "locked_bytes")]
        for place in paths:
            for value in values:
                changed = json.loads(json.dumps(run))
                inner = changed
                for name in place[:-1]:
                    inner = inner.setdefault(name, {})
                inner[place[-1]] = value
                with_data(json.dumps({**data, "runs": [changed, run]}).replace("<", "\\u003c"))
                autolock("report", "--html", str(out), str(page)).expect(0, b"", b"")
                read = page_text.read(out)
                assert "NaN" not in read.text and "nan%" not in out.read_text() and "inf" not in str(read.figures), place


def test_where_faults_came_from() -> None:
    """As run --faults has them, if it was asked."""
    faults = {"schema": "autolock-faults/1", "program": "sleep", "refused": None, "since": "warm-up", "minor": 1234, "major": 5,
              "brought_in": 0, "other": 7, "lost": 8, "not_sampled": 9, "sites": [
                  {"minor": 1200, "major": 5, "function": "operator<", "source": "/src/<a>.c", "line": 12, "module": "/bin/x",
                   "offset": 4660, "through": "memcpy", "mapping": "heap", "cause": "not_locked"},
                  {"minor": 34, "major": 0, "function": None, "source": None, "line": None, "module": "/bin/x",
                   "offset": 4660, "through": None, "mapping": "[stack]", "cause": "first_touch"}]}
    with directory() as folder:
        page, out = folder / "page.html", folder / "out.html"
        autolock(*RUN, "--report", str(page), "--", "sleep", "0.2").expect(0)
        assert "Where faults came from" not in page_text.read(page).text
        source = page.read_text()
        data = page_text.read(page).data
        run = data["runs"][0]
        refused = {**faults, "refused": "perf_event_paranoid is 4", "sites": []}
        data["runs"] = [{**run, "faults": faults}, {**run, "label": "b", "faults": refused}, {**run, "label": "c"}]
        begin = source.index('id="autolock-data">') + len('id="autolock-data">')
        page.write_text(source[:begin] + json.dumps(data).replace("<", "\\u003c") + source[source.index("</script>", begin):])
        autolock("report", "--html", str(out), str(page)).expect(0, b"", b"")
        text = page_text.read(out).text
        assert "Since the warm-up: 5 major faults, and 1,234 minor ones." in text, text
        assert "5 1,200 operator< (in memcpy) <a>.c:12 heap not locked" in text, text
        assert "0 34 not known x+0x1234 [stack] first touch" in text, text
        assert "They could not be sampled: perf_event_paranoid is 4" in text and "Nobody looked here." in text


def test_where_faults_really_came_from() -> None:
    """The page has what --faults=FILE has."""
    with directory() as folder:
        page, file = folder / "page.html", folder / "faults.json"
        autolock(*RUN, "--flags", "current", "--warmup", "mark", "--report", str(page), f"--faults={file}", "--",
                 own("faulty"), "heap").expect(0)
        faults = json.loads(file.read_text())
        read = page_text.read(page)
        assert read.runs[0]["faults"] == faults
        if faults["refused"]:
            assert faults["refused"] in read.text
            raise Skip(faults["refused"])
        worst = faults["sites"][0]
        assert f"{worst['major']:,} {worst['minor']:,} {worst['function'] or 'not known'}" in read.text, (worst, read.text)
        if worst["source"]:
            assert f"{pathlib.Path(worst['source']).name}:{worst['line']}" in read.text


def test_signals_end_the_program_and_not_the_page() -> None:
    with directory() as folder:
        page = folder / "page.html"
        with subprocess.Popen([path(), *RUN, "--report", str(page), "--", "sh", "-c", "echo ready; exec sleep 100"],
                              stdout=subprocess.PIPE) as process:
            assert process.stdout is not None and process.stdout.readline() == b"ready\n"
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 128 + signal.SIGTERM
        assert "Ended with signal 15." in page_text.read(page).text


def test_reports_alone() -> None:
    """Files of reports have no timeline, and the page does without."""
    with directory() as folder:
        out = folder / "out.html"
        autolock("report", "--html", str(out), write(folder / "all", reports_of("sh", "-c", "ls >/dev/null; :"))).expect(0)
        page = page_text.read(out)
        assert "Over time" not in page.text and page.report()["program"] == "sh", page.text
        assert figures_are_of(page) >= 14 and "Options in force" in page.text
