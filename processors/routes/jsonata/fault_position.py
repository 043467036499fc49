"""This module finds where in an expression evaluation stopped: the engine that leads does not say so.

The other engine evaluates it once more, and notes the innermost part that raised.
"""

from __future__ import annotations

from typing import Any

import jsonata

from processors.event.identity import SourceEvent
from processors.routes.jsonata.expressions import ExpressionError
from processors.routes.jsonata.jsonata_python_engine import JsonataPythonExpression
from processors.routes.jsonata.text import Token, tokens


def runtime_fault_offset(text: str, event: SourceEvent, timeout_ms: int) -> int | None:
    """The character at which evaluating `text` on the event goes wrong; None where the other engine sees no fault."""
    ends: list[int] = []

    class Noting(jsonata.Jsonata):  # type: ignore[misc]
        def eval(self, expr: Any, input: Any, environment: Any) -> Any:
            try:
                return super().eval(expr, input, environment)
            except Exception:
                ends.append(int(getattr(expr, "position", 0) or 0))
                raise

    try:
        JsonataPythonExpression(text, timeout_ms, Noting)(event)
    except ExpressionError:
        return _begin(text, ends[0]) if ends else None
    return None


def _begin(text: str, end: int) -> int | None:
    """Where the token begins that ends there: of a call the function's name."""
    last: Token | None = None
    for token in tokens(text):
        if token.offset < end <= token.offset + len(token.text):
            is_call = token.text == "(" and last is not None and last.kind == "name"
            return last.offset if is_call and last is not None else token.offset
        last = token
    return 0 if end == 0 else None
