"""This module masks fields of an event by path: `eventBody.ani`, `payload.customer.*`.

A path names fields from the top, by dots; `*` stands for every field of an object. Lists are passed through: the rest
of the path is looked for in each of their items. A field whose own name has dots in it (`context.email`) is meant as
well: wherever steps of a path, joined, are a name that is there, it is masked, and `context.*` means all names that
begin with `context.`. A path that leads nowhere masks nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from processors.event.strict_json import JsonObject

#: What stands where a value was. Not null: a schema that wants text still finds some.
MASK = "[redacted]"

#: The fields that events of Genesys have at their top: notifications, and events of the HTTP stream.
TOPS = frozenset(
    {"topicName", "version", "eventBody", "metadata", "timestamp", "queue"}
    | {"id", "resourceType", "eventType", "createdTime", "payload"}
)

_PATH = "a path is field names between dots, such as eventBody.ani"

Steps = tuple[str, ...]


def redactor(paths: Iterable[str]) -> Callable[[JsonObject], JsonObject] | None:
    """A function that gives an event with its fields masked, leaving its argument as it is; None for no paths.

    Raises ValueError for a path with an empty step.
    """
    wanted = [tuple(step.strip() for step in path.split(".")) for path in paths]
    if any(not step for steps in wanted for step in steps):
        raise ValueError(_PATH)
    if not wanted:
        return None

    def redact(event: JsonObject) -> JsonObject:
        for steps in wanted:
            event = _masked(event, steps)
        return event

    return redact


def objection(path: str, *, from_genesys: bool) -> str | None:
    """Why a path can never match, in words; None when it may. `from_genesys`: no events come of any other shape."""
    if path.startswith("$") or any(sign in path for sign in "[]/"):  # JSONPath or JSONata
        return f"{path}: {_PATH}; lists need no step"
    steps = [step.strip() for step in path.split(".")]
    if any("*" in step and step != "*" for step in steps):
        return f"{path}: {_PATH}; * stands for all fields of an object, not for a part of a name"
    if steps[0] == "detail" and steps[1:2] in (["eventBody"], ["metadata"], ["topicName"]):
        return f"{path}: the envelope of an EventBridge integration is taken off before: write {'.'.join(steps[1:])}"
    if from_genesys and steps[0] != "*" and steps[0] not in TOPS:
        return (
            f"{path}: no event has {steps[0]} at its top; begin with eventBody for what a notification holds, "
            "with payload for an event of the HTTP stream"
        )
    return None


def _masked(value: Any, steps: Steps) -> Any:
    if isinstance(value, list):
        return [_masked(item, steps) for item in value]
    if not isinstance(value, dict):
        return value
    masked = value
    if steps[0] == "*":
        masked = {name: _below(item, steps[1:]) for name, item in value.items()}
    for end in range(1, len(steps) + 1):
        joined = ".".join(steps[:end])
        is_each = end > 1 and joined.endswith(".*")
        for name in (one for one in value if (one.startswith(joined[:-1]) if is_each else one == joined != "*")):
            masked = {**masked, name: _below(masked[name], steps[end:])}
    return masked


def _below(value: Any, rest: Steps) -> Any:
    return _masked(value, rest) if rest else MASK
