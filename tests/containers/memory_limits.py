"""The memory limit of a container: the lock never has anybody killed who would live without it."""

from __future__ import annotations

from bundle import Surroundings
from container import Done, Machine

MIB = 1 << 20
LIMIT = 64 * MIB

SETTINGS = {
    "all": {"MODE": "all"},
    "all, onfault": {"MODE": "all", "FLAGS": "current,future,onfault"},
    "all, huge pages": {"MODE": "all", "HUGEPAGES": "1", "POPULATE_THREADS": "2"},
    "alloc": {"MODE": "alloc", "KINDS": "heap,anon,file,shared,stack,image"},
    "alloc, onfault": {"MODE": "alloc", "KINDS": "heap,anon,file,shared,stack,image",
                       "FLAGS": "current,future,onfault"},
    "observe": {"MODE": "observe"},
}
# Without a limit of locked memory that holds, and with one.
PLACES = (Surroundings(capability="given", memory=LIMIT),
          Surroundings(user=1000, memlock=8 * MIB, memory=LIMIT))


def nobody_is_killed(made: Machine, *command: str, places: tuple = PLACES) -> None:
    broken = []
    for here in places:
        bare = made.run(here, *command, loaded=False)
        assert not bare.status and not bare.oom_kills, bare
        for words, settings in SETTINGS.items():
            done = made.run(here, *command, **settings)
            if found(done) != found(bare):
                broken.append(f"{words}, {here}: {done}")
            else:
                assert {report["mode"] for report in done.reports} == {settings["MODE"]}, done
    assert not broken, "\n" + "\n".join(broken)


def found(done: Done) -> tuple:
    return done.status, done.out, done.err, done.oom_kills


def test_more_than_there_is(made: Machine) -> None:
    """What is asked for is twice the limit, and little of it is used."""
    nobody_is_killed(made, "several", "malloc", str(2 * LIMIT), "1")
    nobody_is_killed(made, "several", "pieces", str(2 * LIMIT), "1")


def test_more_than_there_is_by_several(made: Machine) -> None:
    """Each process alone would have room for what it asks for."""
    nobody_is_killed(made, "several", "malloc", str(40 * MIB), "4")
    nobody_is_killed(made, "several", "pieces", str(40 * MIB), "4")


def test_many_processes(made: Machine) -> None:
    nobody_is_killed(made, "several", "pieces", str(4 * MIB), "24")


def test_files_by_several(made: Machine) -> None:
    """The page cache of what one has read makes room for what another reads, unless it is locked."""
    nobody_is_killed(made, "several", "files", str(2 * LIMIT), "1", places=PLACES[:1])
    nobody_is_killed(made, "several", "files", str(24 * MIB), "4")
