"""This module says of a filter what it demands of each event that it takes, so that no route is tried in vain.

A filter is read only as far as it can be proven: what is joined by `and`, from the left, as JSONata looks no further
once a part does not hold, and each part of a form that cannot fail where its demand is not met. So
`resourceType = "interaction" and …` takes no event of another type, whatever follows. What is written in any other way
demands nothing, and its route is always tried.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import orjson

from processors.event.strict_json import JsonObject
from processors.routes.jsonata.text import Token, tokens

#: Beside `and` these would make another expression of the whole: they bind less, or nobody has looked at them.
_LOOSE = frozenset({"or", "?", ":", ":=", ";", "~>", "??", "?:", "..", ",", "|", "^", "@", "#"})

_KEYWORDS = frozenset({"and", "or", "in", "true", "false", "null", "function", "λ"})


@dataclass(frozen=True, slots=True)
class Demand:
    """What a field of the event must be: there; and a text must be `text`, or (`is_prefix`) begin with it."""

    field: str
    text: str = ""
    is_prefix: bool = True

    def rules_out(self, body: JsonObject) -> bool:
        """Whether the filter cannot take the event; a field that is neither missing nor text is left to the engine."""
        value = body.get(self.field)
        if isinstance(value, str):
            return not value.startswith(self.text) if self.is_prefix else value != self.text
        return self.field not in body


def demands_of(text: str) -> tuple[Demand, ...]:
    """What a filter's text demands, as far as it can be proven."""
    found = _unwrapped(list(tokens(text)))
    depths = list(_depths(found))
    if any(not depth and token.text in _LOOSE for token, depth in zip(found, depths, strict=True)):
        return ()
    demands, part = list[Demand](), list[Token]()
    for token, depth in zip(found, depths, strict=True):
        if depth or token.kind != "name" or token.text != "and":
            part.append(token)
            continue
        demand = _demand(part)
        if demand is None:
            return tuple(demands)
        demands.append(demand)
        if demand.is_prefix and demand.text:  # of what is no text, `$substring` fails: what follows may not come to it
            return tuple(demands)
        part = []
    last = _demand(part)
    return tuple(demands) if last is None else (*demands, last)


def _demand(part: Sequence[Token]) -> Demand | None:
    """The demand of one part; None when it is of no form that is known."""
    part = _unwrapped(list(part))
    match [token.text for token in part], [token.kind for token in part]:
        case [field, "=", text], ["name", _, "string"] if _is_field(field):
            return _equals(field, text)
        case [text, "=", field], ["string", _, "name"] if _is_field(field):
            return _equals(field, text)
        case ["$exists", "(", field, ")"], _ if _is_field(field):
            return Demand(field)
        case ["$type", "(", field, ")", "=", _], [*_, "string"] if _is_field(field):
            return Demand(field)
        case ["$substring", "(", field, ",", "0", ",", length, ")", "=", text], [*_, "string"] if _is_field(field):
            prefix = _text(text)
            return Demand(field, prefix) if prefix and length == str(len(prefix)) else None
    return None


def _equals(field: str, text: str) -> Demand | None:
    read = _text(text)
    return None if read is None else Demand(field, read, is_prefix=False)


def _is_field(name: str) -> bool:
    return name.isidentifier() and name not in _KEYWORDS


def _text(token: str) -> str | None:
    """What a string literal means; None for one whose escapes JSON does not have."""
    if token.startswith("'") and "\\" not in token and '"' not in token:
        token = f'"{token[1:-1]}"'
    if not token.startswith('"'):
        return None
    try:
        return str(orjson.loads(token))
    except orjson.JSONDecodeError:
        return None


def _unwrapped(found: list[Token]) -> list[Token]:
    """The tokens without the brackets around all of them."""
    while len(found) > 1 and found[0].text == "(" and 0 not in list(_depths(found))[1:-1] and found[-1].text == ")":
        found = found[1:-1]
    return found


def _depths(found: Iterable[Token]) -> Iterator[int]:
    """How many brackets each token is in; a bracket itself is where its neighbour outside is."""
    depth = 0
    for token in found:
        is_bracket = token.kind == "operator"
        if is_bracket and token.text in ")]}":
            depth -= 1
        yield depth
        if is_bracket and token.text in "([{":
            depth += 1


class Filtering(Protocol):
    """A route with its demands."""

    @property
    def demands(self) -> tuple[Demand, ...]: ...


FilteringRoute = TypeVar("FilteringRoute", bound=Filtering)


class RouteIndex(Generic[FilteringRoute]):
    """Routes in their order, found by what their filters demand: by a table for the field that most want to equal
    something, one by one for the rest.
    """

    def __init__(self, routes: Iterable[FilteringRoute]) -> None:
        self._routes = list(routes)
        wanted = Counter(one.field for route in self._routes for one in route.demands if not one.is_prefix)
        self._field = wanted.most_common(1)[0][0] if wanted else ""
        texts = {one.text for route in self._routes for one in self._equalities(route)}
        self._others = [route for route in self._routes if not self._equalities(route)]
        self._by_text = {
            text: [route for route in self._routes if all(one.text == text for one in self._equalities(route))]
            for text in texts
        }

    def __iter__(self) -> Iterator[FilteringRoute]:
        return iter(self._routes)

    def for_body(self, body: JsonObject) -> list[FilteringRoute]:
        """Those that may take the event."""
        value = body.get(self._field)
        if isinstance(value, str):
            routes = self._by_text.get(value, self._others)
        else:
            routes = self._routes if self._field in body else self._others
        return [route for route in routes if not any([one.rules_out(body) for one in route.demands])]

    def _equalities(self, route: FilteringRoute) -> list[Demand]:
        return [one for one in route.demands if one.field == self._field and not one.is_prefix]
