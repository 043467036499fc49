"""This module says what the analytics query tells of a conversation's communications, and what changed at a moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from processors.genesys.analytics.conversation import STATES, Conversation, Session
from processors.genesys.legs import MEDIA
from processors.genesys.states import NEAR_MS, Change, Place, Told

_OVER = Told(frozenset({"ended"}))

#: Phases before anybody talks: the query does not always tell which.
_WAITING = frozenset({"alerting", "dialing", "contacting", "scheduled"})

#: Live states of a communication that the query tells as going on.
_GOING_ON = frozenset({"connected", "uploading", "transmitting", "converting"})


def changes(conversation: Conversation, moments: Sequence[int]) -> dict[int, Change]:
    """What changed at each moment; a moment at which nothing did that both sides can tell has an empty change."""
    told = [dict(_shapes(conversation, moment)) for moment in moments]
    found = {}
    for number, moment in enumerate(moments):
        before = told[number - 1] if number else {}
        now = _difference(before, told[number])
        later = next((place for place in range(number + 1, len(moments)) if moments[place] - moment >= NEAR_MS), None)
        then = {} if later is None else _difference(told[later - 1], told[later])
        # What came before the next change, but less than NEAR_MS after this one, may be shown or not.
        near = told[number:later]
        still = {place: tuple(one.get(place) for one in near) for place in then}
        following = moments[number + 1] if number + 1 < len(moments) else None
        stays = all(one.phases == _OVER.phases or place not in before for place, one in now.items())
        found[moment] = Change(moment, now, still, then, following, stays)
    return found


def of_medium(change: Change, medium: str | None) -> Change:
    """The change as a topic tells it that has one medium alone; `None`: one that has all."""
    if medium is None:
        return change
    now = {place: one for place, one in change.now.items() if place[1] == medium}
    still = {place: one for place, one in change.still.items() if place[1] == medium}
    then = {place: one for place, one in change.then.items() if place[1] == medium}
    return Change(change.at_ms, now, still, then, change.next_ms, change.stays)


def _difference(before: Mapping[Place, Told], after: Mapping[Place, Told]) -> dict[Place, Told]:
    return {place: one for place, one in after.items() if before.get(place) != one}


def _shapes(conversation: Conversation, moment: int) -> Iterator[tuple[Place, Told]]:
    for party in conversation.parties:
        ident = party.body.get("participantId")
        counted: Counter[str] = Counter()
        wrapped = any(session.wrap_up(moment) for session in party.live(moment))
        for session in party.live(moment):
            medium = MEDIA[session.medium]
            yield (str(ident), medium, counted[medium]), _told(session, moment, wrapped)
            counted[medium] += 1


def _told(session: Session, moment: int, wrapped: bool) -> Told:
    begun = session.begun(moment)
    if session.state(moment) == "terminated":
        return Told(_OVER.phases, None, wrapped)
    kinds = [segment.kind for segment in begun]
    waits = [STATES[kind] for kind in kinds if kind in STATES]
    last = kinds[-1]
    if last in STATES:
        is_first = set(waits) == {STATES[last]} and len(kinds) == len(waits) and STATES[last] in _WAITING
        return Told(_WAITING if is_first else frozenset({STATES[last]}), None, wrapped)
    if last == "hold":
        return Told(_GOING_ON, True, wrapped)
    return Told(_GOING_ON if waits or "hold" in kinds else None, False if "hold" in kinds else None, wrapped)
