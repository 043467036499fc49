"""This module says which queues or users the settings mean: by id, by name, by pattern.

A name may hold whatever characters Genesys allows, commas too. So a text that is the name of a queue means that
queue, and only what is none can be a pattern. `=` before it: always a name; `~` before it: always a pattern.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from processors.event.identity import is_uuid

_COMMA = re.compile(r"\s*,\s*")


def chosen(wanted: Sequence[str], known: Mapping[str, str]) -> tuple[str, ...]:
    """Ids of the entities that `wanted` means, sorted. `known`: names by id."""
    return tuple(sorted(_read(wanted, known)[0]))


def unmatched(wanted: Sequence[str], known: Mapping[str, str]) -> tuple[str, ...]:
    """The names in `wanted` that nothing has. Ids are taken as they are, and a pattern may match later."""
    return tuple(_read(wanted, known)[1])


def _read(wanted: Sequence[str], known: Mapping[str, str]) -> tuple[set[str], list[str]]:
    by_name: dict[str, list[str]] = {}
    for ident, name in known.items():
        by_name.setdefault(_plain(name), []).append(ident)
    ids: set[str] = set()
    missing: list[str] = []
    position = 0
    while position < len(wanted):
        length, found = _with_commas(wanted[position:], by_name)
        run, text = wanted[position : position + length], wanted[position]
        position += length
        if found:
            ids |= _exact(found, ",".join(run), known)
            if length > 1 and all(_plain(one) in by_name for one in run):
                # A list stays a list, though somebody gives a queue the whole of it as its name.
                ids.update(*(_exact(by_name[_plain(one)], one, known) for one in run))
        elif is_uuid(text):
            ids.add(text.lower())
        elif pattern := _pattern(text):
            ids |= {ident for ident, name in known.items() if pattern.fullmatch(name.casefold())}
        else:
            missing.append(text)
    return ids, missing


def _with_commas(wanted: Sequence[str], by_name: Mapping[str, list[str]]) -> tuple[int, list[str]]:
    """The longest run of texts that is one name, its commas having cut it; 1 and nothing when none is."""
    for length in range(len(wanted), 0, -1):
        text = _plain(",".join(wanted[:length]))
        if found := by_name.get(text) or by_name.get(_plain(text.removeprefix("="))):
            return length, found
    return 1, []


def _exact(found: Sequence[str], text: str, known: Mapping[str, str]) -> set[str]:
    """Of names that differ by case alone, the one that is written so; all of them when none is."""
    as_written = {ident for ident in found if _spaced(known[ident]) in (_spaced(text), _spaced(text.removeprefix("=")))}
    return as_written or set(found)


def _pattern(text: str) -> re.Pattern[str] | None:
    """`*` stands for any characters, `?` for one, and everything else for itself; None for what is a name."""
    if not text.startswith("~") and (text.startswith("=") or not {"*", "?"} & set(text)):
        return None
    escaped = re.escape(text.removeprefix("~").strip().casefold())
    return re.compile(escaped.replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def _plain(name: str) -> str:
    return _spaced(name).casefold()


def _spaced(name: str) -> str:
    """Spaces at the ends and around commas make no difference: reading the settings loses them."""
    return _COMMA.sub(",", name.strip())
