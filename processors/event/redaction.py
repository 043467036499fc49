"""This module masks fields of an event by path: `eventBody.ani`, `payload.customer.*`.

A path names fields from the top, by dots; `*` stands for every field of an object. Lists are passed through: the rest
of the path is looked for in each of their items. A path that leads nowhere masks nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from processors.event.strict_json import JsonObject

#: What stands where a value was. Not null: a schema that wants text still finds some.
MASK = "[redacted]"

Steps = tuple[str, ...]


def redactor(paths: Iterable[str]) -> Callable[[JsonObject], JsonObject] | None:
    """A function that gives an event with its fields masked, leaving its argument as it is; None for no paths.

    Raises ValueError for a path with an empty step.
    """
    wanted = [tuple(step.strip() for step in path.split(".")) for path in paths]
    if any(not step for steps in wanted for step in steps):
        raise ValueError("a path is field names between dots, such as eventBody.ani")
    if not wanted:
        return None

    def redact(event: JsonObject) -> JsonObject:
        for steps in wanted:
            event = _masked(event, steps)
        return event

    return redact


def _masked(value: Any, steps: Steps) -> Any:
    if isinstance(value, list):
        return [_masked(item, steps) for item in value]
    if not isinstance(value, dict):
        return value
    step, rest = steps[0], steps[1:]
    names = list(value) if step == "*" else [step] if step in value else []
    if not names:
        return value
    return {**value, **{name: _masked(value[name], rest) if rest else MASK for name in names}}
