"""This module makes the variations of a topic's event: each field absent, null, present.

For each topic: `minimal` (an empty body), `bare` (the conversation's id alone), `full` (every field), `nulls` (every
field null), `deep-nulls` (every list and object there, every value in them null), `null-items` (every list begins with
a null), `empties` (every list, map and object empty), `floats` (every number a float: priority 5.0), and for each path
down to a depth (`participants`, `participants[].queueId`) `absent:<path>` and `null:<path>`: full, but for this field.
The same topic and seed give the same events. Where the topic's name and the body tell the same object, the ids agree.
"""

from __future__ import annotations

import copy
import itertools
import random
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tests.genesys_models.shapes import facts, fields, inner, is_model, model_of
from tests.genesys_models.values import body as body_of
from tests.genesys_models.values import unique

Frame = dict[str, Any]


class Variation(NamedTuple):
    """One generated notification; `ids`: those in its topic's name, in order, `conversation` where there is one."""

    topic: str
    name: str
    frame: Frame
    ids: tuple[str, ...]
    conversation: str


def variations(topic: str, seed: int = 0, depth: int = 2) -> Iterator[Variation]:
    """Every variation of a topic's event; one per path down to this depth."""
    rng = random.Random(f"{seed}:{topic}")
    known = facts(topic)
    ids = {kind: _id(kind, rng) for kind in known["ids"]}
    left = iter(ids.values())
    name = re.sub(r"\{id\}", lambda _: next(left), topic)
    full = body_of(model_of(topic), rng)
    _agree(full, topic, ids)
    conversation = ids.get("conversation") or unique(rng)
    if known["conversation"]:
        _put(full, known["conversation"], conversation)
    for variation, body in _bodies(topic, full, known["conversation"], conversation, depth):
        metadata = {"CorrelationId": unique(rng)}
        frame = {"topicName": name, "version": "2", "eventBody": body, "metadata": metadata}
        yield Variation(topic, variation, frame, tuple(ids.values()), conversation)


def _bodies(
    topic: str, full: dict[str, Any], path: str | None, conversation: str, depth: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "minimal", {}
    if path:
        bare: dict[str, Any] = {}
        _put(bare, path, conversation)
        yield "bare", bare
    yield "full", copy.deepcopy(full)
    yield "nulls", dict.fromkeys(full)
    yield "deep-nulls", _map_leaves(full, lambda _: None)
    yield "null-items", _null_items(full)
    yield "empties", {field: _emptied(value) for field, value in full.items()}
    yield "floats", _map_leaves(full, _float)
    for one, kind in itertools.product(paths(model_of(topic), depth), ("absent", "null")):
        body = copy.deepcopy(full)
        places = [(holder, field) for holder, field in _holders(body, one) if field in holder]
        for holder, field in places:
            if kind == "absent":
                del holder[field]
            else:
                holder[field] = None
        if places:
            yield f"{kind}:{one}", body


def paths(model: str, depth: int) -> Iterator[str]:
    """Every path of a model: `a`, `a.b` or, for each item of a list or map, `a[].b`, `a{}.b`."""
    for field, kind in fields(model).items():
        yield field
        step, inside = inner(kind)
        if depth > 1 and is_model(inside):
            yield from (f"{field}{step}.{below}" for below in paths(inside, depth - 1))


def _holders(body: Any, path: str) -> list[tuple[dict[str, Any], str]]:
    """The objects that hold the path's last field, with its name."""
    *steps, last = path.split(".")
    found = [body]
    for step in steps:
        name = step.rstrip("[]{}")
        values = [item[name] for item in found if isinstance(item, dict) and name in item]
        if step.endswith("[]"):
            values = [item for value in values for item in value or ()]
        elif step.endswith("{}"):
            values = [item for value in values for item in (value or {}).values()]
        found = values
    return [(item, last) for item in found if isinstance(item, dict)]


def _put(body: dict[str, Any], path: str, value: Any) -> None:
    """Set a plain path (no lists), making the objects on the way."""
    *steps, last = path.split(".")
    for step in steps:
        body = body.setdefault(step, {})
    body[last] = value


def _map_leaves(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return {name: _map_leaves(item, change) for name, item in value.items()}
    if isinstance(value, list):
        return [_map_leaves(item, change) for item in value]
    return change(value)


def _emptied(value: Any) -> Any:
    return {} if isinstance(value, dict) else [] if isinstance(value, list) else value


def _null_items(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _null_items(item) for name, item in value.items()}
    return [None, *map(_null_items, value)] if isinstance(value, list) else value


def _float(value: Any) -> Any:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _id(kind: str, rng: random.Random) -> str:
    """An id for a placeholder of a topic's name."""
    if kind == "channel":
        return f"streaming-0-{unique(rng)[:8]}"
    return {"entityType": "queues", "systemTopicType": "notice"}.get(kind) or unique(rng)


def _agree(body: dict[str, Any], topic: str, ids: dict[str, str]) -> None:
    """Put the ids of the topic's name where the body tells the same object."""
    known, shape = facts(topic), fields(model_of(topic))
    for kind, value in ids.items():
        if f"{kind}Id" in shape:
            body[f"{kind}Id"] = value
    own = topic.endswith("{id}") and known["key"] == [f"topic:{len(ids)}"]
    if "id" in shape and (own or known["family"] == "user state"):
        body["id"] = list(ids.values())[-1]
    for participant in body.get("participants") or ():
        if participant.get("purpose") == "acd" and "queue" in ids:
            if "queueId" in participant:
                participant["queueId"] = ids["queue"]
            elif isinstance(participant.get("queue"), dict):
                participant["queue"]["id"] = ids["queue"]
