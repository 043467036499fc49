"""This module reads what a JSON value holds at a path, where every member may be missing or of another kind.

Each goes its path itself: a snapshot is asked a hundred times, and a call costs more than a step.
"""

from __future__ import annotations

from typing import Any

from processors.event.strict_json import JsonObject


def value_at(value: Any, *path: str) -> Any:
    """The value at a path; None where there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def text(value: Any, *path: str) -> str | None:
    """A text that is not empty."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) and value else None


def member(value: Any, *path: str) -> JsonObject:
    """An object; an empty one where there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def objects(value: Any, *path: str) -> list[JsonObject]:
    """The objects of a list."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
