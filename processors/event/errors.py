"""This module holds the errors that a single event can end with.

PipelineError              one event cannot go on; becomes one failure record
├── MalformedEventError    the bytes are not an event              stage "source"
├── FilterError            a route's filter raised                 stage "filter"
├── MappingError           a route's mapping raised                stage "transform"
└── InvalidEventError      the mapped event breaks its schema      stage "validate"
RouteError                 a route folder is wrong; ends start-up, never an event
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

StageName = Literal["source", "filter", "transform", "validate", "publish"]


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule: `path` as `detail.priority`, `rule` as the schema's keyword."""

    path: str
    rule: str
    message: str = ""

    def as_json(self) -> dict[str, str]:
        return {"path": self.path, "rule": self.rule, **({"message": self.message} if self.message else {})}


class PipelineError(Exception):
    """One event cannot go on. `code` is the failure record's `error`."""

    stage: ClassVar[StageName]
    code: str

    def __init__(self, message: str, *, code: str | None = None, details: Sequence[Violation] = ()) -> None:
        super().__init__(message)
        self.code = code or type(self).__name__.removesuffix("Error")
        self.details = tuple(details)


class MalformedEventError(PipelineError):
    stage = "source"


class FilterError(PipelineError):
    stage = "filter"


class MappingError(PipelineError):
    stage = "transform"


class InvalidEventError(PipelineError):
    stage = "validate"


class RouteError(Exception):
    """A route folder is wrong; the text names the file and the remedy.

    `reason`: the same without the file's name; `offset`: the character of an expression that it is about, `pointer`:
    the place in a schema, where either is known.
    """

    def __init__(
        self, message: str, *, reason: str = "", offset: int | None = None, pointer: str | None = None
    ) -> None:
        super().__init__(message)
        self.reason = reason or message
        self.offset, self.pointer = offset, pointer
