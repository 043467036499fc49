"""This module says what the analytics query tells of a conversation's communications, and what changed at a moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from processors.genesys.analytics.conversation import STATES, AnalyticsConversation, Session
from processors.genesys.interval import Interval
from processors.genesys.legs import MEDIA, LegPlace
from processors.genesys.states import LATE_MS, NEAR_MS, ONE_ANSWER_MS, Change, ExpectedShape

_OVER = ExpectedShape(frozenset({"ended"}))

#: Phases before anybody talks: the query does not always tell which.
_WAITING = frozenset({"alerting", "dialing", "contacting", "scheduled"})

#: Live states of a communication that the query tells as going on.
_GOING_ON = frozenset({"connected", "uploading", "transmitting", "converting"})


def changes(
    conversation: AnalyticsConversation, moments: Sequence[int], unheard: Collection[Interval] = ()
) -> dict[int, Change]:
    """What changed at each moment; a moment at which nothing did that both sides can tell has an empty change.

    `unheard`: when nobody listened. What shows a change of then together with the next one came after it was lost.
    """
    expected = [dict(_shapes(conversation, moment)) for moment in moments]
    found = {}
    for number, moment in enumerate(moments):
        before = expected[number - 1] if number else {}
        now = _difference(before, expected[number])
        near_ms = ONE_ANSWER_MS if any(moment in one for one in unheard) else NEAR_MS
        later = next((place for place in range(number + 1, len(moments)) if moments[place] - moment >= near_ms), None)
        then = {} if later is None else _difference(expected[later - 1], expected[later])
        # What came before the next change, but as near to this one, may be shown or not.
        near = expected[number:later]
        still = {place: tuple(one.get(place) for one in near) for place in then}
        following = moments[number + 1] if number + 1 < len(moments) else None
        stays = all(one.phases == _OVER.phases or place not in before for place, one in now.items())
        change = Change(moment, now, still, then, following, stays)
        like = () if later is None else tuple(_returns(change, expected[later:], moments[later:]))
        found[moment] = replace(change, like=like)
    return {moment: replace(change, was_like=tuple(_before(change, found))) for moment, change in found.items()}


def _before(change: Change, changes: Mapping[int, Change]) -> Iterator[int]:
    """When, shortly before, a live snapshot could look as after this one, in the order of time."""
    earlier = [moment for moment, one in changes.items() if change.at_ms in one.like]
    for place, moment in enumerate(earlier):
        if all(after - before <= LATE_MS for before, after in pairwise([*earlier[place:], change.at_ms])):
            yield moment


def _returns(
    change: Change, shapes: Sequence[Mapping[LegPlace, ExpectedShape]], moments: Sequence[int]
) -> Iterator[int]:
    """When, soon after the next change, a live snapshot could look again as after this one."""
    was_like = False
    for moment, one in zip(moments, shapes, strict=True):
        if moment > moments[0] + LATE_MS:
            return
        is_like = (
            any(one.get(place) != then for place, then in change.then.items())
            and all(_alike(now, one.get(place)) for place, now in change.now.items())
            and all(any(_alike(was, one.get(place)) for was in still) for place, still in change.still.items())
        )
        if is_like and not was_like:
            yield moment
        was_like = is_like


def _alike(one: ExpectedShape | None, other: ExpectedShape | None) -> bool:
    """Whether a live snapshot can show both."""
    if one is None or other is None:
        return one is other
    if None not in (one.held, other.held) and one.held is not other.held:
        return False
    if one.phases is None or other.phases is None:
        return _OVER.phases not in (one.phases, other.phases)
    return bool(one.phases & other.phases) and (other.wrapped or not one.wrapped)


def of_medium(change: Change, medium: str | None) -> Change:
    """The change as a topic tells it that has one medium alone; `None`: one that has all."""
    if medium is None:
        return change
    now = {place: one for place, one in change.now.items() if place[1] == medium}
    still = {place: one for place, one in change.still.items() if place[1] == medium}
    then = {place: one for place, one in change.then.items() if place[1] == medium}
    return replace(change, now=now, still=still, then=then)


def _difference(
    before: Mapping[LegPlace, ExpectedShape], after: Mapping[LegPlace, ExpectedShape]
) -> dict[LegPlace, ExpectedShape]:
    return {place: one for place, one in after.items() if before.get(place) != one}


def _shapes(conversation: AnalyticsConversation, moment: int) -> Iterator[tuple[LegPlace, ExpectedShape]]:
    for party in conversation.parties:
        ident = party.body.get("participantId")
        counted: Counter[str] = Counter()
        wrapped = any(session.wrap_up(moment) for session in party.live(moment))
        for session in party.live(moment):
            medium = MEDIA[session.medium]
            yield (str(ident), medium, counted[medium]), _expected(session, moment, wrapped)
            counted[medium] += 1


def _expected(session: Session, moment: int, wrapped: bool) -> ExpectedShape:
    begun = session.begun(moment)
    if session.state(moment) == "terminated":
        return ExpectedShape(_OVER.phases, None, wrapped)
    kinds = [segment.kind for segment in begun]
    waits = [STATES[kind] for kind in kinds if kind in STATES]
    last = kinds[-1]
    if last in STATES:
        is_first = set(waits) == {STATES[last]} and len(kinds) == len(waits) and STATES[last] in _WAITING
        return ExpectedShape(_WAITING if is_first else frozenset({STATES[last]}), None, wrapped)
    if last == "hold":
        return ExpectedShape(_GOING_ON, True, wrapped)
    return ExpectedShape(_GOING_ON if waits or "hold" in kinds else None, False if "hold" in kinds else None, wrapped)
