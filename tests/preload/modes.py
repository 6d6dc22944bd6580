"""What the report says of modes, and of the program's own locking."""

from harness import need_privilege, program, run


def test_observe() -> None:
    done = run(program("nothing_locked"), MODE="observe").expect(out=b"main ran\n", err=b"")
    assert done.report["need"]["memlock_bytes"] > 0
    assert done.report["locked"]["kernel_bytes"] == 0 and done.report["backend"] == "none"
    assert done.report["syscalls"]["mlockall"]["count"] == 0


def test_observe_in_text() -> None:
    done = run(program("nothing_locked"), MODE="observe", STATS="text", STATS_FILE="").expect(out=b"main ran\n")
    assert b"limit of" in done.err, done


def test_off() -> None:
    done = run(program("nothing_locked"), MODE="off").expect(out=b"main ran\n", err=b"")
    assert not done.written
    run(program("nothing_locked"), MODE="off", STATS="text", STATS_FILE="").expect(out=b"main ran\n", err=b"")


def test_program_releases_all() -> None:
    done = run(program("program_munlockall")).expect(out=b"released\n", err=b"")
    assert done.report["locked"]["kernel_bytes"] == 0
    assert done.report["calls"]["munlockall"] == 1
    assert [entry for entry in done.report["downgrades"] if "munlockall" in entry["reason"]], done


def holds(how: str, **settings: str) -> None:
    need_privilege()
    done = run(program("hold"), how, **settings).expect(err=b"")
    kernel = int(done.out) * 1024
    assert done.written.count(b"\n") == 1
    found = done.report["locked"]["kernel_bytes"]
    assert found > 50_000_000, found
    assert abs(found - kernel) <= 128 * 1024, (found, kernel)
    assert done.report["memory"]["locked_bytes"] == found <= done.report["locked"]["peak_kernel_bytes"]
    assert done.report["mode"] == "all" and done.report["ended"] == "exit"


def test_fifty_megabytes_when_main_returns() -> None:
    holds("main", MODE="all")


def test_fifty_megabytes_in_atexit_handler() -> None:
    holds("atexit", MODE="all")


def test_fifty_megabytes_on_fault() -> None:
    holds("main", MODE="all", FLAGS="current,future,onfault")
