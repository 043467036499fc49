"""This module remembers in which states conversations were seen, so that what comes again or is told later is known."""

from __future__ import annotations

from bisect import insort_right
from collections import OrderedDict
from dataclasses import replace

from processors.genesys.seen_events import RETURN_MS, Sweeps
from processors.genesys.states import NO_DETAILS, SIGHTED_MS, Change, Sighting, State

#: How long after its end a conversation is remembered: a gap may still be healed.
ENDED_MS = 1_800_000


class SeenStates:
    """Remembers the last `states` sightings of each conversation by time.

    At most `capacity` conversations, and those that are over for half an hour.
    """

    def __init__(self, capacity: int = 20_000, states: int = 32) -> None:
        self._capacity, self._states = capacity, states
        self._seen: OrderedDict[tuple[str, str], list[Sighting]] = OrderedDict()
        self._sweeps = Sweeps()

    def is_change(self, key: tuple[str, str], state: State, at_ms: int, channel: str | None = None) -> bool:
        """Whether a live state, received at `at_ms` (epoch ms), differs from the newest one; remembers it."""
        seen = self._known(key, at_ms)
        if seen and _is_same(seen, seen[-1], state):
            return False
        at_ms = max(at_ms, seen[-1].at_ms) if seen else at_ms
        self._add(seen, Sighting(at_ms, state, from_query=False, channel=channel))
        return True

    def recall(self, key: tuple[str, str], state: State, at_ms: int, *, from_query: bool) -> None:
        """Remember a state that went on at `at_ms` (epoch ms); they may come in any order."""
        self._add(self._known(key, at_ms), Sighting(at_ms, state, from_query))

    def came_back(
        self, key: tuple[str, str], state: State, at_ms: int, *, is_new: bool, channel: str | None = None
    ) -> bool:
        """Whether a live state is one that the conversation was in before another, which it is in by now.

        A body that is not new (`is_new`) may be that of the first time, as the channel beside brings it: soon after it,
        only the channel that brought all since then tells a return.
        """
        seen = self._seen.get(key)
        if not seen or _is_same(seen, seen[-1], state):
            return False
        last = next((place for place in reversed(range(len(seen))) if _is_same(seen, seen[place], state)), None)
        if last is None:
            return False
        is_alone = channel is not None and all(one.channel == channel for one in seen[last:])
        return is_new or is_alone or at_ms - seen[last].at_ms > RETURN_MS

    def is_unseen(self, key: tuple[str, str], state: State, change: Change) -> bool:
        """Whether a change that the query tells of the past came not yet; remembers it.

        It came when a live snapshot showed it before the next one, or when the query told it before. It is the newest
        when it came after all that was seen: a live snapshot like it is no change then.
        """
        if not change.now:
            return False
        seen = self._known(key, change.at_ms)
        if change.was_seen(seen):
            return False
        self._add(seen, Sighting(change.at_ms, state, from_query=True))
        return True

    def __len__(self) -> int:
        return len(self._seen)

    def _add(self, seen: list[Sighting], sighting: Sighting) -> None:
        insort_right(seen, _sharing(seen, sighting), key=SIGHTED_MS)
        del seen[: -self._states]

    def _known(self, key: tuple[str, str], now_ms: int) -> list[Sighting]:
        seen = self._seen.get(key)
        if seen is None:
            self._forget(now_ms)
            seen = self._seen[key] = []
        else:
            self._seen.move_to_end(key)
        return seen

    def _forget(self, now_ms: int) -> None:
        """Make room for one more; what was touched longest ago is the first to go."""
        if self._sweeps.is_due(now_ms):
            for key in [key for key, seen in self._seen.items() if _is_past(seen, now_ms - ENDED_MS)]:
                del self._seen[key]
        while len(self._seen) >= self._capacity:
            self._seen.popitem(last=False)


def _is_past(seen: list[Sighting], before_ms: int) -> bool:
    return not seen or (seen[-1].at_ms < before_ms and seen[-1].state.is_over)


def _sharing(seen: list[Sighting], sighting: Sighting) -> Sighting:
    """The same, its places those of the sighting before: each frame brings texts of its own, which add up."""
    known = {place: place for place in seen[-1].state.shapes} if seen else {}
    shapes = {known.get(place, place): shape for place, shape in sighting.state.shapes.items()}
    return replace(sighting, state=State(shapes, sighting.state.details))


def _is_same(seen: list[Sighting], one: Sighting, state: State) -> bool:
    """Whether a live state is that of a sighting; of a queried one, with the details that were last seen live."""
    if one.state.shapes != state.shapes:
        return False
    if not one.from_query:
        return one.state.details == state.details
    live = next((other for other in reversed(seen) if not other.from_query), None)
    return state.details in (one.state.details, NO_DETAILS if live is None else live.state.details)
