"""This module remembers what EventBridge answered to the last entries of this worker, for who looks one up.

No topic has it: an entry costs a tuple here and nothing else, and the oldest ones are forgotten.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from processors.event.strict_json import JsonObject

#: Entries that are remembered: some megabytes.
MAX_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Publication:
    """One entry: where it stood in `validated`, EventBridge's id for it, and the codes of the attempts before the last.

    `entry_id` is empty for one that EventBridge refused for good.
    """

    entry_id: str
    event_id: str | None
    partition: int
    offset: int
    at_ms: int
    codes: tuple[str, ...] = ()

    def as_json(self) -> JsonObject:
        return asdict(self)

    @classmethod
    def of(cls, content: JsonObject) -> Publication:
        """Back from JSON. Raises TypeError or KeyError for another shape."""
        return cls(**{**content, "codes": tuple(content["codes"])})


class Publications:
    """The last ones."""

    def __init__(self, most: int = MAX_REMEMBERED) -> None:
        self._last: deque[tuple[str, str | None, int, int, int, tuple[str, ...]]] = deque(maxlen=most)

    def note(
        self, entry_id: str, event_id: str | None, place: tuple[int, int], at_ms: int, codes: tuple[str, ...]
    ) -> None:
        """Remember what was answered to the entry at a place (partition, offset) of `validated`."""
        self._last.append((entry_id, event_id, *place, at_ms, codes))

    def find(self, ident: str) -> list[Publication]:
        """Those of an event, or with that id of EventBridge's, the oldest first."""
        return [Publication(*one) for one in self._matching(ident)]

    def _matching(self, ident: str) -> Iterator[tuple[str, str | None, int, int, int, tuple[str, ...]]]:
        return (one for one in self._last if ident in (one[0], one[1]))
