"""This module tells what a replay did, as one JSON object or for a terminal."""

from __future__ import annotations

from rich.console import Console

from processors.event.strict_json import JsonObject
from processors.replay.attempts import UNREAD
from processors.replay.comparison import Comparison
from streams.commands.terminal.screen import console, sides, table
from streams.replay.replay import ReplayPlan, ReplayProgress


def as_object(plan: ReplayPlan, progress: ReplayProgress) -> JsonObject:
    """`{read, mapped, filtered, failed, written, …}`; `mapped` and `failed` count outcomes, as workers do."""
    survey, comparison = progress.survey, progress.comparison
    result: JsonObject = {
        "read": progress.read,
        "mapped": survey.mapped,
        "filtered": survey.filtered,
        "failed": survey.failed,
        "written": progress.written,
    }
    if plan.into is None:
        result["routes"] = {name or "none": dict(counts) for name, counts in sorted(survey.by_route.items())}
        result["errors"] = dict(survey.errors)
    else:
        result |= {"skipped": progress.skipped, "into": plan.into, "run": plan.run}
    if plan.against is not None:
        result["against"] = plan.against.as_json()
        result["unchanged"] = comparison.unchanged
        result["changed"] = comparison.events
        result["changes"] = comparison.by_route()
        result["fields"] = [
            {"route": route, "field": path, **change.as_json()} for route, path, change in comparison.most_changed()
        ]
        result["causes"] = [one.as_json() | {"events": number} for one, number in comparison.causes.most_common()]
        result["differences"] = [changed.as_json() for changed in comparison.first]
    return result


def show(source: str, plan: ReplayPlan, progress: ReplayProgress) -> None:
    """What a person wants to see on stdout."""
    screen = console()
    if progress.what.size == 0:
        screen.print(f"nothing to read: {source} has no records in this range", markup=False)
        return
    if plan.into is not None:
        run = f" (run {plan.run})" if progress.written else ""
        skipped = f", {progress.skipped} skipped (neither key nor value)" if progress.skipped else ""
        screen.print(f"{progress.read} read, {progress.written} written to {plan.into}{skipped}{run}", markup=False)
        return
    _show_survey(screen, progress)
    if plan.against is not None:
        screen.print(f"compared with {plan.against}", markup=False)
        _show_changes(screen, progress.comparison)


def _show_survey(screen: Console, progress: ReplayProgress) -> None:
    survey = progress.survey
    screen.print(
        f"{progress.read} read: {survey.mapped} mapped, {survey.filtered} filtered, {survey.failed} failed; "
        "nothing was written",
        markup=False,
    )
    kinds = ("mapped", "filtered", "failed")
    rows = [
        ["(no event)" if name == UNREAD else name, *(str(counts[kind]) for kind in kinds)]
        for name, counts in sorted(survey.by_route.items())
    ]
    if rows:
        screen.print(table("By route", ["route", "#mapped", "#filtered", "#failed"], rows))
    if survey.errors:
        errors = [[name, str(number)] for name, number in survey.errors.most_common()]
        screen.print(table("Failures", ["stage/error", "#events"], errors))


def _show_changes(screen: Console, comparison: Comparison) -> None:
    if not comparison.events:
        screen.print("the other routes would change nothing", markup=False)
        return
    rows = [[route, change, str(number)] for (route, change), number in sorted(comparison.counts.items())]
    title = f"{comparison.events} events would change, {comparison.unchanged} would not"
    screen.print(table(title, ["route", "change", "#events"], rows))
    if comparison.fields:
        fields = [
            [route, path, str(change.events), *sides(change.first)] for route, path, change in comparison.most_changed()
        ]
        screen.print(table("Mapped differently", ["route", "field", "#events", "now, for one", "then"], fields))
    if comparison.causes:
        causes = [[one.route, one.stage, one.error, one.path, str(n)] for one, n in comparison.causes.most_common()]
        screen.print(table("Would fail", ["route", "stage", "error", "path", "#events"], causes))
    places = [
        [str(changed.origin), changed.route, changed.change, place.path, *sides(place)]
        for changed in sorted(comparison.first, key=lambda one: (one.route, one.change))
        for place in changed.places
    ]
    if places:
        screen.print(table("Examples", ["record", "route", "change", "where", "now", "then"], places))
