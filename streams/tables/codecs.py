"""This module reads the rows of changelogs so that nothing which stands there keeps a worker from its start.

Anybody may write to a changelog. Faust's own codec raises over what is no JSON, and a recovery then never ends.
"""

from __future__ import annotations

from typing import Any

import structlog
from faust.serializers import codecs

log = structlog.get_logger(__name__)

#: Names of the codecs.
KEYS, VALUES = "table-keys", "table-values"


class LenientValues(codecs.json):
    """JSON; what is none is null, and what Faust would make an object of: it raises where it knows no such class."""

    def _loads(self, s: bytes) -> Any:
        try:
            found = super()._loads(s)
        except ValueError:
            return _left("no JSON", s)
        return _left("an object of Faust's", s) if isinstance(found, dict) and "__faust" in found else found


class LenientKeys(LenientValues):
    """JSON that can be a key of a table: text, a number, or a window's list; anything else is null."""

    def _loads(self, s: bytes) -> Any:
        key = super()._loads(s)
        return key if _is_key(key) else _left("no key", s)


def _left(what: str, s: bytes) -> None:
    """Tell the size alone: what somebody else wrote may be anything."""
    log.warning(
        "a record of a changelog is left, as its key or value is not what the tables hold", found=what, size=len(s)
    )


def _is_key(key: Any) -> bool:
    """Whether Faust can make a row's key of it (faust/tables/base.py, `_to_key`: lists of lists become tuples)."""
    parts = key if isinstance(key, list) else [key]
    flat = [item for part in parts for item in (part if isinstance(part, list) else [part])]
    return not any(isinstance(item, list | dict) for item in flat)


def lenient(table: Any) -> Any:
    """The same table, whose changelog is read by these codecs. Call before it is used: Faust's tables take none."""
    table.key_serializer, table.value_serializer = KEYS, VALUES
    table.changelog_topic = table._new_changelog_topic()  # `app.Table` has made one already, with Faust's codecs
    return table


codecs.register(KEYS, LenientKeys())
codecs.register(VALUES, LenientValues())
