#!/usr/bin/env python3
"""The harness itself: a library that breaks a program, is not loaded or leaves a bad report must come out as BROKEN."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import types
import unittest

import checks
import matrix
import reports
import settings
import stage as stages
import support
import surroundings
from sampler import Sampler

FAKE = sys.argv.pop(1) if len(sys.argv) > 1 else sys.exit("usage: harness_test.py FAKE_LIBRARY [TEST…]")


def plausible(shape):
    """The smallest value of this shape."""
    if isinstance(shape, dict):
        return {key: plausible(inner) for key, inner in shape.items()}
    if isinstance(shape, list):
        return shape[0]
    return [] if isinstance(shape, tuple) else shape()


def report(mode="all", **changes) -> dict:
    whole = plausible(reports.KEYS)
    whole.update(pid="@PID@", program="@PROGRAM@", mode=mode)
    whole["config"] = {"mode": mode}
    whole["locked"]["peak_kernel_bytes"] = 4096 if mode == "all" else 0
    whole.update(changes)
    return whole


def setting(way="", said=None, mode="all", silent=False) -> settings.Setting:
    environment = {"AUTOLOCK_MODE": mode, "FAKE_WAY": way}
    if not silent:
        environment["FAKE_REPORT"] = said if isinstance(said, str) else json.dumps(said or report(mode))
    return settings.Setting("fake", environment, "all" if mode == "all" else "none", mode != "off")


class Harness(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="autolock-harness-")
        os.chmod(self.root, 0o755)
        self.addCleanup(shutil.rmtree, self.root)
        self.library = shutil.copy(FAKE, os.path.join(self.root, "libautolock.so"))
        self.limit = settings.Limit("default", None)

    def cell(self, chosen, act=None, library=None):
        def sort_and_fail(stage):
            stage.write("lines", "b\na\n")
            stage.command(support.need("sort"), "lines", "-o", "sorted")
            stage.produced("sorted")
            stage.command(support.need("cat"), "lines", "no-such-file", status=1)

        case = types.SimpleNamespace(run=act or sort_and_fail)
        user = settings.current_user()
        bare, record = matrix.run_once(case, self.root, self.library, settings.BARE, user, self.limit, None)
        self.assertEqual((bare.state, bare.reason), ("ok", ""))
        return matrix.run_cell(case, self.root, library or self.library, chosen, user, self.limit, record)

    def broken(self, chosen, reason, **options):
        cell = self.cell(chosen, **options)
        self.assertEqual(cell.state, "BROKEN", cell)
        self.assertIn(reason, cell.reason)

    def test_an_inert_library_is_ok(self):
        for chosen in (setting(), setting(mode="observe"), setting(mode="off", silent=True)):
            # No full lock is expected of a user who may not lock.
            self.assertEqual(self.cell(chosen).state, "ok")

    def test_a_library_that_is_not_loaded(self):
        other = os.path.join(self.root, "not-there.so")
        for chosen in (setting(), setting(mode="off", silent=True)):
            self.broken(chosen, "stderr", library=other)
        with open(other, "wb"):
            pass
        self.broken(setting(), "differs", library=other)

    def test_not_loaded_and_nothing_said(self):
        # What a static or a setuid program does: no word from the loader, no report.
        def act(stage):
            stage.command(support.need("env"), "-u", "LD_PRELOAD", support.need("true"), programs="true")

        self.broken(setting(), "0 of 1 reports of true", act=act)
        self.broken(setting(mode="off", silent=True), "not loaded into true", act=act)

    def test_what_breaks_a_program(self):
        for way, reason in (("stdout", "stdout"), ("stderr", "stderr"), ("status", "exit status 3"),
                            ("signal", "SIGSEGV")):
            for mode in ("all", "off"):
                with self.subTest(way=way, mode=mode):
                    act = None
                    if way == "stdout":
                        def act(stage):
                            stage.command(support.need("cat"), stdin=b"text")
                    self.broken(setting(way, mode=mode, silent=mode == "off"), reason, act=act)

    def test_a_hang(self):
        before, stages.TIMEOUT_S = stages.TIMEOUT_S, 1
        self.addCleanup(setattr, stages, "TIMEOUT_S", before)
        self.broken(setting("hang"), "hangs")

    def test_a_file_that_differs(self):
        def act(stage):
            stage.command(support.need("sh"), "-c", "echo ${LC_ALL:-none} >made", programs=())
            stage.produced("made")

        self.broken(setting("unset"), "file made differs", act=act)

    def test_a_case_that_ends_elsewhere(self):
        self.broken(setting(), "went further", act=lambda stage: stage.locked or stage.same("only bare", 1))
        self.broken(setting(), "did not come to this", act=lambda stage: stage.locked and stage.same("only now", 1))

    def test_bad_reports(self):
        short = report()
        del short["faults"]["major_after_mark"]
        for said, reason in (
                (short, "faults.major_after_mark is missing"),
                (report(schema="autolock/2"), "report.schema"),
                (report(ended="somehow"), "report.ended"),
                (report(flags="current"), "report.flags is not a list"),
                (report(downgrades=[{"reason": "limit"}]), "downgrades[0].when_ns is missing"),
                (report(version=1), "report.version is 1, not str"),
                (report(mode="alloc"), "the process ran in mode all"),
                (report(config={}), "report.config.mode is missing"),
                (report(config={"mode": "off"}), "report.config.mode is 'off'"),
                (report(program="other"), "holds a report of other"),
                ("{", "not JSON"),
                (json.dumps(report()) + "\n" + json.dumps(report(pid=1)), "with pid 1"),
        ):
            with self.subTest(reason=reason):
                self.broken(setting(said=said), reason)

    def test_a_report_of_locks_in_observe(self):
        said = report("observe")
        said["syscalls"]["mlockall"]["count"] = 1
        self.broken(setting(mode="observe", said=said), "observe locks nothing")

    def test_a_report_in_mode_off(self):
        self.broken(setting(mode="off"), "silent")

    def test_a_lock_that_is_none(self):
        if not settings.may_lock_everything(settings.current_user(), self.limit):
            self.skipTest("this user may not lock everything")
        said = report()
        said["locked"]["peak_kernel_bytes"] = 0
        self.broken(setting(said=said), "locked nothing")

        def act(stage):
            server = stage.server(support.need("sh"), "-c", "touch up; read -r line <gate", ready=lambda: os.path.exists(
                stage.path("up")))
            stage.expect_lock(server.pid, "sh")

        def with_gate(stage):
            os.mkfifo(stage.path("gate"))
            act(stage)

        self.broken(setting(), "sh has only VmLck 0 kB", act=with_gate)

    def test_the_bare_run_fails(self):
        case = types.SimpleNamespace(run=lambda stage: stage.command(support.need("false")))
        cell, _ = matrix.run_once(case, self.root, self.library, settings.BARE, settings.current_user(), self.limit,
                                  None)
        self.assertEqual(cell.state, "BROKEN")

    def test_calls_fail_as_the_surroundings_say(self):
        script = ("import ctypes, errno, mmap\n"
                  "libc = ctypes.CDLL(None, use_errno=True)\n"
                  "held = ctypes.c_char.from_buffer(mmap.mmap(-1, 4096))\n"
                  "page = ctypes.c_void_p(ctypes.addressof(held))\n"
                  "def tell(status): print(errno.errorcode[ctypes.get_errno()] if status else 0)\n"
                  "for name in ('mlock', 'munlock'): tell(getattr(libc, name)(page, 4096))\n"
                  "tell(libc.mlock2(page, 4096, 1)); tell(libc.mlockall(4)); tell(libc.madvise(page, 4096, 0))\n")
        for name in ("every:EAGAIN", "locking:EINVAL", "munlock:ENOSYS", "madvise:EPERM", "mlock+mlockall:ENOMEM"):
            around = surroundings.parse(name)
            if around.why_not():
                self.skipTest(around.why_not())
            case = types.SimpleNamespace(
                run=lambda stage: stage.command(support.need("python3", "/usr/bin"), "-c", script))
            cell, record = matrix.run_once(case, self.root, self.library, settings.BARE, settings.current_user(),
                                           settings.Limit("64K", 65536), None, around=around)
            self.assertEqual((cell.state, cell.reason), ("ok", ""))
            told = dict(zip(("mlock", "munlock", "mlock2", "mlockall", "madvise"), record[0][1].decode().split()))
            for call, word in told.items():
                if call in around.denied:
                    self.assertEqual(word, around.error, name)
                elif call != "mlockall":  # an ordinary user may not do that
                    self.assertEqual(word, "0", name)

    def test_which_refusal_a_mode_meets(self):
        for name, mode, error in (("locking:EAGAIN", "all", "EAGAIN"), ("locking:EAGAIN", "alloc", "EAGAIN"),
                                  ("mlockall:EPERM", "all", "EPERM"), ("mlockall:EPERM", "alloc", ""),
                                  ("mlock2:ENOSYS", "alloc", ""), ("munlock+madvise:EINVAL", "all", "")):
            self.assertEqual(surroundings.parse(name).refusal(mode), error, (name, mode))

    def test_a_refusal_that_no_report_tells(self):
        around = surroundings.parse("locking:EPERM")
        if around.why_not():
            self.skipTest(around.why_not())
        case = types.SimpleNamespace(run=lambda stage: stage.command(support.need("true")))
        user = settings.current_user()
        _, record = matrix.run_once(case, self.root, self.library, settings.BARE, user, self.limit, None, around=around)
        told = report()
        told["failures"]["EPERM"] = 1
        for said, state in ((report(), "BROKEN"), (told, "ok")):
            cell, _ = matrix.run_once(case, self.root, self.library, setting(said=said), user, self.limit, record,
                                      around=around)
            self.assertEqual(cell.state, state, cell)

    def test_surroundings_that_are_none(self):
        for text in ("", "nomalloc", "mlock", "mlock:EIO", "fork:EPERM", "every:"):
            with self.assertRaises(ValueError):
                surroundings.parse(text)

    def test_more_locked_than_the_limit(self):
        for most, reported, complaint in ((8192, 8192, None), (8193, 0, "sort (pid 1) had VmLck"),
                                          (0, 8193, "peak_kernel_bytes is 8193")):
            said = report()
            said["locked"]["peak_kernel_bytes"] = reported
            said.update(pid=1, program="sort")
            folder = tempfile.mkdtemp(dir=self.root)
            with open(os.path.join(folder, "sort.1.json"), "w", encoding="ascii") as file:
                file.write(json.dumps(said) + "\n")
            sampler = types.SimpleNamespace(stop=lambda: None, most=most, whose="sort (pid 1)")
            run = types.SimpleNamespace(label="sort", user=None, sampler=sampler, file=lambda name, at=folder: at)
            stage = types.SimpleNamespace(bound=lambda user: 8192)
            if complaint is None:
                checks.within_limit(stage, run)
                continue
            with self.assertRaisesRegex(support.Broken, complaint.replace("(", r"\(").replace(")", r"\)")):
                checks.within_limit(stage, run)

    def test_the_sampler_sees_children(self):
        script = ("import ctypes, mmap, os, sys, time\n"
                  "if os.fork() == 0:\n"
                  "    held = ctypes.c_char.from_buffer(mmap.mmap(-1, 4096))\n"
                  "    done = ctypes.CDLL(None).mlock(ctypes.c_void_p(ctypes.addressof(held)), 4096)\n"
                  "    print(done, flush=True); sys.stdin.read(); os._exit(0)\n"
                  "os.wait()\n")
        process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        try:
            if process.stdout.readline() != b"0\n":
                self.skipTest("no page can be locked here")
            sampler = Sampler(process.pid)
            while sampler.looks < 20:
                time.sleep(0.01)
            sampler.stop()
        finally:
            process.communicate()
        self.assertEqual(sampler.most, 4096)

    def test_a_budget_that_is_left(self):
        for locked, resident, fine in ((0, 2000, True), (750, 4000, True), (749, 2001, False), (0, 4000, False)):
            self.assertEqual(not checks.budget_left("x", locked, resident, 1000), fine, (locked, resident))

    def test_exit_status_of_the_matrix(self):
        # A library that does nothing at all: loaded, silent, and so broken wherever a report is due.
        for words, status in ((["--settings", "bare,off"], 0), (["--settings", "observe"], 1),
                              (["--users", "no-such-user"], matrix.SKIPPED)):
            with self.subTest(words=words):
                self.assertEqual(matrix.main(["--library", FAKE, "--programs", "sort", *words]), status)


if __name__ == "__main__":
    unittest.main(verbosity=1)
