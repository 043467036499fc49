"""This module tells the story of an event, from records of the topics that name it.

What no record says is told from what Kafka has committed: an event that the group has passed, and that stands in no
other topic, was taken by no route or put out before; an entry that it has passed without a failure is on the bus.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from processors.delivery.publications import Publication
from processors.event.formats import iso
from processors.event.headers import Meta, Origin
from processors.event.strict_json import JsonObject
from processors.replay.clusters import paths_of
from processors.replay.redrive_notes import Note

#: A topic of the flow.
Topic = Literal["raw", "validated", "failures"]

#: How steps of one moment stand to each other.
_ORDER = (
    *("gap", "received", "redriven", "replayed", "backfilled", "raw", "route", "validated", "attempt"),
    *("published", "failed", "waiting"),
)


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """One record that names the event. `what`: the event in a few words; `record`: what a failure record says."""

    topic: Topic
    place: Origin
    at_ms: int
    key: str
    event_id: str
    meta: Meta
    what: str = ""
    record: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known beside the records. `committed`: of each topic and partition; `tried`: what the routes of now make
    of the event at a place of `raw`, by route.
    """

    committed: Mapping[tuple[Topic, int], int] = field(default_factory=dict)
    publications: Sequence[Publication] = ()
    notes: Sequence[Note] = ()
    gaps: Sequence[JsonObject] = ()
    tried: Mapping[Origin, Mapping[str, str]] = field(default_factory=dict)

    def is_passed(self, one: FoundRecord) -> bool | None:
        """Whether the group has ended with a record; None when Kafka does not say."""
        committed = self.committed.get((one.topic, one.place.partition))
        return None if committed is None else one.place.offset < committed


@dataclass(slots=True)
class _Steps:
    found: list[tuple[int, int, int, JsonObject]] = field(default_factory=list)

    def add(self, at_ms: int, kind: str, shown: JsonObject, *, at: int | None) -> None:
        """A step that stands at `at_ms` among the others; `at` is when it was, None where nobody knows to the ms."""
        step = {"at": iso(at) if at is not None else None, "kind": kind, **shown}
        self.found.append((at_ms, _ORDER.index(kind), len(self.found), step))


def story(records: Iterable[FoundRecord], facts: Facts) -> list[JsonObject]:
    """The steps, in order."""
    by_topic: dict[str, list[FoundRecord]] = {"raw": [], "validated": [], "failures": []}
    for one in sorted(records, key=lambda one: (one.at_ms, one.place.offset)):
        by_topic[one.topic].append(one)
    steps = _Steps()
    for one in by_topic["raw"]:
        _came(steps, one)
        _routed(steps, one, by_topic, facts)
    for one in by_topic["validated"]:
        _mapped(steps, one, by_topic["failures"], facts)
    for one in by_topic["failures"]:
        _failed(steps, one)
    for note in facts.notes:
        shown = {"eventId": note.place.identity, "run": note.run, "into": note.place.topic, "route": note.place.route}
        steps.add(note.at_ms, "redriven", shown, at=note.at_ms)
    for gap in facts.gaps:
        shown = {name: gap.get(name) for name in ("part", "state", "events", "reason")}
        shown["source"] = f"{gap['topic']} {gap.get('part')}" if "topic" in gap else f"part {gap.get('part')}"
        steps.add(gap["start_ms"], "gap", shown | {"to": iso(gap["end_ms"])}, at=gap["start_ms"])
    return [step for *_, step in sorted(steps.found, key=lambda one: one[:3])]


def _named(one: FoundRecord) -> JsonObject:
    return {"eventId": one.event_id, "key": one.key}


def _place(place: Origin) -> JsonObject:
    return {"topic": place.topic, "partition": place.partition, "offset": place.offset}


def _came(steps: _Steps, one: FoundRecord) -> None:
    """How an event came to `raw`."""
    meta, shown = one.meta, {**_named(one), "what": one.what}
    command = meta.command
    if command in ("replay", "backfill"):
        steps.add(
            one.at_ms, "replayed" if command == "replay" else "backfilled", shown | {"run": meta.replayed}, at=one.at_ms
        )
    elif meta.received_at is not None and command is None:
        steps.add(min(meta.received_at, one.at_ms), "received", shown, at=meta.received_at)
    steps.add(one.at_ms, "raw", shown | _place(one.place) | {"run": meta.replayed}, at=one.at_ms)


def _routed(steps: _Steps, one: FoundRecord, by_topic: Mapping[str, Sequence[FoundRecord]], facts: Facts) -> None:
    """What the routes made of an event of `raw`."""
    mapped = [other for other in by_topic["validated"] if other.meta.origin == one.place]
    failed = [other for other in by_topic["failures"] if other.meta.origin == one.place and not _is_publish(other)]
    ends = {other.meta.route or "": "mapped" for other in mapped}
    ends |= {other.meta.route or "": "failed" for other in failed}
    passed = facts.is_passed(one)
    if not ends and passed is False:
        steps.add(one.at_ms, "waiting", _named(one) | {"on": "raw"}, at=None)
        return
    now = facts.tried.get(one.place, {})
    others = {route: _left(outcome) for route, outcome in now.items() if route not in ends}
    routes = [{"route": route or None, "outcome": end} for route, end in sorted({**ends, **others}.items())]
    if routes or passed:
        last = max([one.at_ms, *(other.at_ms for other in (*mapped, *failed))])
        outcome = "failed" if failed else "mapped" if mapped else _nothing(others)
        shown = {"outcome": outcome, "routes": routes}
        steps.add(last if ends else one.at_ms, "route", _named(one) | shown, at=last if ends else None)


def _left(outcome: str) -> str:
    """What a route did with an event that it left no record of, by what it would do now."""
    return "filtered" if outcome == "filtered" else "repeated"


def _nothing(others: Mapping[str, str]) -> str:
    """Why an event stands in no other topic: what a route would map now was put out before, or mapped otherwise."""
    return "repeated" if "repeated" in others.values() else "filtered"


def _mapped(steps: _Steps, one: FoundRecord, failures: Sequence[FoundRecord], facts: Facts) -> None:
    """How an entry came to `validated` and went to the bus."""
    shown = {**_named(one), "route": one.meta.route}
    steps.add(one.at_ms, "validated", shown | _place(one.place) | {"run": one.meta.replayed}, at=one.at_ms)
    answered = [
        publication
        for publication in facts.publications
        if (publication.partition, publication.offset) == (one.place.partition, one.place.offset)
    ]
    for publication in answered:
        for number, code in enumerate(publication.codes, 1):
            steps.add(one.at_ms, "attempt", shown | {"number": number, "code": code}, at=None)
    accepted = next((publication for publication in answered if publication.entry_id), None)
    if accepted is not None:
        ids = {"entryId": accepted.entry_id, "attempts": len(accepted.codes) + 1}
        steps.add(accepted.at_ms, "published", shown | ids, at=accepted.at_ms)
        return
    if any(_is_of(failure, one) for failure in failures):
        return
    passed = facts.is_passed(one)
    if passed:
        why = "the group has passed it, and no failure names it"
        steps.add(one.at_ms, "published", shown | {"entryId": None, "inferred": why}, at=None)
    elif passed is False:
        steps.add(one.at_ms, "waiting", shown | {"on": "validated"}, at=None)


def _is_publish(failure: FoundRecord) -> bool:
    return failure.record.get("stage") == "publish"


def _is_of(failure: FoundRecord, entry: FoundRecord) -> bool:
    """Whether a failure is that of an entry: made of the same event by the same route, and written later."""
    if not _is_publish(failure) or failure.at_ms < entry.at_ms:
        return False
    return failure.meta.origin in (entry.meta.origin, entry.place) and failure.meta.route == entry.meta.route


def _failed(steps: _Steps, one: FoundRecord) -> None:
    record = one.record
    shown = {name: record.get(name) for name in ("stage", "error", "message", "route", "retryAttempt")}
    details = record.get("details")
    shown["details"] = details if isinstance(details, list) else []
    shown["paths"] = sorted(set(paths_of(record)))
    steps.add(one.at_ms, "failed", _named(one) | shown | _place(one.place), at=one.at_ms)
