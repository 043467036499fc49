"""This module puts failures that have one cause together: same stage, error, route and violated paths."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from processors.event.strict_json import JsonObject

#: Violated paths that a cluster names; what breaks more of its schema has its first ones in common.
MAX_PATHS = 3


@dataclass(frozen=True, slots=True, order=True)
class FailureCluster:
    """What failures have in common; `path` names the violated paths, or is empty."""

    stage: str
    error: str
    route: str
    path: str

    def as_json(self) -> JsonObject:
        return asdict(self)


def cluster_of(record: JsonObject) -> FailureCluster:
    """Where a failure record belongs; what is no record has empty names."""
    paths = sorted(set(paths_of(record)))
    more = [f"and {len(paths) - MAX_PATHS} more"] if len(paths) > MAX_PATHS else []
    stage, error, route = (str(record.get(name) or "") for name in ("stage", "error", "route"))
    return FailureCluster(stage, error, route, ", ".join([*paths[:MAX_PATHS], *more]))


def paths_of(record: JsonObject) -> Iterator[str]:
    """The paths that the record says are violated."""
    details: Any = record.get("details")
    for detail in details if isinstance(details, list) else ():
        path = detail.get("path") if isinstance(detail, dict) else None
        if isinstance(path, str):
            yield path


def is_under(path: str, wanted: str) -> bool:
    """Whether a violated path is the wanted one, or inside it."""
    return path == wanted or path.startswith((f"{wanted}.", f"{wanted}["))
