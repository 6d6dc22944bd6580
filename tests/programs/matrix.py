#!/usr/bin/env python3
"""Real, unmodified programs under the library: programs × users × memlock limits × surroundings × settings, as a table.

Each cell compares a program with its run without the library and proves that the library was loaded into it.
The last line is `N cells, M broken`; where all are skipped, `skipped: REASON` comes after it. Exit status: 0 all cells are ok or skipped, 1 one is BROKEN, 2 bad usage, 77 every cell is skipped.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

import settings as tables
import surroundings
from plans import PLANS
from stage import Stage
from support import Broken, Skip

HERE = os.path.dirname(os.path.abspath(__file__))
SKIPPED = 77
TOOLS = ("holder",)  # programs made for the matrix


@dataclass
class Cell:
    state: str  # ok, BROKEN or skip
    reason: str = ""
    notes: list = field(default_factory=list)
    seconds: float = 0.0
    command: str = ""  # a shell line that does again what broke


def all_programs() -> list:
    return sorted(name[:-3] for name in os.listdir(os.path.join(HERE, "cases"))
                  if name.endswith(".py") and name != "__init__.py")


@dataclass(frozen=True)
class Row:
    """Cells that share a bare run."""

    program: str
    user: str
    limit: str
    around: str = surroundings.PLAIN.name

    def words(self) -> list:
        return [self.program, self.user, self.limit, self.around]

    def arguments(self) -> str:
        return f"--programs {self.program} --users {self.user} --limits {self.limit} --around={self.around}"


def run_cell(case, root, library, setting, user, limit, bare, around=surroundings.PLAIN) -> Cell:
    """A case in one setting, compared with its bare run."""
    cell, _ = run_once(case, root, library, setting, user, limit, bare, around=around)
    if cell.state == "ok" and setting.preload and not setting.reports:
        # Nothing but the loader's own word shows an inert library. In a second run, with nothing compared: the
        # loader keeps the lowest free descriptor for what it says, and a script that uses that one by number sees it.
        again, _ = run_once(case, root, library, setting, user, limit, None, ask_loader=True, around=around)
        again.seconds += cell.seconds
        return again
    return cell


def run_once(case, root, library, setting, user, limit, bare, ask_loader=False,
             around=surroundings.PLAIN) -> tuple:
    """One run of a case: (cell, record of results)."""
    started = time.monotonic()
    stage = Stage(root, library, setting, user, limit, bare, ask_loader, around)
    try:
        case.run(stage)
        if bare is not None and len(stage.record) != len(bare):
            raise Broken("the bare run went further")
        if stage.shortcomings:
            more = f" (and {len(stage.shortcomings) - 1} more)" if len(stage.shortcomings) > 1 else ""
            raise Broken(stage.shortcomings[0] + more)
        cell = Cell("ok", notes=stage.notes)
    except Skip as reason:
        cell = Cell("skip", str(reason))
    except Broken as reason:
        cell = Cell("BROKEN", str(reason), stage.notes, command=stage.reproduction())
    except Exception as error:  # a case that meets what it never thought of: a missing file, a refused connection
        cell = Cell("BROKEN", f"{type(error).__name__}: {error}", stage.notes, command=stage.reproduction())
    finally:
        stage.close()
    cell.seconds = time.monotonic() - started
    return cell, stage.record


def why_not(user_name: str, limit: tables.Limit, around: surroundings.Surroundings) -> str:
    """Why a row can't be run here, or an empty string."""
    user = tables.find_user(user_name)
    if user is None:
        return f"no user {user_name}"
    if not user.is_self and os.geteuid() != 0:
        return f"only root can run programs as {user_name}"
    if not limit.can_be_set():
        return f"the memlock limit can't be raised to {limit.name} here"
    return around.why_not()


def run_row(row: Row, library, tools, setting_names, keep) -> dict:
    """All settings of a row; the bare run is shared."""
    limit = tables.parse_limit(row.limit)
    around = surroundings.parse(row.around)
    reason = why_not(row.user, limit, around)
    if reason:
        return {name: Cell("skip", reason) for name in setting_names}
    user = tables.find_user(row.user)
    case = importlib.import_module("cases." + row.program)
    root = tempfile.mkdtemp(prefix=f"autolock-{row.program}-")
    os.chmod(root, 0o755)
    broken = False
    try:
        # A private copy: the build tree may lie where another user can't read.
        library = shutil.copy(library, os.path.join(root, "libautolock.so"))
        os.chmod(library, 0o755)
        for tool in TOOLS:
            if os.path.exists(os.path.join(tools, tool)):
                shutil.copy(os.path.join(tools, tool), root)
        bare, record = run_once(case, root, library, tables.BARE, user, limit, None, around=around)
        if bare.state != "ok":
            bare.reason = bare.reason if bare.state == "skip" else "without the library: " + bare.reason
            broken = bare.state == "BROKEN"
            return {name: bare for name in setting_names}
        cells = {}
        for name in setting_names:
            cells[name] = run_cell(case, root, library, tables.SETTINGS[name], user, limit, record, around)
            broken = cells[name].state == "BROKEN"
            if broken and keep:
                break
        return cells
    finally:
        if not (keep and broken):
            shutil.rmtree(root, ignore_errors=True)


def parse_arguments(words=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)

    def names(known, what):
        def parse(text):
            groups = {"every": list(known), "policies": list(tables.POLICY_SETTINGS)}
            given = groups.get(text) or text.split(",")
            for name in given:
                if name not in known:
                    raise argparse.ArgumentTypeError(f"unknown {what} {name!r}; known: {', '.join(known)}")
            return given
        return parse

    def limits(text):
        for name in text.split(","):
            try:
                tables.parse_limit(name)
            except ValueError:
                raise argparse.ArgumentTypeError(f"not a memlock limit: {name!r}") from None
        return text.split(",")

    def around(text):
        for name in text.split(","):
            try:
                surroundings.parse(name)
            except ValueError:
                raise argparse.ArgumentTypeError(f"no such surroundings: {name!r}") from None
        return text.split(",")

    parser.add_argument("--plan", choices=sorted(PLANS), help="a matrix of several parts, instead of the axes below; "
                        "of it only the --programs that are given")
    parser.add_argument("--tools", help="where the programs made for the matrix are; as a rule found beside the library")
    parser.add_argument("--library", required=True, help="path of libautolock.so")
    parser.add_argument("--programs", type=names(all_programs(), "program"), metavar="A,B")
    parser.add_argument("--settings", type=names(tables.SETTINGS, "setting"), default=list(tables.DEFAULT_SETTINGS),
                        metavar="A,B", help=f"of {', '.join(tables.SETTINGS)}; or every, or policies (mode alloc by kind and size)")
    parser.add_argument("--users", type=lambda text: text.split(","), default=[tables.current_user().name], metavar="A,B",
                        help="names; root-nocap (root without CAP_IPC_LOCK)")
    parser.add_argument("--limits", type=limits, default=["default"], metavar="A,B",
                        help="memlock: default, unlimited, 0, 64K, 8M…")
    parser.add_argument("--around", type=around, default=[surroundings.PLAIN.name], metavar="A,B",
                        help=f"- (nothing), {', '.join(surroundings.ALLOCATORS)}, or what fails and how: "
                        "mlock+madvise:ENOMEM, locking:EPERM, every:ENOSYS")
    parser.add_argument("--jobs", type=int, default=1, help="rows at once")
    parser.add_argument("--notes", action="store_true", help="print what was measured; a single row always does")
    parser.add_argument("--keep", action="store_true", help="stop a row at its first BROKEN cell and keep its files")
    arguments = parser.parse_args(words)
    if not os.path.isfile(arguments.library):
        parser.error(f"no such library: {arguments.library}")
    arguments.library = os.path.realpath(arguments.library)
    # build/lib/libautolock.so and build/tests/programs/
    arguments.tools = arguments.tools or os.path.join(os.path.dirname(arguments.library), "..", "tests", "programs")
    return arguments


def rows_of(arguments) -> list:
    """(row, names of its settings)."""
    if not arguments.plan:
        return [(Row(program, user, limit, around), arguments.settings)
                for program in arguments.programs or all_programs() for user in arguments.users
                for limit in arguments.limits for around in arguments.around]
    return [(Row(program, user, limit, around), list(part.settings))
            for part in PLANS[arguments.plan] for program in part.programs
            if not arguments.programs or program in arguments.programs
            for user in part.users for limit in part.limits for around in part.around]


def print_table(rows, notes) -> None:
    columns = list(dict.fromkeys(name for _, cells in rows for name in cells))
    head = ["program", "user", "memlock", "around", *columns]
    lines = [[*row.words(), *(shown(cells.get(name)) for name in columns)] for row, cells in rows]
    widths = [max(len(line[index]) for line in [head, *lines]) for index in range(len(head))]
    for line in [head, *lines]:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip())
    for row, cells in rows:
        print_reasons(row, cells, notes)


def shown(cell) -> str:
    if cell is None:
        return ""
    return "skip" if cell.state == "skip" else f"{cell.state} {cell.seconds:.1f}s"


def print_reasons(row: Row, cells: dict, notes: bool) -> None:
    words = " ".join(row.words())
    reasons: dict = {}
    for name, cell in cells.items():
        if cell.state != "ok":
            reasons.setdefault((cell.state, cell.reason), []).append(name)
    for (state, reason), names in reasons.items():
        print(f"\n{state.ljust(6)}  {words} {','.join(names)}: {reason}")
        if cells[names[0]].command:
            print(f"      $ matrix.py --library … {row.arguments()} --settings {names[0]} --keep\n"
                  f"        leaves the files behind with which it broke here:\n      $ {cells[names[0]].command}")
    if notes:
        for name, cell in cells.items():
            for note in cell.notes:
                print(f"note    {words} {name}: {note}")


def collect(tasks, results, say: bool) -> list:
    """Rows as they are done; of a long matrix standard error tells how far it is."""
    rows = []
    for task, cells in zip(tasks, results):
        rows.append((task[0], cells))
        if say:
            states = " ".join(dict.fromkeys(cell.state for cell in cells.values()))
            print(f"{len(rows)} of {len(tasks)}: {' '.join(task[0].words())}: {states}", file=sys.stderr, flush=True)
    return rows


def main(words=None) -> int:
    arguments = parse_arguments(words)
    tasks = [(row, arguments.library, arguments.tools, names, arguments.keep) for row, names in rows_of(arguments)]
    if arguments.jobs > 1:
        with ProcessPoolExecutor(arguments.jobs) as pool:
            rows = collect(tasks, pool.map(run_row, *zip(*tasks)), arguments.plan)
    else:
        rows = collect(tasks, (run_row(*task) for task in tasks), arguments.plan)
    print_table(rows, arguments.notes or len(rows) == 1)
    states = [cell.state for _, cells in rows for cell in cells.values()]
    print(f"\n{states.count('ok')} as without the library, {states.count('skip')} skipped")
    print(f"{len(states)} cells, {states.count('BROKEN')} broken")
    if "BROKEN" in states:
        return 1
    if "ok" in states:
        return 0
    reasons = sorted({cell.reason for _, cells in rows for cell in cells.values()})
    print("skipped:", "; ".join(reasons) or "no row was asked for")
    return SKIPPED


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main())
