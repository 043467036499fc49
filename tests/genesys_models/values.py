"""This module makes values of a type: seeded, and as Genesys writes them."""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.genesys_models.shapes import enum, fields, inner

EPOCH = datetime(2026, 11, 23, 10, tzinfo=UTC)
DEEPEST = 7
WORDS = ("alpha", "Süd", "billing", "", "vip 1", "Größe", "x" * 40)
#: The SDK has no enum for it.
PURPOSES = ("customer", "acd", "agent", "ivr", "external", "user", "voicemail", "campaign", "workflow")
#: Integers that are epoch milliseconds although only their name says so.
EPOCH_FIELDS = re.compile(
    r"(event|flowOutcomeStart|flowOutcomeEnd|milestone|participantStart|callbackScheduled)Time"
    r"|eventTimeMs|(session|transcription)StartTimeMs|currentStateStart|sessionStart|timestamp"
)


def unique(rng: random.Random) -> str:
    """A UUID."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def body(model: str, rng: random.Random, above: tuple[str, ...] = ()) -> dict[str, Any]:
    """Every field of a model; `above` are the models that it is inside of, which say when a recursion has to end."""
    inside = (*above, model)
    if len(inside) > DEEPEST:
        return {}
    return {
        field: value(field, kind, rng, inside)
        for field, kind in fields(model).items()
        if kind not in inside  # a model inside itself: left out
    }


def value(field: str, kind: str, rng: random.Random, above: tuple[str, ...]) -> Any:
    """A value of this type, for a field of that name."""
    if kind in SCALARS:
        return SCALARS[kind](field, rng)
    if kind.startswith("enum "):
        return rng.choice(enum(kind))
    step, inside = inner(kind)
    if step == "[]":
        count = 0 if inside in above else rng.choice((1, 1, 2))
        return [value(field, inside, rng, above) for _ in range(count)]
    if step == "{}":
        names = () if inside in above else ("context.email", "plain key")
        return {name: value("value", inside, rng, above) for name in names}
    return body(kind, rng, above)


def _instant(rng: random.Random) -> datetime:
    return EPOCH + timedelta(milliseconds=rng.randrange(3_600_000))


def _iso(rng: random.Random) -> str:
    """Trailing zeros cut, now and then microseconds or an offset."""
    at = _instant(rng)
    text = at.strftime("%Y-%m-%dT%H:%M:%S")
    millis = f"{at.microsecond // 1000:03d}"
    forms = [
        f"{text}Z",
        f"{text}.{millis.rstrip('0') or '0'}Z",
        f"{text}.{millis}{rng.randrange(1000):03d}Z",
        f"{text}.{millis}+0000",
        f"{text}.{millis}+00:00",
    ]
    form = rng.randrange(8)
    return forms[form] if form < len(forms) else f"{text}.{millis}Z"


#: Text by the field's name, first match wins.
TEXTS: tuple[tuple[re.Pattern[str], Callable[[random.Random], str]], ...] = (
    (re.compile(r"id|\w+(Id|Ids|uuid)"), unique),
    (re.compile(r"weekDate|workday|date"), lambda rng: _instant(rng).date().isoformat()),
    (re.compile(r"date[A-Z]\w*|\w*(Date|DateTime|CompletedTime|[tT]imestamp|DateString)|invocationTime|created"), _iso),
    (re.compile(r"interval"), lambda _: "2026-11-23T10:00:00.000Z/2026-11-23T10:30:00.000Z"),
    (re.compile(r"ani|dnis|phoneNumber|callbackNumbers"), lambda rng: f"tel:+1555{rng.randrange(10**7):07d}"),
    (re.compile(r"\w*([uU]ri|[uU]rl)s?"), lambda rng: f"https://example.invalid/{unique(rng)}"),
    (re.compile(r"\w*[eE]mail"), lambda rng: f"someone{rng.randrange(100)}@example.invalid"),
    (re.compile(r"language"), lambda _: "en-us"),
    (re.compile(r"purpose"), lambda rng: rng.choice(PURPOSES)),
)


def _text(field: str, rng: random.Random) -> str:
    for pattern, make in TEXTS:
        if pattern.fullmatch(field):
            return make(rng)
    return rng.choice(WORDS)


def _integer(field: str, rng: random.Random) -> int:
    if EPOCH_FIELDS.fullmatch(field):
        return int(_instant(rng).timestamp() * 1000)
    if field.endswith(("Ms", "Milliseconds")):
        return rng.randrange(0, 600_000)
    return rng.choice((0, 1, rng.randrange(2, 100)))


SCALARS: dict[str, Callable[[str, random.Random], Any]] = {
    "string": _text,
    "integer": _integer,
    "number": lambda _, rng: rng.choice((0, 1.0, round(rng.uniform(0, 100), 3))),
    "boolean": lambda _, rng: rng.random() < 0.5,
    "datetime": lambda _, rng: _iso(rng),
    "date": lambda _, rng: _instant(rng).date().isoformat(),
    "object": lambda _, rng: {"any": rng.choice((None, 1, "text", [True]))},
}
