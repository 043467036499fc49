"""This module compiles JSONata. One engine leads; a route runs on it whatever its events hold.

`jsonatapy` (Rust) leads where there is a wheel of it: it does what JSONata itself does but for the functions that
processors/routes/jsonata/functions.py does instead. `jsonata-python` runs routes elsewhere, refuses at the start what
it would do otherwise, and gives `routes test` a second opinion.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, Protocol

from processors.event.errors import RouteError
from processors.event.identity import SourceEvent, conversation_id
from processors.genesys.digest import digest
from processors.genesys.times import event_time
from processors.routes.jsonata.text import Position, tokens

#: Bounds of one evaluation: milliseconds, nested calls, elements of a sequence.
TIMEOUT_MS = 1_000
MAX_STACK = 200
MAX_SEQUENCE = 100_000


class ExpressionError(Exception):
    """An expression did not compile or raised while running.

    `timeout`: a bound of time or depth was met. `crash`: memory ran out. `offset`: the character of the text.
    """

    def __init__(self, message: str, *, timeout: bool = False, crash: bool = False, offset: int | None = None) -> None:
        super().__init__(message[:500])
        self.timeout = timeout
        self.crash = crash
        self.offset = offset

    @property
    def kind(self) -> str:
        """The end of the failure's code."""
        return "Timeout" if self.timeout else "Crash" if self.crash else "Error"


#: Functions that expressions may call beside JSONata's own. None gives nothing: the engines differ in what it is.
FUNCTIONS: dict[str, Callable[[SourceEvent], Any]] = {
    "conversation": lambda event: digest(event.body),
    "conversationId": lambda event: conversation_id(event.body) or "",
    "eventId": lambda event: event.event_id,
    "eventTime": lambda event: event_time(event.body),
    "uuidv4": lambda event: str(uuid.uuid4()),
}


class Expression(Protocol):
    """A compiled expression."""

    def __call__(self, event: SourceEvent) -> Any:
        """Evaluate on `event.body`, which stays as it is. Raises ExpressionError."""


class Engine(Protocol):
    """What compiles expressions. `name` is the library's."""

    @property
    def name(self) -> str: ...

    def compile(self, text: str, timeout_ms: int) -> Expression:
        """Raises ExpressionError."""


#: Makes a text into what is compiled of it.
Wrap = Callable[[str], str]


def as_predicate(text: str) -> str:
    """A filter's text, cast to a boolean by JSONata's own rules (undefined stays undefined: not ours)."""
    return f"$boolean((\n{text}\n))"


def compile_text(
    text: str, engine: Engine, name: str, timeout_ms: int = TIMEOUT_MS, *, wrap: Wrap = lambda text: text
) -> Expression:
    """Compile for start-up; one evaluation may take `timeout_ms`. Raises RouteError naming file, line and column."""
    if next(tokens(text), None) is None:
        reason = "it is empty; a filter that takes every event is `true`"
        raise RouteError(f"{name}: the JSONata does not compile: {reason}", reason=reason)
    try:
        # As it stands first: in what it is wrapped in, an unpaired bracket would find its pair.
        engine.compile(text, timeout_ms)
        return engine.compile(wrap(text), timeout_ms)
    except ExpressionError as error:
        if error.offset is None:
            raise RouteError(f"{name}: the JSONata does not compile: {error}", reason=str(error)) from None
        offset = min(error.offset, len(text))
        at = Position.of(text, offset)
        message = f"{name}:{at.line}:{at.column}: the JSONata does not compile: {error}: in `{at.text}`"
        raise RouteError(message, reason=str(error), offset=offset) from None
