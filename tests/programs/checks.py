"""What a command that has ended must show besides its own results: reports, limits, and nothing on standard error."""

from __future__ import annotations

import os

import reports as report_files
from support import Broken, find_program, names_of

# Of a budget that the program could fill.
USED = 0.75


def within_limit(stage, run) -> None:
    """Neither the kernel nor a report may ever have said that more was locked than the limit allows."""
    bound = stage.bound(run.user)
    if run.sampler is None or bound is None:
        return
    run.sampler.stop()
    if run.sampler.most > bound:
        raise Broken(f"{run.label}: {run.sampler.whose} had VmLck {run.sampler.most >> 10} kB, limit {bound >> 10} kB")
    for report in report_files.read_all(run.file("reports"))[0]:
        for key in ("kernel_bytes", "peak_kernel_bytes"):
            if report["locked"][key] > bound:
                raise Broken(f"{run.label}: {report['program']}.{report['pid']}: report.locked.{key} is "
                             f"{report['locked'][key]}, the limit {bound}")


def budget_left(what: str, locked: int, resident: int, bound: int) -> list:
    """Complains when much of the budget is left though there is twice as much memory."""
    if resident <= 2 * bound or locked >= USED * bound:
        return []
    return [f"budget: {what} has only VmLck {locked >> 10} kB of {bound >> 10} kB, and {resident >> 10} kB resident"]


def _budget_used(stage, run, report: dict) -> None:
    bound = stage.bound(run.user)
    if bound is None or not stage.setting.fills_with_all or report["ended"] in ("exec", "running") or (
            stage.around.denied):
        return
    stage.shortcomings += budget_left(f"{report['program']} at its end", report["memory"]["locked_bytes"],
                                      report["memory"]["rss_bytes"], bound)


def _denials_told(stage, run, program: str, own: list) -> None:
    error = stage.around.refusal(stage.setting.mode)
    if not error or stage.setting.locks == "none" or stage.bound(run.user) == 0:
        return  # with a budget of nothing the library need not even ask
    if not any(report["failures"][error] for report in own):
        stage.shortcomings.append(f"failures: {program}: no {error} in any report: {own[0]['failures']}")


def own_stderr(stage, run, text: bytes) -> bytes:
    """Where a limit stands in the way the library says so, and a parent may pass it on with a word of its own before
    it ("remote: libautolock: …"); nowhere else may it say anything."""
    if not stage.locked or stage.setting.locks == "none" or (
            stage.setting.locks == "all" and stage.may_lock_everything(run.user)):
        return text
    return b"".join(line for line in text.splitlines(True) if b"libautolock: " not in line)


def reports_of(stage, run) -> None:
    """Every program that was started left a report, and it tells what must be so here."""
    found, wrong = report_files.read_all(run.file("reports"))
    for report in found:
        wrong += [f"{report.get('program')}.{report.get('pid')}: {problem}"
                  for problem in report_files.problems(report, stage.setting.environment)]
    if wrong:
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise Broken(f"{run.label}: {wrong[0]}{more}")
    if stage.may_lock_everything(run.user) and not stage.around.denied and not run.drops_root:
        failed = [report for report in found if any(report["failures"].values())]
        if failed:
            raise Broken(f"{run.label}: {failed[0]['program']}: no limit holds, but {failed[0]['failures']}")
    for program, count in run.programs.items():
        names = names_of(program if "/" in program else find_program(program) or program)
        own = [report for report in found if report["program"] in names]
        if len(own) < count:
            others = sorted({report["program"] for report in found})
            raise Broken(f"{run.label}: {len(own)} of {count} reports of {program}; there are reports of {others}")
        if stage.setting.locks == "all" and stage.may_lock_everything(run.user):
            if not any(report["locked"]["peak_kernel_bytes"] > 0 for report in own):
                raise Broken(f"{run.label}: {program} locked nothing: downgrades {own[0]['downgrades']}, "
                             f"failures {own[0]['failures']}")
        _denials_told(stage, run, program, own)
        for report in own:
            _budget_used(stage, run, report)


def silent(stage, run, ask_loader: bool) -> None:
    """The library is there, and leaves no trace."""
    if os.listdir(run.file("reports")):
        raise Broken(f"{run.label}: a report, though mode {stage.setting.mode} is silent")
    if not ask_loader:
        return
    loaded = report_files.loaded_programs(run.file("loader"), stage.library)
    for program in run.programs:
        names = names_of(program if "/" in program else find_program(program) or program)
        if not any(loaded.get(name) for name in names):
            raise Broken(f"{run.label}: the library was not loaded into {program}; the loader says {loaded}")
