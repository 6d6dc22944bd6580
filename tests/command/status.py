"""autolock status: what it says of a process is what the kernel says."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
from typing import Iterator

import harness
from command import autolock, for_everybody, held, own, path, wait_for
from harness import NOBODY, Skip, directory, environment, need_privilege, need_root

KINDS = ("heap", "anon", "file", "shared", "stack", "image", "kernel")
BYTES = ("size_bytes", "resident_bytes", "locked_bytes", "unlocked_bytes", "swap_bytes")


@contextlib.contextmanager
def _threads(library: bool = True, **settings: str) -> Iterator[subprocess.Popen]:
    with directory() as folder:
        (folder / "mapped").write_bytes(b"x" * 8192)
        with subprocess.Popen([own("threads"), str(folder / "mapped")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              env=environment({"STATS": "off", "ON_FAILURE": "ignore", **settings},
                                              harness.library if library else "")) as process:
            try:
                assert process.stdout is not None and process.stdout.readline() == b"ready\n"
                yield process
            finally:
                process.kill()


def _stop(pid: int) -> None:
    """Nothing of it changes any more."""
    def states() -> set:
        return {re.search(r"^State:\s+(\w)", (task / "status").read_text(), re.MULTILINE).group(1)
                for task in pathlib.Path(f"/proc/{pid}/task").iterdir()}

    os.kill(pid, signal.SIGSTOP)
    wait_for("the stop of all its threads", lambda: states() == {"T"})


def _field(pid: int, name: str, file: str = "status") -> int:
    """In bytes, by the kernel's word."""
    text = pathlib.Path(f"/proc/{pid}/{file}").read_text()
    found = re.search(rf"^{name}:\s+(\d+) kB$", text, re.MULTILINE)
    assert found, (name, text)
    return int(found.group(1)) * 1024


def _status(pid: int, *options: str) -> dict:
    done = autolock("status", "--format", "json", *options, str(pid)).expect(0, err=b"")
    assert done.out.count(b"\n") == 1
    answer = json.loads(done.out)
    assert answer["schema"] == "autolock-status/1" and answer["pid"] == pid and not answer["ended"]
    return answer


def _agrees(pid: int) -> dict:
    """All sums with each other, and with the kernel's."""
    answer = _status(pid, "--all")
    total = answer["total"]
    for key in "mappings", *BYTES:
        assert total[key] == sum(kind[key] for kind in answer["by_kind"].values()), key
        assert total[key] == sum(mapping[key] for mapping in answer["mappings"]), key
    assert tuple(answer["by_kind"]) == KINDS
    maps = pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines()
    assert [f"{mapping['start']}-{mapping['end']} {mapping['rights']}" for mapping in answer["mappings"]] == \
        ["-".join(part.lstrip("0") for part in line.split()[0].split("-")) + " " + line.split()[1] for line in maps]
    assert total["locked_bytes"] == answer["memory"]["locked_bytes"] == _field(pid, "VmLck")
    assert total["resident_bytes"] == _field(pid, "Rss", "smaps_rollup")
    assert total["swap_bytes"] == _field(pid, "Swap", "smaps_rollup")
    assert answer["memory"]["rss_bytes"] == _field(pid, "VmRSS")
    assert answer["memory"]["swap_bytes"] == _field(pid, "VmSwap")
    # Merging takes nothing away.
    merged = _status(pid)
    assert merged["total"] == total and merged["by_kind"] == answer["by_kind"]
    assert total["mappings"] == sum(mapping["mappings"] for mapping in merged["mappings"]) > len(merged["mappings"])
    return answer


def _named(answer: dict, name: str) -> list:
    return [mapping for mapping in answer["mappings"] if mapping["name"] == name]


# -- the kernel's word ----------------------------------------------------------------------------


def test_sums_are_the_kernels() -> None:
    for settings in {"MODE": "all"}, {"MODE": "alloc"}, {"MODE": "alloc", "KINDS": "heap,stack"}, {"MODE": "observe"}:
        with _threads(**settings) as process:
            _stop(process.pid)
            answer = _agrees(process.pid)
            assert answer["library"] == "counted"
            report = answer["report"]
            assert report["schema"] == "autolock/1" and report["pid"] == process.pid and report["mode"] == settings["MODE"]
            assert report["memory"]["locked_bytes"] == answer["total"]["locked_bytes"], answer
            assert (answer["total"]["locked_bytes"] > 0) == (settings["MODE"] != "observe"), answer
            if settings["MODE"] == "observe":
                assert answer["total"]["unlocked_bytes"] > 0


def test_unlocked_is_the_reports() -> None:
    """The same that the library itself says in the end."""
    need_privilege()
    with directory() as folder:
        for mode in "all", "alloc":
            file = folder / mode
            with held(MODE=mode, STATS="json", STATS_FILE=str(file)) as process:
                unlocked = _status(process.pid)["total"]["unlocked_bytes"]
                assert process.stdin is not None
                process.stdin.close()
                process.wait()
            ended = json.loads(file.read_text())["memory"]["unlocked_resident_bytes"]
            # What the program's end and the report themselves bring in.
            assert abs(unlocked - ended) <= 64 << 10, (mode, unlocked, ended)


def test_without_the_library() -> None:
    with _threads(library=False) as process:
        _stop(process.pid)
        answer = _agrees(process.pid)
        assert answer["library"] == "none" and answer["report"] is None
        assert answer["total"]["locked_bytes"] == 0 and answer["total"]["unlocked_bytes"] > 1 << 20
        done = autolock("status", str(process.pid)).expect(0, err=b"")
        assert done.out.startswith(b"threads[%d] without the library\n" % process.pid), done
    with _threads(MODE="off") as process:
        assert _status(process.pid)["library"] == "inert"
        assert b"inert" in autolock("status", str(process.pid)).expect(0, err=b"").out


def test_the_limit() -> None:
    with _threads() as process:
        soft, hard = (1 << 20), (2 << 20)
        subprocess.run(["prlimit", f"--memlock={soft}:{hard}", "--pid", str(process.pid)], check=True)
        memory = _status(process.pid)["memory"]
        assert memory["limit_bytes"] == soft, memory
        capable = int(re.search(r"CapEff:\s+(\w+)", pathlib.Path(f"/proc/{process.pid}/status").read_text()).group(1),
                      16) >> 14 & 1
        own_space = os.readlink(f"/proc/{process.pid}/ns/user") == "user:[4026531837]"
        assert memory["limit_holds"] == (not (capable and own_space)), memory
        done = autolock("status", str(process.pid)).expect(0, err=b"")
        assert b"limit 1.0 MiB" in done.out and (b"lifts" in done.out) != memory["limit_holds"], done


def test_redis() -> None:
    need_privilege()
    redis = shutil.which("redis-server")
    if not redis:
        raise Skip("no redis-server here")
    with directory() as folder:
        socket = folder / "socket"
        command = [redis, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                              env=environment({"STATS": "off"}, harness.library)) as process:
            try:
                wait_for("redis", socket.exists)
                tasks = pathlib.Path(f"/proc/{process.pid}/task")
                wait_for("its threads", lambda: sum(task.joinpath("comm").read_text().startswith("bio_")
                                                    for task in tasks.iterdir()) >= 3)
                _stop(process.pid)
                answer = _agrees(process.pid)
            finally:
                process.kill()
        assert answer["name"] == "redis-server" and answer["report"]["backend"] == "kernel"
        assert answer["total"]["unlocked_bytes"] == 0 and answer["by_kind"]["kernel"]["locked_bytes"] == 0, answer
        assert any("bio_" in mapping["name"] for mapping in answer["mappings"])


# -- kinds and names ------------------------------------------------------------------------------


def test_kinds_and_names() -> None:
    with _threads(library=False) as process:
        _stop(process.pid)
        answer = _status(process.pid, "--all")
        kinds = {mapping["name"]: mapping["kind"] for mapping in answer["mappings"]}
        assert kinds["[heap]"] == "heap" and kinds["[stack]"] == "stack" and kinds["[vdso]"] == "kernel"
        assert kinds[os.path.realpath(own("threads"))] == "image"
        assert all(kind == "image" for name, kind in kinds.items() if "/libc." in name or "/ld-" in name)
        assert next(kind for name, kind in kinds.items() if name.endswith("/mapped")) == "file"
        assert any(kind == "shared" and name.startswith("/dev/zero") for name, kind in kinds.items()), kinds
        anon, = (mapping for mapping in _named(answer, "[anon]") if mapping["size_bytes"] >= 1 << 20)
        assert anon["kind"] == "anon" and 1 << 19 <= anon["resident_bytes"] < 1 << 20, anon
        reserved = _named(answer, "[reserved]")
        assert any(mapping["size_bytes"] >= 1 << 20 for mapping in reserved)
        assert all(mapping["resident_bytes"] == 0 and mapping["rights"] == "---p" for mapping in reserved)
        for name in "first", "second", "a b)c(d":
            guard, stack = _named(answer, f"[stack of {name}]")
            assert guard["rights"] == "---p" and stack["rights"] == "rw-p" and guard["end"] == stack["start"]
            assert guard["kind"] == stack["kind"] == "stack"


def test_a_heap_of_another_thread() -> None:
    """glibc keeps these in pieces of 64 MiB."""
    if "glibc" not in (os.confstr("CS_GNU_LIBC_VERSION") or ""):
        raise Skip("another libc than glibc")
    with _threads(library=False) as process:
        _stop(process.pid)
        arenas = _named(_status(process.pid), "[arena]")
        assert sum(mapping["size_bytes"] for mapping in arenas) == 3 * (64 << 20), arenas
        assert all(mapping["kind"] == "heap" and mapping["resident_bytes"] for mapping in arenas), arenas


def test_neighbours_are_one() -> None:
    with _threads() as process:
        _stop(process.pid)
        merged = _status(process.pid)["mappings"]
        program, = (mapping for mapping in merged if mapping["name"] == os.path.realpath(own("threads")))
        assert program["mappings"] > 1 and program["rights"] == "mixed"
        assert len([mapping for mapping in merged if mapping["name"] == "[stack of first]"]) == 1
        # What does not touch is not one, if it has no name of its own.
        for one, next_one in zip(merged, merged[1:]):
            if one["name"] == next_one["name"] == "[anon]":
                assert one["end"] != next_one["start"], (one, next_one)


def test_orders() -> None:
    with _threads(MODE="alloc") as process:
        _stop(process.pid)
        addresses = [int(mapping["start"], 16) for mapping in _status(process.pid)["mappings"]]
        assert addresses == sorted(addresses)
        assert addresses == [int(mapping["start"], 16) for mapping in _status(process.pid, "--sort", "address")["mappings"]]
        for key in "size", "resident", "locked", "unlocked":
            answer = _status(process.pid, "--sort", key)
            values = [mapping[f"{key}_bytes"] for mapping in answer["mappings"]]
            assert values == sorted(values, reverse=True) and values[0] > values[-1], (key, values)


# -- text -----------------------------------------------------------------------------------------


def test_text() -> None:
    with _threads(MODE="alloc", KINDS="heap", BUDGET="64K") as process:
        _stop(process.pid)
        answer = _status(process.pid)
        text = autolock("status", str(process.pid)).expect(0, err=b"").out.decode()
        assert "\033" not in text
        lines = text.splitlines()
        assert lines[0] == f"threads[{process.pid}] with the library: mode alloc, locked region by region", lines[0]
        head = {line[2:11].strip(): line[11:] for line in lines[1:lines.index("")]}
        report = answer["report"]
        assert list(head)[:5] == ["locked", "memory", "faults", "failed", "skipped"], head
        assert "64.0 KiB as the kernel counts it (VmLck)" in head["locked"] or report["locked"]["kernel_bytes"] != 65536
        assert head["faults"].replace(",", "").startswith(
            f"{report['faults']['minor_after_lock']} minor {report['faults']['major_after_lock']} major"), head
        assert report["skipped"]["kind"] > 0
        assert f"kind {report['skipped']['kind']}" in head["skipped"].replace(",", ""), (head, report["skipped"])
        rows = [line for line in lines if re.match(r"  [0-9a-f]+-[0-9a-f]+ ", line)]
        assert len(rows) == len(answer["mappings"])
        for row, mapping in zip(rows, answer["mappings"]):
            assert row.split()[0] == f"{mapping['start']}-{mapping['end']}" and mapping["name"] in row
        kinds = lines[lines.index("") + 2:]
        total = next(line for line in kinds if line.startswith("  total "))
        assert total.split()[-1] == str(answer["total"]["mappings"]), total


def test_several() -> None:
    with held(MODE="alloc") as one, _threads(library=False) as another:
        done = autolock("status", str(one.pid), str(another.pid)).expect(0, err=b"")
        heads = re.findall(rb"^(\w+)\[(\d+)\] with", done.out, re.MULTILINE)
        assert heads == [(b"hold_on", b"%d" % one.pid), (b"threads", b"%d" % another.pid)], done
        # The others are shown all the same.
        done = autolock("status", "--format", "json", str(one.pid), "999999999", str(another.pid)).expect(1)
        assert done.err == b"autolock status: process 999999999 does not exist\n"
        assert [json.loads(line)["pid"] for line in done.out.splitlines()] == [one.pid, another.pid]


def test_names_are_harmless() -> None:
    with directory() as folder:
        program = folder / "a\033[31m\nb\xff\"\\"
        shutil.copy2(harness.program("hold_on"), program)
        with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              env={**environment({}, ""), "PATH": "/"}) as process:
            assert process.stdout is not None and process.stdout.readline() == b"ready\n"
            done = autolock("status", str(process.pid)).expect(0, err=b"")
            assert b"\033" not in done.out and rb"a\x1b[31m" in done.out.lower(), done
            answer = _status(process.pid)
            # The kernel writes a newline as an octal number.
            assert any(mapping["name"].endswith("a\033[31m\\012b\xff\"\\") for mapping in answer["mappings"]), answer
            process.kill()


# -- what cannot be read --------------------------------------------------------------------------


def test_what_cannot_be() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    done = autolock("status", str(gone.pid)).expect(1, b"")
    assert done.err == b"autolock status: process %d does not exist\n" % gone.pid
    for arguments in ((), ("--all",), ("x",), ("0",), ("00",), ("-1",), ("--", "-1"), ("1x",), ("",), ("1", "x"),
                      ("9999999999",), ("--sort", "name", "1"), ("--sort",), ("--format", "xml", "1"), ("--nothing", "1"),
                      ("--watch=0", "1"), ("--watch=x", "1"), ("--watch=-1", "1")):
        done = autolock("status", *arguments).expect(64, b"")
        assert done.err.startswith(b"autolock status: ") and done.err.count(b"\n") == 1, done
    with held() as process, open("/dev/full", "wb") as full:
        for form in "text", "json":
            done = subprocess.run([path(), "status", "--format", form, str(process.pid)], stdout=full,
                                  stderr=subprocess.PIPE, check=False)
            assert done.returncode == 74 and b"cannot be written" in done.stderr, done


def test_a_thread_of_the_kernel() -> None:
    for pid in sorted(map(int, filter(str.isdigit, os.listdir("/proc")))):
        with contextlib.suppress(OSError):
            flags = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[6])
            if flags & 0x200000:
                done = autolock("status", str(pid)).expect(1, b"")
                assert b"thread of the kernel" in done.err and done.err.count(b"\n") == 1, done
                return
    raise Skip("no thread of the kernel is seen here")


def test_a_zombie() -> None:
    with subprocess.Popen(["true"]) as zombie:
        wait_for("its end", lambda: ") Z " in pathlib.Path(f"/proc/{zombie.pid}/stat").read_text())
        done = autolock("status", str(zombie.pid)).expect(1, b"")
        assert b"zombie" in done.err and done.err.count(b"\n") == 1, done


def test_somebody_elses() -> None:
    need_root()
    with held() as process, for_everybody() as (_, command, _):
        done = subprocess.run([command, "status", str(process.pid)], user=NOBODY, group=NOBODY, extra_groups=[],
                              capture_output=True, check=False)
        assert done.returncode == 1 and not done.stdout, done
        assert done.stderr.count(b"\n") == 1 and b"may not be looked at by this user" in done.stderr, done


def test_the_main_thread_has_ended() -> None:
    """The others go on, and the memory is shown under their numbers."""
    source = """
        #include <pthread.h>
        #include <stdio.h>
        #include <unistd.h>
        static void *wait(void *main_thread)
        {
            char byte;
            pthread_join(*(pthread_t *)main_thread, NULL);
            puts("ready");
            return fflush(stdout) || read(0, &byte, 1) < 0 ? NULL : main_thread;
        }
        int main(void)
        {
            static pthread_t self;
            pthread_t thread;
            self = pthread_self();
            pthread_create(&thread, NULL, wait, &self);
            pthread_exit(NULL);
        }
        """
    from checking import made  # pylint: disable=import-outside-toplevel
    with directory() as folder:
        program = made(folder, "-pthread", source=source)
        with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              env=environment({"STATS": "off"}, harness.library)) as process:
            assert process.stdout is not None and process.stdout.readline() == b"ready\n"
            answer = _status(process.pid)
            assert answer["library"] == "counted" and answer["total"]["resident_bytes"] > 0, answer
            process.kill()


def test_it_ends_while_it_is_read() -> None:
    """Whenever that is: all of it, or a line."""
    seen = set()
    for _ in range(40):
        with subprocess.Popen([own("threads"), "/etc/passwd"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None and process.stdout.readline() == b"ready\n"
            with subprocess.Popen([path(), "status", "--format", "json", str(process.pid)], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE) as command:
                process.kill()
                out, err = command.communicate(timeout=harness.PATIENCE_S)
            if command.returncode == 0:
                answer = json.loads(out)
                assert not err and answer["mappings"][-1]["kind"] == "kernel", answer
            else:
                assert command.returncode == 1 and not out and err.count(b"\n") == 1, (command.returncode, out, err)
            seen.add(command.returncode)
    assert seen <= {0, 1}
