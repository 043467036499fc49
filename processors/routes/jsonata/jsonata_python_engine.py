"""This module runs JSONata by jsonata-python, and refuses what it would do otherwise than JSONata.

What it does otherwise is corrected where a function of ours can stand in for its own.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import jsonata
from jsonata.functions import Functions
from jsonata.jexception import JException

from processors.event.identity import SourceEvent
from processors.routes.jsonata.expressions import FUNCTIONS, MAX_STACK, ExpressionError
from processors.routes.jsonata.functions import TEXT_FUNCTIONS, distinct, merge_sort
from processors.routes.jsonata.text import tokens, with_ascii_patterns

#: What this engine does otherwise and we cannot correct, with what to write instead.
_FUNCTIONS = {
    "formatNumber": "rounds otherwise",
    "formatInteger": "numbers otherwise",
    "parseInteger": "numbers otherwise",
}
_OPERATORS = {
    "??": "misses the last of a list: write `$exists(x) ? x : y`",
    "?:": "misses the last of a list: write `x ? x : y`",
    "%": "drops the fraction: write `a - b * $floor(a / b)`",
}


class JsonataPythonEngine:
    """Compiles by jsonata-python."""

    name = "jsonata-python"

    def compile(self, text: str, timeout_ms: int) -> JsonataPythonExpression:
        """Raises ExpressionError, for a text too that this engine would do otherwise than JSONata."""
        expression = JsonataPythonExpression(text, timeout_ms)
        _refuse_otherwise(text)
        return expression


class JsonataPythonExpression:
    """One expression; `kind` is what of the library evaluates it."""

    def __init__(self, text: str, timeout_ms: int, kind: type[jsonata.Jsonata] = jsonata.Jsonata) -> None:
        self._timeout_ms = timeout_ms
        self._program = _parsed(with_ascii_patterns(text, nested=False), kind)
        self._event = SourceEvent({}, "", "")
        own: dict[str, Callable[..., Any]] = {
            **{name: self._bound(function) for name, function in FUNCTIONS.items()},
            "sort": _sort,
            "distinct": _distinct,
            "toMillis": _to_millis,
            **{name: _passing_nothing(function) for name, function in TEXT_FUNCTIONS.items()},
        }
        used = {token.text[1:] for token in tokens(text) if token.kind == "name"}
        for name in own.keys() & used:
            if not re.search(rf"\${name}\s*\(\s*\)", text) or name in FUNCTIONS:
                self._program.register_lambda(name, own[name])

    def __call__(self, event: SourceEvent) -> Any:
        self._event = event
        self._program.environment.set_runtime_bounds(self._timeout_ms, MAX_STACK)
        try:
            # It writes into what it reads; the next filter or mapping is to find the event as it came.
            return _plain(self._program.evaluate(copy.deepcopy(event.body)))
        except JException as error:
            bounded = error.error in ("D1011", "D1012")
            raise ExpressionError(str(error), timeout=bounded) from None
        except RecursionError:
            raise ExpressionError("recursion too deep", timeout=True) from None
        except MemoryError:
            raise ExpressionError("out of memory", crash=True) from None
        except ExpressionError:
            raise
        except Exception as error:  # the library lets the interpreter's own errors through (TypeError, KeyError …)
            raise ExpressionError(f"{type(error).__name__}: {error}") from None

    def _bound(self, function: Callable[[SourceEvent], Any]) -> Callable[[], Any]:
        return lambda: function(self._event)


def _parsed(text: str, kind: type[jsonata.Jsonata] = jsonata.Jsonata) -> jsonata.Jsonata:
    try:
        return kind(f"{text}\n")  # it reads beyond a comment that ends the text
    except JException as error:
        raise ExpressionError(str(error), offset=_offset(text, error)) from None
    except Exception as error:  # the library lets the interpreter's own errors through (IndexError …)
        raise ExpressionError(f"{type(error).__name__}: {error}") from None


def _offset(text: str, error: JException) -> int:
    """Where the token begins that is wrong: the library says where it ends, or nearly."""
    for token in filter(None, (error.expected, error.current)):
        begin = text.rfind(str(token), max(0, error.location - len(str(token)) - 1), error.location + 1)
        if begin >= 0:
            return begin - 1 if text[max(begin - 1, 0)] in "\"'" else begin
    return max(0, min(int(error.location), len(text)) - 1)


def _refuse_otherwise(text: str) -> None:
    last = None
    for token in tokens(text):
        name = token.text.removeprefix("$")
        if token.kind == "name" and token.text.startswith("$") and name in _FUNCTIONS:
            raise ExpressionError(
                f"jsonata-python's ${name} {_FUNCTIONS[name]}: install jsonatapy", offset=token.offset
            )
        is_infix = last is not None and last.is_operand
        if token.kind == "operator" and token.text in _OPERATORS and is_infix:
            reason = _OPERATORS[token.text]
            raise ExpressionError(f"jsonata-python's {token.text} {reason}, or install jsonatapy", offset=token.offset)
        last = token


def _passing_nothing(function: Callable[..., Any]) -> Callable[..., Any]:
    """What is not there stays so."""
    return lambda value=None, *rest: None if value is None else function(value)


def _sort(values: Any = None, comes_after: Any = None, *_: Any) -> Any:
    if values is None or comes_after is None or not isinstance(values, list):
        return Functions.sort(values if values is None or isinstance(values, list) else [values], None)
    return merge_sort(values, lambda a, b: Functions.to_boolean(Functions.func_apply(comes_after, [a, b])))


def _distinct(values: Any = None, *_: Any) -> Any:
    return distinct(values) if isinstance(values, list) else values


#: What JSONata takes without a picture.
_ISO_TIME = re.compile(
    r"\d{4}(-[01]\d)?(-[0-3]\d)?(T[0-2]\d:[0-5]\d:[0-5]\d)?(\.\d+)?([+-][0-2]\d:?[0-5]\d|Z)?", re.ASCII
)


def _to_millis(text: Any = None, picture: Any = None, *_: Any) -> Any:
    if picture is None and isinstance(text, str) and not _ISO_TIME.fullmatch(text):
        raise JException("D3110", -1, text)
    return Functions.datetime_to_millis(text, picture)


def _number_text(value: float | int) -> str:
    """A number as JSONata writes it: integers whole, others by 15 digits, large and small ones with an exponent."""
    number = float(value) + 0.0  # nought has no sign
    if number.is_integer() and abs(number) < 1e21:
        return str(value) if isinstance(value, int) and abs(value) <= 2**53 else _shortest(number)
    text = f"{number:.15g}" if abs(number) < 1e21 else repr(number)
    return _javascript(Decimal(text))


def _shortest(number: float) -> str:
    return f"{Decimal(repr(number)):f}".removesuffix(".0")


def _javascript(number: Decimal) -> str:
    number = number.normalize()
    exponent = number.adjusted()
    if -7 < exponent < 21:
        return f"{number:f}"
    digits = str(abs(number).scaleb(-exponent).normalize())
    return f"{'-' if number < 0 else ''}{digits}e{exponent:+d}"


def _string(value: Any, prettify: bool) -> str:
    """What `&` and `$string` write of a value that is no text."""
    return _library_string(value, prettify) if prettify else _json_text(value)


def _json_text(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number_text(value)
    if isinstance(value, dict):
        return (
            "{"
            + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{_json_text(item)}" for key, item in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ",".join(map(_json_text, value)) + "]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(_library_string(value, False))


def _plain(value: Any) -> Any:
    """Turn this engine's sequences into plain JSON values. Raises ExpressionError for a function."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return int(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ExpressionError("the result holds a function, which JSON has no word for")


_library_string = Functions._string
# `&` calls it straight: a registered function would not reach that.
Functions._string = staticmethod(_string)
