"""This module remembers what of the notifications was seen: events by their ids, topics by their values, times.

States of conversations are remembered by processors/genesys/seen_states.py.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from dataclasses import dataclass

#: A body that comes again sooner than this is a repetition, though another one came in between.
RETURN_MS = 1_500


#: How often what is remembered is looked through for what is past.
SWEEP_MS = 60_000


class Sweeps:
    """Says when to look through what is remembered: all of it, as what goes on may be older than what is past."""

    def __init__(self) -> None:
        self._last_ms = 0

    def is_due(self, now_ms: int) -> bool:
        """Whether the last time (epoch ms) is a minute ago; then this is the next."""
        if now_ms - self._last_ms < SWEEP_MS:
            return False
        self._last_ms = now_ms
        return True


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

    def __contains__(self, event_id: str) -> bool:
        return event_id in self._seen

    def __len__(self) -> int:
        return len(self._seen)


class SeenValues:
    """Remembers the last values of topics whose events have no time: there, equal bodies can be different facts.

    What a channel brings is compared with what came since its last one, whichever channel brought that: so a value
    that comes back is new, and the same values from the channel beside are not.
    """

    def __init__(self, capacity: int = 20_000, values: int = 32) -> None:
        self._capacity, self._values = capacity, values
        self._seen: OrderedDict[str, list[_Value]] = OrderedDict()

    def knows(self, topic: str) -> bool:
        """Whether any value of the topic was seen."""
        return topic in self._seen

    def is_new(self, topic: str, value: str, channel: str, at_ms: int) -> bool:
        """Whether this is no repetition of the topic's newest value; remembers it. `at_ms`: of receipt (epoch ms)."""
        seen = self._seen.setdefault(topic, [])
        self._seen.move_to_end(topic)
        if len(self._seen) > self._capacity:
            self._seen.popitem(last=False)
        last = next((place for place in reversed(range(len(seen))) if channel in seen[place].channels), None)
        if last is not None and seen[last].value == value:
            return False
        since = last + 1 if last is not None else _since(seen, at_ms - RETURN_MS)
        known = next((one for one in seen[since:] if one.value == value), None)
        if known is not None:
            known.channels.add(channel)
            return False
        seen.append(_Value(value, at_ms, {channel}))
        del seen[: -self._values]
        return True


class SeenTimes:
    """Remembers which times the newest snapshot of each conversation told (processors/genesys/times.py)."""

    def __init__(self, capacity: int = 20_000) -> None:
        self._capacity = capacity
        self._seen: OrderedDict[tuple[str, str], array[int]] = OrderedDict()  # a set takes ten times as much

    def adds_none(self, key: tuple[str, str], times: frozenset[int]) -> bool:
        """Whether a snapshot tells times, but none that the one before it did not; remembers them.

        Never of the first one.
        """
        before = self._seen.get(key)
        self._seen[key] = array("q", times)
        self._seen.move_to_end(key)
        if len(self._seen) > self._capacity:
            self._seen.popitem(last=False)
        return before is not None and bool(times) and times.issubset(before)


@dataclass(slots=True)
class _Value:
    value: str
    at_ms: int
    channels: set[str]


def _since(seen: list[_Value], at_ms: int) -> int:
    """Where a channel begins that brought nothing yet: the newest value, and those that came only just before."""
    recent = next((place for place, one in enumerate(seen) if one.at_ms >= at_ms), len(seen))
    return max(0, min(recent, len(seen) - 1))
