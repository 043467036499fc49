"""This module reads what is to be simulated, and says what each route makes of it.

Three things can be asked: a whole event of any shape; a few words of which an event is built; or an event together with
a route, texts of one, or both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from processors.event.identity import identify
from processors.event.strict_json import JsonObject
from processors.routes.entry_limits import unread_fields
from processors.routes.outcome import Failed, Mapped, Outcome
from processors.routes.routes import Routes, outcomes_of

#: What a simulated event is made of; all are text.
FIELDS = ("interactionId", "type", "priority", "createdTime")


#: What is asked about an event of one's own; all but the event may be left out.
QUESTION = ("event", "filter", "mapping", "schema", "route")


@dataclass(frozen=True, slots=True)
class Question:
    """An event, as JSON, and what to try it on: every route, `route`, or that one with other texts.

    A text that is None is that of the route; without a route, that which takes any event, passes it on and allows it.
    """

    event: str
    filter: str | None = None
    mapping: str | None = None
    schema: str | None = None
    route: str | None = None

    @property
    def is_draft(self) -> bool:
        """Whether it brings texts of its own."""
        return not (self.filter is None and self.mapping is None and self.schema is None)


def is_short(body: JsonObject) -> bool:
    """Whether an object is the short form: `interactionId` is in no event, the other fields may be."""
    return "interactionId" in body or set(body) <= set(FIELDS)


def event_of_example(body: JsonObject) -> JsonObject | None:
    """The event of what is an example of a route, `{"event": …, "expect": …}`, or asks so; None for anything else."""
    event = body.get("event")
    return event if set(body) <= {"event", "expect"} and isinstance(event, dict) else None


#: A field that marks an object as a whole event: of the event stream, of a notification, of an integration's envelope.
_OF_EVENTS = ("resourceType", "eventType", "payload", "topicName", "eventBody", "detail-type")


def is_whole(body: JsonObject) -> bool:
    """Whether an object is an event by itself; one of a shape that nobody knows is given as `{"event": …}`."""
    return any(name in body for name in _OF_EVENTS) and "interactionId" not in body


def question(body: JsonObject) -> Question | None:
    """What is asked; None for what is an event itself, or the short form. Raises ValueError.

    An event or a schema may be JSON, or the text of it: so mistakes in it have a line. What an example of a route has
    to `expect` is not looked at.
    """
    if "event" not in body or is_whole(body):
        return None
    if unknown := set(body) - {*QUESTION, "expect"}:
        known = ", ".join(QUESTION[1:])
        raise ValueError(f"unknown field {', '.join(sorted(unknown))} beside event: give any of {known}")
    texts = {name: body.get(name) for name in ("filter", "mapping", "route")}
    wrong = [name for name, value in texts.items() if not isinstance(value, str | None)]
    if wrong:
        raise ValueError(f"{', '.join(wrong)} must be text")
    schema = body.get("schema")
    return Question(_json_text(body["event"]), schema=None if schema is None else _json_text(schema), **texts)


def _json_text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def simulated_event(fields: JsonObject, *, interaction_id: str, now: str) -> JsonObject:
    """A stream event of `fields`; what is missing is a voice call of high priority, just now.

    Raises ValueError for an unknown field or one that is not text.
    """
    unknown = [name for name in fields if name not in FIELDS]
    if unknown:
        raise ValueError(f"unknown field {', '.join(unknown)}: give any of {', '.join(FIELDS)}, or a whole event")
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
        note = unread_fields(outcome.entry)
        return {"outcome": "mapped", "event": outcome.entry, **({"note": note} if note else {})}
    if isinstance(outcome, Failed):
        return {"outcome": "failed", **outcome.as_json()}
    return {"outcome": "filtered"}
