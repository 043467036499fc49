"""This module names the ways in which a stage ends an event: forwarded, reported or dropped."""

from __future__ import annotations

from dataclasses import dataclass, field

from processors.event.errors import PipelineError, StageName, Violation
from processors.event.strict_json import JsonObject


@dataclass(frozen=True, slots=True)
class Mapped:
    """A route took the event and made `{source, detail-type, detail, time, resources, id}` of it.

    `written` is the entry as JSON.
    """

    route: str
    entry: JsonObject
    written: bytes = field(default=b"", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Filtered:
    """No route takes the event: it is counted and goes no further."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The event cannot go on: it becomes a failure record. `error` is a short code, `message` says more.

    `engine`: the JSONata engine that the route ran on, where one did.
    """

    stage: StageName
    error: str
    message: str
    details: tuple[Violation, ...] = ()
    route: str | None = None
    transformed: JsonObject | None = None
    attempts: int = 0
    engine: str | None = field(default=None, compare=False)

    def as_json(self) -> JsonObject:
        """What is wrong, without the event."""
        details = [violation.as_json() for violation in self.details]
        return {"stage": self.stage, "error": self.error, "message": self.message, "details": details}

    @classmethod
    def of(
        cls,
        error: PipelineError,
        route: str | None = None,
        transformed: JsonObject | None = None,
        engine: str | None = None,
    ) -> Failed:
        return cls(error.stage, error.code, str(error), error.details, route, transformed, engine=engine)


Outcome = Mapped | Filtered | Failed
