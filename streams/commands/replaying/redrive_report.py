"""This module tells what a redrive did, as one JSON object or for a terminal."""

from __future__ import annotations

from collections import Counter

from rich.table import Table

from processors.event.strict_json import JsonObject
from processors.replay.clusters import FailureCluster
from streams.commands.terminal.screen import console, table
from streams.replay.redriving.progress import RedrivePlan, RedriveProgress


def as_object(plan: RedrivePlan, progress: RedriveProgress, *, dry_run: bool) -> JsonObject:
    """`{read, redriven, skipped, …}`; in a dry run `redriven` is what would be."""
    return {
        "read": progress.read,
        "redriven": progress.redriven,
        "skipped": progress.skipped,
        "reasons": dict(progress.reasons),
        "into": dict(progress.targets),
        "redrivenBefore": progress.known,
        "failures": dict(_by_error(progress).most_common()),
        "clusters": [one.as_json() | {"records": number} for one, number in progress.clusters.most_common()],
        "dryRun": dry_run,
        "run": plan.run,
        **({"failedAgain": progress.failed_again} if progress.failed_again is not None else {}),
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
        screen.print(clusters_table(progress.clusters))
    if progress.reasons:
        reasons = [[reason, str(number)] for reason, number in progress.reasons.most_common()]
        screen.print(table("Skipped", ["because", "#records"], reasons))
    if progress.known:
        screen.print("what was redriven before is left out; --again takes it once more", markup=False)


def clusters_table(clusters: Counter[FailureCluster]) -> Table:
    """The failures by what they have in common, the most frequent first."""
    rows = [[one.stage, one.error, one.route, one.path, str(number)] for one, number in clusters.most_common()]
    return table("Failures", ["stage", "error", "route", "path", "#records"], rows)


def _by_error(progress: RedriveProgress) -> Counter[str]:
    counts: Counter[str] = Counter()
    for one, number in progress.clusters.items():
        counts[f"{one.stage}/{one.error}"] += number
    return counts
