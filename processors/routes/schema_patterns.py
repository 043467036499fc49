"""This module reads the regular expressions of a schema as JSON Schema means them: as ECMA-262, on Python's engine.

There `$` is the end and nothing but it, `\\d`, `\\w` and `\\b` mean ASCII, and `(?<name>` begins a group with a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from processors.event.errors import RouteError
from processors.routes.schema_references import FIELDS, VALUES, escaped

#: What Python reads otherwise, outside of a class and in one.
_OUTSIDE = {
    r"\d": "[0-9]",
    r"\D": "[^0-9]",
    r"\w": "[A-Za-z0-9_]",
    r"\W": "[^A-Za-z0-9_]",
    r"\s": r"[\s\ufeff]",
    r"\S": r"[^\s\ufeff]",
    r"\b": r"(?a:\b)",
    r"\B": r"(?a:\B)",
    "$": r"\Z",
    ".": r"[^\n\r\u2028\u2029]",
    "(?<": "(?P<",
}
_INSIDE = {r"\d": "0-9", r"\w": "A-Za-z0-9_", r"\s": r"\s\ufeff", "$": r"\$", "[": r"\["}

_PART = re.compile(r"\\c[A-Za-z]|\\.|\(\?<(?![=!])|.", re.DOTALL)


class PythonPattern(str):
    """A pattern for Python's engine; `written`: as it stands in the schema."""

    __slots__ = ("written",)

    written: str

    @classmethod
    def of(cls, written: str, pointer: str) -> PythonPattern:
        """Raises RouteError with the pointer for what is no regular expression."""
        found = cls("".join(_parts(written)))
        found.written = written
        try:
            re.compile(found)
        except re.error as error:
            reason = f"{written[:100]!r} is not a 'regex': {error}"
            raise RouteError(reason, reason=f"not a JSON Schema: {reason}", pointer=pointer) from None
        return found


def _parts(pattern: str) -> Iterator[str]:
    in_class = False
    for match in _PART.finditer(pattern):
        part = match[0]
        if part.startswith(r"\c") and len(part) == 3:
            yield f"\\x{ord(part[2]) % 32:02x}"  # a control character
        else:
            yield (_INSIDE if in_class else _OUTSIDE).get(part, part)
        if part in ("[", "]"):
            in_class = part == "["


def with_python_patterns(schema: Any, pointer: str = "", *, has_fields: bool = False) -> Any:
    """The schema with every pattern for Python's engine. `has_fields`: its names are those of fields.

    Raises RouteError with the pointer.
    """
    if isinstance(schema, list):
        return [with_python_patterns(one, f"{pointer}/{index}") for index, one in enumerate(schema)]
    if not isinstance(schema, dict):
        return schema
    found: dict[str, Any] = {}
    for name, value in schema.items():
        at = f"{pointer}/{escaped(name)}"
        if not has_fields and name in VALUES:
            found[name] = value
        elif not has_fields and name == "pattern" and isinstance(value, str):
            found[name] = PythonPattern.of(value, at)
        elif not has_fields and name == "patternProperties" and isinstance(value, dict):
            found[name] = {
                PythonPattern.of(key, at): with_python_patterns(one, f"{at}/{escaped(key)}")
                for key, one in value.items()
            }
        else:
            found[name] = with_python_patterns(value, at, has_fields=not has_fields and name in FIELDS)
    return found
