#!/usr/bin/env python3
"""Programs in containers: users and CAP_IPC_LOCK × memlock limits × confinement × modes, as a table.

Each program is compared with its run without the library in a container of the same kind, and its report with what the
kernel allows there. A cell says what the programs had locked: all, part or none. The last line is
`N cells, M broken`. Exit status: 0 none is broken, 1 one is, 77 no container can be made here.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import seccomp
from bundle import UNLIMITED, Surroundings
from cases import CASES
from container import Done, Machine, Skip, machine
from single import parser_of

MIB = 1 << 20
MEMORY = 64 * MIB

MODES = {"all": {"MODE": "all"}, "all-onfault": {"MODE": "all", "FLAGS": "current,future,onfault"},
         "alloc": {"MODE": "alloc"}, "observe": {"MODE": "observe"}}
USERS = {"root": (0, "none"), "root+cap": (0, "given"), "1000": (1000, "none"), "1000+cap": (1000, "given"),
         "1000+ambient": (1000, "ambient")}
LIMITS = {"0": 0, "64K": 64 << 10, "8M": 8 * MIB, "none": UNLIMITED}
CONFINED = {"plain": {}, "seccomp": {"docker_seccomp": True}, "read-only": {"read_only": True},
            "memory": {"memory": MEMORY},
            "docker": {"docker_seccomp": True, "read_only": True, "memory": MEMORY}}


@dataclass(frozen=True)
class Plan:
    users: tuple = tuple(USERS)
    limits: tuple = tuple(LIMITS)
    confined: tuple = tuple(CONFINED)
    modes: tuple = tuple(MODES)
    programs: tuple = tuple(CASES)

    def rows(self) -> list:
        return [(user, limit, confined) for user in self.users for limit in self.limits for confined in self.confined]


PLANS = {
    "all": Plan(),
    "small": Plan(users=("root+cap", "1000", "1000+ambient"), limits=("0", "8M"), confined=("docker",),
                  modes=("all", "alloc", "observe"), programs=("threads", "sort")),
}


class Broken(Exception):
    """What is not as it should be."""


@dataclass
class Cell:
    had: set = field(default_factory=set)
    broken: list = field(default_factory=list)
    count: int = 0

    def __str__(self) -> str:
        if self.broken:
            return "BROKEN"
        return "-" if not self.count else self.had.pop() if len(self.had) == 1 else "part"


def expect(holds: bool, what: str) -> None:
    if not holds:
        raise Broken(what)


def as_bare(bare: Done, done: Done) -> None:
    expect(not bare.oom_kills and not done.oom_kills, f"killed for memory: {done.oom_kills}, bare {bare.oom_kills}")
    expect(done.status == bare.status, f"status {done.status}, bare {bare.status}; standard error: {done.err[-300:]!r}")
    expect(done.out == bare.out, f"output {done.out[-200:]!r}, bare {bare.out[-200:]!r}")
    expect(done.err == bare.err, f"standard error {done.err[-300:]!r}, bare {bare.err[-300:]!r}")


def had_of(report: dict) -> str:
    memory = report["memory"]
    return "none" if not memory["locked_bytes"] else "part" if memory["unlocked_resident_bytes"] else "all"


def as_allowed(here: Surroundings, mode: str, report: dict) -> None:
    """What was had is what can be had there."""
    memory = report["memory"]
    locked = memory["locked_bytes"]
    expect(report["mode"] == MODES[mode]["MODE"], f"mode {report['mode']}")
    expect(memory["limit_bytes"] == (-1 if here.memlock == UNLIMITED else here.memlock),
           f"the limit is {memory['limit_bytes']}")
    expect(memory["cgroup_limit_bytes"] == (here.memory or -1),
           f"the cgroup's limit is {memory['cgroup_limit_bytes']}")
    if mode == "observe":
        expect(locked == 0, f"{locked} locked by observe")
        return
    if not here.exempt:
        expect(locked <= here.memlock, f"{locked} locked under a limit of {here.memlock}")
        expect(here.memlock == 0 or locked > 0, f"nothing locked: {report['failures']} {report['downgrades']}")
        return
    expect(locked > 0, f"nothing locked: {report['failures']} {report['downgrades']}")
    if MODES[mode]["MODE"] == "all":
        # Where memory is short, what may not fit is left out, and counted.
        short = here.memory and report["skipped"]["budget"]
        expect(short or report["backend"] == "kernel", f"backend {report['backend']}: {report['downgrades']}")
        expect(short or not memory["unlocked_resident_bytes"], f"{memory['unlocked_resident_bytes']} unlocked")


def run_cell(made: Machine, here: Surroundings, mode: str, program: str, bare: Done, cell: Cell) -> None:
    case = CASES[program]
    cell.count += 1
    try:
        expect(not bare.status or bare.status in range(4, 8), f"without the library: {bare}")
        expect(not bare.reports, "a report without the library")
        done = made.run(here, *case.command, **MODES[mode])
        as_bare(bare, done)
        report = done.of(case.reports)
        as_allowed(here, mode, report)
        if done.witness:
            locked = int(done.witness) * 1024
            expect(report["memory"]["locked_bytes"] == locked,
                   f"the report says {report['memory']['locked_bytes']} are locked, the kernel {locked}")
        cell.had.add(had_of(report))
    except (Broken, AssertionError) as reason:
        cell.broken.append(f"{program}: {reason}")


def run_row(made: Machine, plan: Plan, row: tuple) -> dict:
    user, capability = USERS[row[0]]
    here = Surroundings(user=user, capability=capability, memlock=LIMITS[row[1]], **CONFINED[row[2]])
    cells = {mode: Cell() for mode in plan.modes}
    if here.docker_seccomp and seccomp.why_not():
        return cells
    for program in plan.programs:
        if made.root.programs.issuperset(CASES[program].needs):
            bare = made.run(here, *CASES[program].command, loaded=False)
            for mode in plan.modes:
                run_cell(made, here, mode, program, bare, cells[mode])
    return cells


def show(plan: Plan, table: list) -> int:
    head = ("user", "memlock", "confined", *plan.modes)
    lines = [head, *((*row, *map(str, cells.values())) for row, cells in table)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(head))]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip())
    broken = [(row, mode, reason) for row, cells in table for mode, cell in cells.items() for reason in cell.broken]
    for row, mode, reason in broken:
        print(f"\nBROKEN  {' '.join(row)}, {mode}: {reason}")
    print(f"\n{sum(cell.count for _, cells in table for cell in cells.values())} cells, {len(broken)} broken")
    return len(broken)


def main() -> int:
    parser = parser_of(__doc__)
    parser.add_argument("--plan", choices=PLANS, default="all")
    for name, known in (("users", USERS), ("limits", LIMITS), ("confined", CONFINED), ("modes", MODES),
                        ("programs", CASES)):
        parser.add_argument(f"--{name}", type=lambda text: tuple(text.split(",")), metavar="A,B",
                            help=f"instead of the plan's, of {', '.join(known)}")
    parser.add_argument("--jobs", type=int, default=1, help="containers at once")
    arguments = parser.parse_args()
    plan = PLANS[arguments.plan]
    chosen = {name: getattr(arguments, name) or getattr(plan, name) for name in vars(plan)}
    plan = Plan(**chosen)
    with machine(arguments) as made:
        lacking = [name for name in plan.programs if not made.root.programs.issuperset(CASES[name].needs)]
        if lacking:
            print(f"skipped, as they are not installed: {', '.join(lacking)}")
        if seccomp.why_not():
            print(f"skipped, with seccomp: {seccomp.why_not()}")
        beyond = [name for name in plan.limits if not made.can_have(LIMITS[name])]
        if beyond:
            print(f"skipped, as the hard limit of here is lower: memlock {', '.join(beyond)}")
        rows = [row for row in plan.rows() if row[1] not in beyond]
        with ThreadPoolExecutor(arguments.jobs) as pool:
            table = list(zip(rows, pool.map(lambda row: run_row(made, plan, row), rows)))
        return 1 if show(plan, table) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Skip as reason:
        print(f"skipped: {reason}")
        sys.exit(77)
