"""This module remembers what of the notifications was seen: events by their ids, conversations by their states.

Live states have the time at which they were received, told ones (processors/genesys/snapshots.py) their own moment.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort_right
from collections import OrderedDict
from dataclasses import dataclass

#: How much earlier than Genesys' clock ours may say that a state came.
CLOCK_SKEW_MS = 2_000

#: How long after a state was left it may still come live.
LATE_MS = 10_000

#: A body that comes again sooner than this is a repetition, though another one came in between.
RETURN_MS = 1_500


@dataclass(frozen=True, slots=True)
class Sighting:
    """When a conversation was in a state (epoch ms); `told`: by the query, whose times are Genesys' own."""

    at_ms: int
    state: int
    told: bool


class SeenEvents:
    """Remembers event ids for a while, at most `capacity` of them, so that a second coming is found."""

    def __init__(self, window: float, capacity: int = 100_000) -> None:
        self._window, self._capacity = window, capacity
        self._seen: OrderedDict[str, float] = OrderedDict()

    def is_new(self, event_id: str, now: float) -> bool:
        """Whether the id was not seen within the last `window` seconds; remembers it. `now` in seconds."""
        while self._seen:
            oldest = next(iter(self._seen))
            if len(self._seen) < self._capacity and self._seen[oldest] > now - self._window:
                break
            del self._seen[oldest]
        if event_id in self._seen:
            return False
        self._seen[event_id] = now
        return True

    def __len__(self) -> int:
        return len(self._seen)


class SeenStates:
    """Remembers the last `states` sightings of each conversation by time, for at most `capacity` conversations."""

    def __init__(self, capacity: int = 20_000, states: int = 32) -> None:
        self._capacity, self._states = capacity, states
        self._seen: OrderedDict[tuple[str, str], list[Sighting]] = OrderedDict()

    def is_change(self, key: tuple[str, str], state: int, at_ms: int) -> bool:
        """Whether a live state, received at `at_ms` (epoch ms), differs from the newest one; remembers it."""
        seen = self._known(key)
        if seen and seen[-1].state == state:
            return False
        self._add(seen, Sighting(max(at_ms, seen[-1].at_ms) if seen else at_ms, state, told=False))
        return True

    def recall(self, key: tuple[str, str], state: int, at_ms: int, *, told: bool) -> None:
        """Remember a state that went on at `at_ms` (epoch ms); they may come in any order."""
        self._add(self._known(key), Sighting(at_ms, state, told))

    def left_at(self, key: tuple[str, str], state: int) -> int | None:
        """When the conversation was last in that state (epoch ms) before another; None unless it was, and is not."""
        seen = self._seen.get(key)
        if not seen or seen[-1].state == state:
            return None
        return max((one.at_ms for one in seen if one.state == state), default=None)

    def is_unseen(self, key: tuple[str, str], state: int, at_ms: int, until_ms: int | None = None) -> bool:
        """Whether a state that is told of the past was not seen; remembers it. It was so from `at_ms` to `until_ms`.

        It was seen, when the state before it is the same, and when it was seen at that time or until shortly after
        its end, as what comes live comes after its moment. One that was seen only before another one has come back:
        it is unseen. It is the newest one when it came after all that was seen: a live snapshot like it is no
        change then.
        """
        seen = self._known(key)
        before = bisect_right(seen, at_ms, key=_time)
        if before and seen[before - 1].state == state:
            return False
        told_ms = max((one.at_ms for one in seen[:before] if one.told), default=0)
        since_ms = max(at_ms - CLOCK_SKEW_MS, told_ms)
        by_ms = math.inf if until_ms is None else until_ms + LATE_MS
        if any(one.state == state and since_ms <= one.at_ms <= by_ms for one in seen):
            return False
        self._add(seen, Sighting(at_ms, state, told=True))
        return True

    def __len__(self) -> int:
        return len(self._seen)

    def _add(self, seen: list[Sighting], sighting: Sighting) -> None:
        insort_right(seen, sighting, key=_time)
        del seen[: -self._states]

    def _known(self, key: tuple[str, str]) -> list[Sighting]:
        seen = self._seen.get(key)
        if seen is None:
            seen = self._seen[key] = []
            if len(self._seen) > self._capacity:
                self._seen.popitem(last=False)
        else:
            self._seen.move_to_end(key)
        return seen


def _time(sighting: Sighting) -> int:
    return sighting.at_ms
