"""This module reads the shapes: the topics, the model of each, its fields, and whether a body is of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast

HERE = Path(__file__).parent
SCALARS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "datetime": (str,),
    "date": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "object": (object,),
}


@cache
def _data(name: str) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads((HERE / name).read_text(encoding="utf-8")))


def topics() -> list[str]:
    """Every topic template, sorted."""
    return sorted(_data("topics.json")["topics"])


def facts(topic: str) -> dict[str, Any]:
    """What `facts.json` says of a topic template."""
    return cast("dict[str, Any]", _data("facts.json")[topic])


def model_of(topic: str) -> str:
    """The name of the model of its body."""
    return str(_data("topics.json")["topics"][topic])


def is_model(kind: str) -> bool:
    return kind in _data("topics.json")["models"]


def fields(model: str) -> dict[str, str]:
    """Name and type of each field."""
    return cast("dict[str, str]", _data("topics.json")["models"][model])


def enum(kind: str) -> list[Any]:
    """The values of a type `enum <name>`."""
    return cast("list[Any]", _data("topics.json")["enums"][kind.removeprefix("enum ")])


def inner(kind: str) -> tuple[str, str]:
    """The step which reaches into a type (`[]`, `{}` or nothing), and the type found there."""
    if kind.startswith("["):
        return "[]", kind[1:-1]
    if kind.startswith("{"):
        return "{}", kind[1:-1].partition(": ")[2]
    return "", kind


def departures(topic: str, body: object) -> list[str]:
    """Where a body is not of its topic's shape: paths of unknown fields and of values of another type."""
    return list(_departures(model_of(topic), body, ""))


def _departures(kind: str, value: object, path: str) -> Iterator[str]:
    step, inside = inner(kind)
    if value is None:
        return
    if step == "[]" and isinstance(value, list):
        for item in value:
            yield from _departures(inside, item, f"{path}[]")
    elif step == "{}" and isinstance(value, dict):
        for item in value.values():
            yield from _departures(inside, item, f"{path}{{}}")
    elif is_model(kind) and isinstance(value, dict):
        known = fields(kind)
        for name, item in value.items():
            below = f"{path}.{name}".lstrip(".")
            if name in known:
                yield from _departures(known[name], item, below)
            else:
                yield below
    elif not _is_scalar(kind, value):
        yield path


def _is_scalar(kind: str, value: object) -> bool:
    if kind.startswith("enum "):
        return isinstance(value, str) and value.casefold() in {str(one).casefold() for one in enum(kind)}
    if isinstance(value, bool) and kind not in ("boolean", "object"):
        return False
    return isinstance(value, SCALARS.get(kind, ()))
