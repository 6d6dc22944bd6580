"""The live counters of forked children: their own, in a file of their own, from the first call on."""

from __future__ import annotations

import os
import subprocess

import harness
import live_reader
from harness import need_root
from live_reader import Area, Memory
from live_session import MODES, Session, expect_counted, files, gone, library_reads, look, only


def family(how: str, *more: str, members: tuple = ("parent", "child"), owners: tuple | None = None,
           **settings: str) -> None:
    """Each member has counters of its own, in a file if it is among the owners, from 0 and exact. Then they end."""
    owners = members if owners is None else owners
    for mode in MODES:
        with harness.directory() as place:
            place.chmod(0o700)
            with Session("live_forks", how, *more, lines=len(members), place=place, **mode, **settings) as session:
                found = files(place)
                for member in members:
                    pid, times = session.told[member]
                    expect_counted(Area(Memory(pid)), times)
                    name = live_reader.mapping(pid)[2]
                    assert (".live" in name) == (member in owners), (member, name)
                    if member in owners:
                        expect_counted(look(found[pid][0]), times)
                        assert live_reader.ended(found[pid][0]) == "running"
                        assert library_reads(found[pid][0])["calls"]["memalign"] == times
                    assert library_reads(pid)["calls"]["memalign"] == times
                status, _, err = session.end()
                assert status == 0 and not err, (status, err)
            for member in owners:
                pid, times = session.told[member]
                (path,) = found[pid]
                gone(path)
                assert live_reader.ended(path) in ("exit", "_exit"), path
                expect_counted(look(path), times)


def test_forked_child() -> None:
    family("fork")
    for fork in "none", "relock":
        family("fork", FORK=fork)


def test_fork_without_handlers() -> None:
    family("_Fork")


def test_grandchild() -> None:
    family("grandchild", members=("parent", "child", "grandchild"))


def test_fork_among_threads() -> None:
    family("threads")


def test_child_with_one_descriptor() -> None:
    """That of the duplicate of standard error, which a child gives up."""
    family("descriptors")


def test_child_without_descriptors() -> None:
    """It can have neither a file nor a memfd: nobody sees what it counts, and all else is as it would be."""
    with harness.directory() as place:
        with Session("live_forks", "descriptors", lines=2, place=place, prepare=lambda: os.close(2)) as session:
            expect_counted(look(only(place)), session.told["parent"][1])
            done = subprocess.run([harness.programs.parent / "support" / "read_live", "json",
                                   str(session.told["child"][0])], capture_output=True, check=False)
            assert done.returncode == 1 and not done.stdout, done
            assert session.end()[0] == 0
        expect_counted(look(only(place)), session.told["parent"][1])


def test_child_in_another_root() -> None:
    need_root()
    with harness.directory() as root:
        family("chroot", str(root), owners=("parent",))


def test_child_of_nobody() -> None:
    need_root()
    family("nobody", owners=("parent",))


def test_vfork_is_no_end() -> None:
    with harness.directory() as place, Session("live_forks", "vfork", place=place) as session:
        pid, times = session.told["parent"]
        (path,) = files(place)[pid]
        assert live_reader.ended(path) == "running" and look(path).head("state") == 1
        expect_counted(look(path), times)
        assert len(files(place)) == 2, files(place)
        session.kill()
        assert live_reader.ended(path) == "killed"


def daemon(how: str, ends: list) -> None:
    with harness.directory() as place, Session("live_forks", how, place=place) as session:
        pid, times = session.told["daemon"]
        assert session.process.wait(harness.PATIENCE_S) == 0
        found = files(place)
        (own,) = found.pop(pid)
        assert live_reader.ended(own) == "running" == library_reads(own)["ended"]
        assert sorted(live_reader.ended(path) for (path,) in found.values()) == ends, found
        expect_counted(look(own), times)
        session.process.stdin.close()
        session.process.stdin = None
        gone(own)
        assert live_reader.ended(own) == "_exit"


def test_daemon() -> None:
    # libc's daemon() ends its caller without a word.
    daemon("daemon", ["killed"])
    daemon("by_hand", ["_exit", "_exit"])
