"""This module puts functions of ours in place of those that jsonatapy does otherwise than JSONata.

What uses one is compiled with its definition before it. In a definition `$__name` is a Python function
(processors/routes/jsonata/functions.py), and `$_name` what the engine itself has under the name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from processors.routes.jsonata.functions import TEXT_FUNCTIONS
from processors.routes.jsonata.text import Token, tokens, with_ascii_patterns


@dataclass(frozen=True, slots=True)
class _Definition:
    """What a function does. With fewer than `least` arguments the context stands in for the first one.

    JSONata takes that out of a `signature`, which costs six times the call.
    """

    does: str
    parameters: str = "$value"
    signature: str = ""
    least: int = 0

    def text(self, name: str, arguments: int) -> str:
        """The definition, for a text that calls the function with so many arguments or more."""
        signature = self.signature if arguments < self.least else ""
        own = f"$_{name} := ${name}; " if f"$_{name}" in self.does else ""
        return f"${name} := ({own}function({self.parameters}){signature} {{ {self.does} }});"


_DEFINITIONS = {
    **{
        name: _Definition(f"$exists($value) ? $__{name}($value)", signature="<s-:s>", least=1)
        for name in TEXT_FUNCTIONS
    },
    "number": _Definition("$exists($value) ? $__number($value)", signature="<(nsb)-:n>", least=1),
    "round": _Definition(
        "$exists($value) ? ($exists($digits) ? $__round($value, $digits) : $_round($value))",
        "$value, $digits",
        "<n-n?:n>",
        1,
    ),
    "formatNumber": _Definition(
        "$exists($value) ? $_formatNumber($__formatNumber($value, $picture, $options), $picture, $options)",
        "$value, $picture, $options",
        "<n-so?:s>",
        2,
    ),
    "power": _Definition("$exists($value) ? $__power($value, $exponent)", "$value, $exponent", "<n-n:n>", 2),
    "formatBase": _Definition("$exists($value) ? $__formatBase($value, $base)", "$value, $base", "<n-n?:s>", 1),
    "random": _Definition("$__random()", ""),
    "clone": _Definition("$value"),
    "reduce": _Definition(
        '($all := $type($list) = "null" ? [null] : $list;'
        " $exists($init) ? $_reduce($all, $f, $init) : $count($all) > 0 ? $_reduce($all, $f))",
        "$list, $f, $init",
    ),
}

#: The engine's own `$now` gives the same at every call, with a picture too.
_NOW = "$now := function($picture, $zone) { $fromMillis($millis(), $picture, $zone) };"


def corrected(text: str, used: set[str]) -> str:
    """The text with its regular expressions read as JSONata does, and with our functions in place of the engine's.

    Raises ValueError for a call with more arguments than the function has.
    """
    found = list(tokens(text))
    definitions = [_definition(name, found) for name in sorted(used & _DEFINITIONS.keys())]
    if re.search(r"\$now\s*\(\s*[^\s)]", text):
        definitions.append(_NOW)
    body = with_ascii_patterns(text, nested=True)
    return f"({' '.join(definitions)}\n{body}\n)" if definitions else body


def _definition(name: str, found: Sequence[Token]) -> str:
    definition, arguments = _DEFINITIONS[name], list(_arguments(found, name))
    most = definition.parameters.count("$")
    # One that is named without a call may be a variable of the text's own.
    if max(arguments, default=0) > most and len(arguments) == sum(token.text == f"${name}" for token in found):
        raise ValueError(f"T0410: ${name} has {most} arguments at most")
    return definition.text(name, min(arguments, default=0))


def _arguments(found: Sequence[Token], name: str) -> Iterator[int]:
    """How many arguments each call of a function has, with what comes by `~>`."""
    for index, token in enumerate(found):
        if token.text == f"${name}" and [one.text for one in found[index + 1 : index + 2]] == ["("]:
            is_chained = index > 0 and found[index - 1].text == "~>"
            yield _commas(found[index + 2 :]) + is_chained


def _commas(found: Sequence[Token]) -> int:
    """Arguments up to the bracket that closes: one more than commas, none where nothing stands."""
    depth, arguments = 0, 0
    for token in found:
        if depth == 0 and token.text == ")":
            break
        depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
        arguments = max(arguments, 1) + (depth == 0 and token.text == ",")
    return arguments
