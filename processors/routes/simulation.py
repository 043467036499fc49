"""This module builds an event from a few words and says what each route makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from processors.event.identity import identify
from processors.event.strict_json import JsonObject
from processors.routes.outcome import Failed, Mapped, Outcome
from processors.routes.routes import Routes, outcomes_of

#: What a simulated event is made of; all are text.
FIELDS = ("interactionId", "type", "priority", "createdTime")


def simulated_event(fields: JsonObject, *, interaction_id: str, now: str) -> JsonObject:
    """A stream event of `fields`; what is missing is a voice call of high priority, just now.

    Raises ValueError for an unknown field or one that is not text.
    """
    unknown = [name for name in fields if name not in FIELDS]
    if unknown:
        raise ValueError(f"unknown field {', '.join(unknown)}: give any of {', '.join(FIELDS)}")
    wrong = [name for name, value in fields.items() if not isinstance(value, str)]
    if wrong:
        raise ValueError(f"{', '.join(wrong)} must be text")
    return {
        "id": fields.get("interactionId", interaction_id),
        "resourceType": "interaction",
        "eventType": "created",
        "createdTime": fields.get("createdTime", now),
        "payload": {"type": fields.get("type", "voice"), "priority": fields.get("priority", "high")},
    }


def run(routes: Routes, body: JsonObject, received_at: int | None = None) -> JsonObject:
    """Try an event, received then (epoch ms), on every route; nothing is written anywhere."""
    outcomes = outcomes_of(routes, identify(body, received_at=received_at))
    return described(body, [*outcomes.items()], {one.name: one.engine for one in routes})


def described(body: JsonObject, outcomes: Sequence[tuple[str, Outcome]], engines: Mapping[str, str]) -> JsonObject:
    """What came of an event, by route.

    Gives `{"status": "simulated" | "validation_failed", "outcome": "mapped" | "filtered" | "failed",
    "originalEvent", "transformedEvent", "routes": [{"route", "engine", "outcome", …}]}`, and for a failure `error` and
    `details` of the first one.
    """
    failed = [outcome for _, outcome in outcomes if isinstance(outcome, Failed)]
    mapped = [outcome for _, outcome in outcomes if isinstance(outcome, Mapped)]
    result: JsonObject = {
        "status": "validation_failed" if failed else "simulated",
        "outcome": "failed" if failed else "mapped" if mapped else "filtered",
        "originalEvent": body,
        "transformedEvent": mapped[0].entry if mapped else failed[0].transformed if failed else None,
        "routes": [{"route": name, "engine": engines.get(name), **_describe(outcome)} for name, outcome in outcomes],
    }
    if failed:
        first = failed[0]
        result |= {"error": first.message, "details": [violation.as_json() for violation in first.details]}
    return result


def _describe(outcome: Outcome) -> JsonObject:
    if isinstance(outcome, Mapped):
        return {"outcome": "mapped", "event": outcome.entry}
    if isinstance(outcome, Failed):
        return {"outcome": "failed", **outcome.as_json()}
    return {"outcome": "filtered"}
