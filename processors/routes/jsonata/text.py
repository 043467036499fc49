"""This module reads the text of an expression: its tokens, what it calls, and where in it something stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<comment>/\*.*?(?:\*/|\Z))
    |(?P<space>\s+)
    |(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)
    |(?P<number>\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)
    |(?P<name>\$?\$?[^\s.\[\]{}()@\#$?;:,|*/%^&=!<>~+\-"'`\\]+|\$\$?)
    |(?P<operator>\.\.|:=|!=|>=|<=|\*\*|~>|\?:|\?\?|.)""",
    re.VERBOSE | re.DOTALL,
)

#: After one of these stands an operator, so a `/` there divides.
_OPERAND_ENDS = (")", "]", "}")
_WORD_OPERATORS = ("and", "or", "in")

#: Operators that stand for fields where a value is to begin.
_PATHS = ("*", "**", "%")


@dataclass(frozen=True, slots=True)
class Token:
    """One token: `kind` is string, number, name, operator or regex; `offset` counts characters."""

    kind: str
    text: str
    offset: int

    @property
    def is_operand(self) -> bool:
        """Whether a value ends here."""
        return self.text in _OPERAND_ENDS if self.kind == "operator" else self.text not in _WORD_OPERATORS


def tokens(text: str) -> Iterator[Token]:
    """The tokens without comments and white space; what is no JSONata gives tokens as well."""
    offset, last = 0, None
    while offset < len(text):
        match = _TOKEN.match(text, offset)
        assert match is not None  # the last alternative takes anything
        kind, found = str(match.lastgroup), match[0]
        if found == "/" and (last is None or not last.is_operand):
            kind, found = "regex", _regex_at(text, offset)
        if found in _PATHS and (last is None or not last.is_operand):
            kind = "name"  # of all fields, or of the parent: nothing is there to be multiplied or divided
        if kind not in ("comment", "space"):
            last = Token(kind, found, offset)
            yield last
        offset += len(found)


def _regex_at(text: str, offset: int) -> str:
    """A regular expression from its opening slash on: a slash inside brackets does not end it."""
    depth, at = 0, offset + 1
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] in "([{":
            depth += 1
        elif text[at] in ")]}":
            depth -= 1
        elif text[at] == "/" and depth <= 0:
            at += 1
            while at < len(text) and text[at] in "im":
                at += 1
            break
        at += 1
    return text[offset:at]


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a text, counted from 1, and the line that it is in."""

    line: int
    column: int
    text: str

    @classmethod
    def of(cls, text: str, offset: int) -> Position:
        before = text[:offset]
        line = before.count("\n")
        lines = text.split("\n")
        return cls(line + 1, offset - (before.rfind("\n") + 1) + 1, lines[line].strip()[:120])


#: What `\w`, `\d` and their opposites are in JSONata, and other engines' classes take more into.
_CLASSES = {"w": "A-Za-z0-9_", "d": "0-9"}


def ascii_pattern(regex: str, *, nested: bool) -> str:
    r"""A regular expression whose `\w`, `\d` and `\b` mean ASCII, as in JSONata, on an engine that reads Unicode.

    `nested`: a class may hold classes, and a bare `[` in one opens such a class.
    """
    parts, at, in_class = [], 0, False
    while at < len(regex):
        one = regex[at]
        if one == "\\" and at + 1 < len(regex):
            parts.append(_escaped(regex[at + 1], in_class, nested))
            at += 2
            continue
        if one == "[" and in_class and nested:
            one = "\\["
        elif one == "[":
            in_class = True
        elif one == "]":
            in_class = False
        parts.append(one)
        at += 1
    return "".join(parts)


def with_ascii_patterns(text: str, *, nested: bool) -> str:
    """An expression with each of its regular expressions as ascii_pattern writes it."""
    parts, at = [], 0
    for token in tokens(text):
        if token.kind == "regex":
            parts += [text[at : token.offset], ascii_pattern(token.text, nested=nested)]
            at = token.offset + len(token.text)
    return "".join(parts) + text[at:]


def _escaped(letter: str, in_class: bool, nested: bool) -> str:
    if letter in _CLASSES:
        return _CLASSES[letter] if in_class else f"[{_CLASSES[letter]}]"
    if letter.lower() in _CLASSES and (nested or not in_class):
        return f"[^{_CLASSES[letter.lower()]}]"
    if letter == "b" and not in_class:
        return r"(?-u:\b)" if nested else r"\b"
    return f"\\{letter}"
