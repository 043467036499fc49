"""This module tells what a redrive did, as one JSON object or for a terminal."""

from __future__ import annotations

from processors.event.strict_json import JsonObject
from streams.commands.terminal.screen import console, table
from streams.replay.redrive import RedrivePlan, RedriveProgress


def as_object(plan: RedrivePlan, progress: RedriveProgress, *, dry_run: bool) -> JsonObject:
    """`{read, redriven, skipped, …}`; in a dry run `redriven` is what would be."""
    return {
        "read": progress.read,
        "redriven": progress.redriven,
        "skipped": progress.skipped,
        "reasons": dict(progress.reasons),
        "into": dict(progress.targets),
        "failures": {f"{stage}/{error}": number for (stage, error), number in progress.kinds.most_common()},
        "dryRun": dry_run,
        "run": plan.run,
    }


def show(plan: RedrivePlan, progress: RedriveProgress, source: str, *, dry_run: bool) -> None:
    """What a person wants to see on stdout."""
    screen = console()
    if not progress.read:
        screen.print(f"nothing to redrive: {source} has no record that is meant", markup=False)
        return
    into = ", ".join(f"{number} into {name}" for name, number in progress.targets.items())
    verb = "would be redriven" if dry_run else "redriven"
    run = "" if dry_run or not progress.redriven else f" (run {plan.run})"
    screen.print(f"{progress.read} read, {progress.redriven} {verb}{f': {into}' if into else ''}{run}", markup=False)
    _show_counts(progress, with_kinds=dry_run)


def show_rehearsal(progress: RedriveProgress) -> None:
    """What a person is asked to confirm, on stderr."""
    into = ", ".join(f"{number} into {name}" for name, number in progress.targets.items()) or "none"
    console(stderr=True).print(f"{progress.read} failure records are meant; {into}", markup=False)
    _show_counts(progress, with_kinds=True, stderr=True)


def _show_counts(progress: RedriveProgress, *, with_kinds: bool, stderr: bool = False) -> None:
    screen = console(stderr=stderr)
    if with_kinds:
        rows = [[stage, error, str(number)] for (stage, error), number in progress.kinds.most_common()]
        screen.print(table("Failures", ["stage", "error", "#records"], rows))
    if progress.reasons:
        reasons = [[reason, str(number)] for reason, number in progress.reasons.most_common()]
        screen.print(table("Skipped", ["because", "#records"], reasons))
