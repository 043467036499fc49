"""This module runs JSONata by jsonatapy, with the few functions corrected that it does otherwise than JSONata."""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import orjson

from processors.event.identity import SourceEvent
from processors.routes.jsonata.corrections import corrected
from processors.routes.jsonata.expressions import FUNCTIONS, MAX_SEQUENCE, MAX_STACK, ExpressionError
from processors.routes.jsonata.functions import NUMBER_FUNCTIONS, TEXT_FUNCTIONS
from processors.routes.jsonata.text import Token, ascii_pattern, tokens

try:
    import jsonatapy
except ImportError:  # there is no wheel of it for every platform
    jsonatapy = None  # type: ignore[assignment]

IS_INSTALLED = jsonatapy is not None

#: Functions that call what they are given after the first argument, and do not give it back.
_CALLING = frozenset(
    ["$map", "$filter", "$sift", "$each", "$single", "$sort", "$match", "$contains", "$split", "$replace"]
)
_OPENING, _CLOSING = ("(", "[", "{"), (")", "]", "}")

_BOUNDS = ("D1011", "D1012", "D2015")


@dataclass(frozen=True, slots=True)
class JsonatapyEngine:
    """Compiles by jsonatapy; calls and sequences of what it compiles are bounded."""

    max_stack: int = MAX_STACK
    max_sequence: int = MAX_SEQUENCE
    name: ClassVar[str] = "jsonatapy"

    def compile(self, text: str, timeout_ms: int) -> JsonatapyExpression:
        """Raises ExpressionError, with the place."""
        try:
            return JsonatapyExpression(text, timeout_ms, self)
        except ValueError as error:
            offset = syntax_fault_offset(text, str(error))
            raise ExpressionError(str(error).removeprefix("Parse error: "), offset=offset) from None
        except BaseException as error:
            raise _unless_panic(error) from None


class JsonatapyExpression:
    """One expression."""

    def __init__(self, text: str, timeout_ms: int, engine: JsonatapyEngine) -> None:
        used = {token.text[1:] for token in tokens(text) if token.kind == "name" and token.text.startswith("$")}
        bounds = {
            "timeout": timeout_ms,
            "max_stack_depth": engine.max_stack,
            "max_sequence_length": engine.max_sequence,
        }
        jsonatapy.compile(text, **bounds)  # a fault is one of the text as it was written
        _check_regexes(text)
        self._program = jsonatapy.compile(corrected(text, used), **bounds)
        self._event = SourceEvent({}, "", "")
        for name, function in FUNCTIONS.items():
            self._program.register(name, self._bound(function))
        ours = TEXT_FUNCTIONS | NUMBER_FUNCTIONS
        for name in used & ours.keys():
            self._program.register(f"__{name}", ours[name])
        self._may_give_function = _may_give_function(text)

    def __call__(self, event: SourceEvent) -> Any:
        self._event = event
        value = self._run(self._program.evaluate, event.body)
        # It gives null for a function; as text it writes an empty one, which tells them from one another.
        if self._may_give_function and _holds_null(value):
            written = self._run(self._program.evaluate_json, orjson.dumps(event.body).decode())
            if _null_was_function(value, orjson.loads(written)):
                raise ExpressionError("the result holds a function, which JSON has no word for")
        return value

    def _bound(self, function: Callable[[SourceEvent], Any]) -> Callable[[], Any]:
        return lambda: function(self._event)

    def _run(self, evaluate: Callable[[Any], Any], data: Any) -> Any:
        try:
            return evaluate(data)
        except (ValueError, TypeError, OverflowError, RuntimeError) as error:
            text = str(error)
            raise ExpressionError(text, timeout=text.startswith(_BOUNDS)) from None
        except MemoryError:
            raise ExpressionError("out of memory", crash=True) from None
        except BaseException as error:
            raise _unless_panic(error) from None


def _unless_panic(error: BaseException) -> BaseException:
    """A bug of the engine over one expression is that expression's error: what it raises then is no Exception."""
    is_panic = type(error).__name__ == "PanicException"  # of the extension; nothing exports it
    return ExpressionError(f"a bug of jsonatapy: {error}") if is_panic else error


def syntax_fault_offset(text: str, fault: str) -> int:
    """The character at which the parser stops, untold: where the shortest beginning with that fault ends.

    It reads from left to right, so whatever begins with the faulty token has the same fault, and nothing before has.
    What only does not end has its fault at the end; there the bracket is told that was not closed.
    """
    found = list(tokens(text))
    if "end of expression" in fault:
        return _unclosed(found)
    ends = [token.offset + len(token.text) for token in found]
    index = bisect.bisect_left(ends, True, key=lambda end: _fault(text[:end]) == fault)
    return found[index].offset if index < len(found) else max(0, len(text) - 1)


def _unclosed(found: Sequence[Token]) -> int:
    open_ones: list[Token] = []
    for token in found:
        if token.kind == "operator" and token.text in "([{":
            open_ones.append(token)
        elif token.kind == "operator" and token.text in ")]}" and open_ones:
            open_ones.pop()
    return (open_ones or found)[-1].offset


def _fault(text: str) -> str:
    try:
        jsonatapy.compile(text)
    except ValueError as error:
        return str(error)
    return ""


def _check_regexes(text: str) -> None:
    """Refuse at the start what would fail while running. Raises ExpressionError."""
    for token in tokens(text):
        if token.kind == "regex":
            try:
                jsonatapy.compile(f'$match("", {ascii_pattern(token.text, nested=True)})').evaluate(None)
            except ValueError as error:
                reason = str(error).splitlines()[-1].removeprefix("error: ")
                raise ExpressionError(
                    f"the regular expression {token.text[:80]}: {reason}", offset=token.offset
                ) from None


def _may_give_function(text: str) -> bool:
    """Whether a function can become a part of the result: one is written, or named without being called.

    Then a null in the result costs a second evaluation. One that is given to a function that only calls it is harmless.
    """
    found = [*tokens(text)]
    inside: list[str] = []  # of brackets: what is called with them
    for before, token, following in zip([None, *found[:-1]], found, [*found[1:], None], strict=True):
        if token.text in _OPENING:
            inside.append(before.text if before and token.text == "(" else "")
        elif token.text in _CLOSING and inside:
            inside.pop()
        is_called = following is not None and following.text == "("
        if not _is_function(token, is_called):
            continue
        if not (before and before.text == "," and inside and inside[-1] in _CALLING):
            return True
    return bool(re.search(r"[(,]\s*\?\s*[,)]", text))


def _is_function(token: Token, is_called: bool) -> bool:
    if token.kind == "regex" or token.text in ("function", "λ"):
        return True
    is_named = token.kind == "name" and token.text.startswith("$") and len(token.text) > 1
    return is_named and not is_called and token.text[1:] in BUILTINS | FUNCTIONS.keys()


def _holds_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_null(item) for item in value.values())
    if isinstance(value, list):
        return any(map(_holds_null, value))
    return value is None


def _null_was_function(value: Any, written: Any) -> bool:
    """Whether a null of `value` is an empty text in what was written of the same result."""
    return any(left is None and right == "" for left, right in _pairs(value, written))


def _pairs(value: Any, written: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict) and isinstance(written, dict):
        for name, item in value.items():
            yield from _pairs(item, written.get(name))
    elif isinstance(value, list) and isinstance(written, list) and len(value) == len(written):
        for left, right in zip(value, written, strict=True):
            yield from _pairs(left, right)
    else:
        yield value, written


#: Functions of JSONata (docs.jsonata.org), which can be named without being called.
BUILTINS = frozenset(
    re.findall(
        r"\w+",
        "string length substring substringBefore substringAfter uppercase lowercase trim pad contains split join match "
        "replace eval base64encode base64decode encodeUrlComponent encodeUrl decodeUrlComponent decodeUrl number abs "
        "floor ceil round power sqrt random formatNumber formatBase formatInteger parseInteger sum max min average "
        "boolean not exists count append sort reverse shuffle distinct zip keys lookup spread merge sift each error "
        "assert type now millis fromMillis toMillis map filter single reduce clone",
    )
)
