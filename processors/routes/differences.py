"""This module says where two JSON values differ, path by path."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from processors.event.strict_json import JsonObject, same_json


class AbsentValue:
    """Stands where a value has nothing."""

    def __repr__(self) -> str:
        return "nothing"


MISSING = AbsentValue()


@dataclass(frozen=True, slots=True)
class Difference:
    """One place: `path` as `detail.priority` or `resources.0`; a side that has nothing there is MISSING."""

    path: str
    before: Any
    after: Any

    def as_json(self) -> JsonObject:
        """The sides by name; one that is missing is left out."""
        sides = {"before": self.before, "after": self.after}
        return {"path": self.path, **{name: value for name, value in sides.items() if value is not MISSING}}


def differences(before: Any, after: Any, *, partial: bool = False, path: str = "") -> Iterator[Difference]:
    """Every place that differs. With `partial`, fields that only `after` has are free, but for lists."""
    if isinstance(before, dict) and isinstance(after, dict):
        names = [*before, *(name for name in after if name not in before and not partial)]
        for name in names:
            below = f"{path}.{name}" if path else str(name)
            yield from differences(before.get(name, MISSING), after.get(name, MISSING), partial=partial, path=below)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (left, right) in enumerate(zip(before, after, strict=True)):
            below = f"{path}.{index}" if path else str(index)
            yield from differences(left, right, path=below)
    elif not same_json(before, after):
        yield Difference(path or "the result", before, after)
