"""This module reads the communications of a conversation snapshot, whichever of its two shapes it has.

`….conversations` tells participants with flat ids and an array of communications for each medium; the variants by
medium (`….conversations.calls`) tell one participant for each communication, with nested ids. Every field may be
missing, and one that is null counts as missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from processors.event.members import objects, text
from processors.event.strict_json import JsonObject
from processors.genesys.interval import epoch_ms_of

#: Array of a participant that holds its communications -> medium, as detail events name it.
MEDIA = {
    "calls": "VOICE",
    "callbacks": "CALLBACK",
    "chats": "CHAT",
    "emails": "EMAIL",
    "messages": "MESSAGE",
    "internalMessages": "INTERNALMESSAGE",
    "cobrowsesessions": "COBROWSE",
    "screenshares": "SCREENSHARE",
    "screenMonitorings": "SCREENMONITORING",
    "socialExpressions": "UNKNOWN",
    "videos": "VIDEO",
}
_BY_SUFFIX = {array.lower(): medium for array, medium in MEDIA.items()}

ENDED = frozenset({"disconnected", "terminated"})

#: States before anybody talks.
WAITING = frozenset({"alerting", "offering", "dialing", "contacting", "scheduled", "none"})

#: How the id begins that a participant without one is given, for the one snapshot.
NAMELESS = "#"

#: Which communication one is: participant, medium, and which of that medium.
LegPlace = tuple[str, str, int]

USERS = frozenset({"agent", "user"})
CUSTOMERS = frozenset({"customer", "external"})


def participant_queue(participant: JsonObject) -> str | None:
    """Queue id of a participant: flat (`queueId`) or nested (`queue.id`, in the variants by medium)."""
    return text(participant, "queueId") or text(participant, "queue", "id")


def participant_user(participant: JsonObject) -> str | None:
    """User id of a participant: flat (`userId`) or nested (`user.id`)."""
    return text(participant, "userId") or text(participant, "user", "id")


def communications(participant: JsonObject) -> list[JsonObject]:
    """Those of all media."""
    return [one for array in MEDIA if array in participant for one in objects(participant, array)]


class Leg(NamedTuple):
    """One communication of one participant; `number`: which of that medium. `session`: its own fields.

    `state`: as told, in lower case; of a participant without communications what its times tell. A tuple, and what is
    asked for again and again read once: there are several in each of many snapshots.
    """

    participant: JsonObject
    session: JsonObject
    medium: str
    number: int
    participant_id: str
    purpose: str
    state: str

    @property
    def session_id(self) -> str | None:
        """None in the variants by medium: their `id` is the participant's."""
        return None if self.session is self.participant else text(self.session, "id")

    @property
    def key(self) -> LegPlace:
        """What is the same for this communication in every shape."""
        return self.participant_id, self.medium, self.number

    @property
    def user(self) -> str | None:
        return participant_user(self.participant)

    @property
    def queue(self) -> str | None:
        return participant_queue(self.participant)

    @property
    def is_over(self) -> bool:
        return self.state in ENDED

    @property
    def held(self) -> bool:
        return self.session.get("held") is True and not self.is_over

    @property
    def connected_ms(self) -> int | None:
        """When it was answered; None while it waits, or when it never was."""
        if self.state in WAITING:
            return None
        own = epoch_ms_of(self.session.get("connectedTime"))
        if own is not None or self.number:
            return own
        return epoch_ms_of(self.participant.get("connectedTime"))

    @property
    def started_ms(self) -> int | None:
        own = epoch_ms_of(self.session.get("startTime")) or epoch_ms_of(self.session.get("startAlertingTime"))
        return own if own is not None else self.connected_ms

    @property
    def ended_ms(self) -> int | None:
        if not self.is_over:
            return None
        own = epoch_ms_of(self.session.get("disconnectedTime"))
        return own if own is not None else epoch_ms_of(self.participant.get("endTime"))

    @property
    def disconnect(self) -> str:
        """Why it ended, as snapshots name it (`transfer.noanswer`), or an empty text."""
        return (text(self.session, "disconnectType") or "").lower()


def legs(envelope: JsonObject) -> list[Leg]:
    """Every communication that a snapshot tells, in the order of its participants."""
    suffix = str(envelope.get("topicName")).rpartition(".")[2].lower()
    main = _BY_SUFFIX.get(suffix, "UNKNOWN")
    participants = objects(envelope, "eventBody", "participants")
    people = [one if text(one, "id") else one | {"id": f"{NAMELESS}{place}"} for place, one in enumerate(participants)]
    found = [leg for participant in people for leg in _of(participant, main)]
    media = [medium for _, _, medium in found if medium != "UNKNOWN"]
    counted: Counter[tuple[str, str]] = Counter()
    result = []
    for participant, session, medium in found:
        named = medium if medium != "UNKNOWN" or not media else media[0]
        ident = str(participant["id"])
        number, purpose = counted[ident, named], text(participant, "purpose") or ""
        result.append(Leg(participant, session, named, number, ident, purpose, _state(participant, session)))
        counted[ident, named] = number + 1
    return result


def _state(participant: JsonObject, session: JsonObject) -> str:
    state = text(session, "state")
    if state is not None:
        return state.lower()
    if participant.get("endTime"):
        return "disconnected"
    return "connected" if participant.get("connectedTime") else "none"


def earlier_topics(envelope: JsonObject, found: Iterable[Leg], before_ms: int) -> Iterator[str]:
    """The topics that have brought a snapshot's conversation, with these communications, since before then (epoch ms).

    They are those of queues it was in and of users who took part, for all media or for the same one.
    """
    variant = str(envelope.get("topicName")).partition(".conversations")[2]
    for leg in found:
        if leg.purpose not in CUSTOMERS and leg.started_ms is not None and leg.started_ms < before_ms:
            places = [f"v2.routing.queues.{leg.queue}"] if leg.queue else []
            for place in [*places, f"v2.users.{leg.user}"] if leg.user else places:
                yield f"{place}.conversations"
                yield f"{place}.conversations{variant}"


def wrapped_up(wrapup: JsonObject) -> JsonObject:
    """A wrap-up as a snapshot tells it, under the names of detail events."""
    seconds: Any = wrapup.get("durationSeconds")
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    lasted = round(seconds * 1000) if is_number and abs(seconds) < 1e9 else None
    told = {"wrapupCode": text(wrapup, "code"), "wrapupNotes": text(wrapup, "notes"), "wrapupDurationMs": lasted}
    return {name: value for name, value in told.items() if value is not None}


def _of(participant: JsonObject, main: str) -> Iterator[tuple[JsonObject, JsonObject, str]]:
    """Participant, communication, medium."""
    if text(participant, "state"):
        yield participant, participant, main
        return
    arrays = [array for array in participant if array in MEDIA]
    found = [(participant, one, MEDIA[array]) for array in arrays for one in objects(participant, array)]
    yield from found or [(participant, {}, "UNKNOWN")]
