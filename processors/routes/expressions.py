"""This module compiles JSONata, in two engines that must agree.

`jsonata-python` is the reference; `jsonatapy` (Rust) is some twenty times faster. A route runs on the fast
one only when both give the same answer for every example of the route (processors/routes/route.py decides).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, Protocol

import jsonata
from jsonata.jexception import JException

from processors.event.errors import RouteError
from processors.event.identity import Event, conversation_id
from processors.event.strict_json import JsonObject, numbers
from processors.genesys.digest import digest
from processors.genesys.times import event_time

try:
    import jsonatapy
except ImportError:  # the fast engine has no wheel for every platform; the reference always works
    jsonatapy = None  # type: ignore[assignment]

#: Bounds of one evaluation: milliseconds, nested calls, elements of a sequence.
TIMEOUT_MS = 1_000
MAX_STACK = 200
MAX_SEQUENCE = 100_000


class ExpressionError(Exception):
    """An expression did not compile or raised while running.

    `timeout`: a bound of time or depth was met. `crash`: memory ran out.
    """

    def __init__(self, message: str, *, timeout: bool = False, crash: bool = False) -> None:
        super().__init__(message[:500])
        self.timeout = timeout
        self.crash = crash

    @property
    def kind(self) -> str:
        """The end of the failure's code."""
        return "Timeout" if self.timeout else "Crash" if self.crash else "Error"


#: Integers up to here are the same in every JSONata engine; beyond, doubles lose digits.
EXACT = 2**53


def engines_may_differ(body: JsonObject) -> bool:
    """Whether the engines may read or write a number of the event differently.

    They do so beyond 2**53, where the fast one keeps doubles, and for floats without a fraction (`1.0`),
    which they turn into text differently.
    """
    return any(number.is_integer() if isinstance(number, float) else abs(number) > EXACT for number in numbers(body))


#: Functions that expressions may call beside JSONata's own. None gives nothing: the engines differ in what it is.
FUNCTIONS: dict[str, Callable[[Event], Any]] = {
    "conversation": lambda event: digest(event.body),
    "conversationId": lambda event: conversation_id(event.body) or "",
    "eventId": lambda event: event.event_id,
    "eventTime": lambda event: event_time(event.body),
    "uuidv4": lambda event: str(uuid.uuid4()),
}


class Expression(Protocol):
    """A compiled expression."""

    def __call__(self, event: Event) -> Any:
        """Evaluate on `event.body`. Raises ExpressionError."""


class ReferenceExpression:
    """JSONata by jsonata-python."""

    def __init__(self, text: str, timeout_ms: int = TIMEOUT_MS) -> None:
        self._timeout_ms = timeout_ms
        try:
            self._program = jsonata.Jsonata(f"{text}\n")  # it reads beyond a comment that ends the text
        except JException as error:
            raise ExpressionError(str(error)) from None
        except Exception as error:  # the library lets the interpreter's own errors through (IndexError …)
            raise ExpressionError(f"{type(error).__name__}: {error}") from None
        self._event = Event({}, "", "")
        for name, function in FUNCTIONS.items():
            self._program.register_lambda(name, self._bound(function))

    def __call__(self, event: Event) -> Any:
        self._event = event
        self._program.environment.set_runtime_bounds(self._timeout_ms, MAX_STACK)
        try:
            return _plain(self._program.evaluate(event.body))
        except JException as error:
            bounded = error.error in ("D1011", "D1012")
            raise ExpressionError(str(error), timeout=bounded) from None
        except RecursionError:
            raise ExpressionError("recursion too deep", timeout=True) from None
        except MemoryError:
            raise ExpressionError("out of memory", crash=True) from None
        except Exception as error:  # the library lets the interpreter's own errors through (TypeError, KeyError …)
            raise ExpressionError(f"{type(error).__name__}: {error}") from None

    def _bound(self, function: Callable[[Event], Any]) -> Callable[[], Any]:
        return lambda: function(self._event)


class FastExpression:
    """JSONata by jsonatapy."""

    def __init__(self, text: str, timeout_ms: int = TIMEOUT_MS) -> None:
        try:
            self._program = jsonatapy.compile(
                text, timeout=timeout_ms, max_stack_depth=MAX_STACK, max_sequence_length=MAX_SEQUENCE
            )
        except ValueError as error:
            raise ExpressionError(str(error)) from None
        self._event = Event({}, "", "")
        for name, function in FUNCTIONS.items():
            self._program.register(name, self._bound(function))

    def __call__(self, event: Event) -> Any:
        self._event = event
        try:
            return self._program.evaluate(event.body)
        except (ValueError, TypeError, OverflowError) as error:
            text = str(error)
            bounded = text.startswith(("D1011", "D1012", "D2015"))
            raise ExpressionError(text, timeout=bounded) from None
        except MemoryError:
            raise ExpressionError("out of memory", crash=True) from None

    def _bound(self, function: Callable[[Event], Any]) -> Callable[[], Any]:
        return lambda: function(self._event)


#: Makes an expression of a text and its bound in milliseconds.
Engine = Callable[[str, int], Expression]

#: The engines at hand, fast first; the last one is the reference.
ENGINES: tuple[Engine, ...] = (FastExpression, ReferenceExpression) if jsonatapy else (ReferenceExpression,)
REFERENCE: Engine = ReferenceExpression


def as_predicate(text: str) -> str:
    """A filter's text, cast to a boolean by JSONata's own rules (undefined stays undefined: not ours)."""
    return f"$boolean((\n{text}\n))"


def compile_text(text: str, engine: Engine, name: str, timeout_ms: int = TIMEOUT_MS) -> Expression:
    """Compile for start-up; one evaluation may take `timeout_ms`. Raises RouteError naming the file."""
    try:
        return engine(text, timeout_ms)
    except ExpressionError as error:
        raise RouteError(f"{name}: the JSONata does not compile: {error}") from None


def _plain(value: Any) -> Any:
    """Turn the reference's sequences and number types into plain JSON values."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
