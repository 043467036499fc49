"""This module says when what an event reports has happened, as far as the event tells.

Most notifications have a time of their own. A snapshot of a conversation has none: it shows how things are, with the
times since when some of them are so. The latest of these is the time of the change, unless a party is in a state that
came with no time (an agent is alerted, a customer is dialled): then that may be the change, and the latest time told is
that of an earlier one. What comes with no time at all (an attribute, the end of a hold) only the snapshot before can
tell: the source marks such a change with the time of its receipt, `changedAt`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from processors.event.formats import instant, time_text
from processors.event.identity import SNAPSHOT_TOPIC, is_notification
from processors.event.members import member, objects, value_at
from processors.event.strict_json import JsonObject
from processors.genesys.legs import communications

#: Where notifications tell their own time; the first that is there counts.
OWN_TIMES = (
    "eventTime", "eventTimeMs", "timestamp", "metricDate", "currentStateStart", "endDateTime", "modifiedDate",
    "dateModified", "modifyDate", "modifiedDateTime", "changedDate", "createdDate", "dateCreated", "created",
    "createdDateTime", "endedDate", "dateCompleted", "exportTimestamp", "lastUnreadNotificationDate", "invocationTime",
    "evaluationFinalizedWithAcwDate", "evaluationFinalizedDate", "evaluationLastModifiedDate", "evaluationStartDate",
    "startTime",
)  # fmt: skip

#: The same, of parts of the body; of these the latest counts.
PART_TIMES = (
    ("routingStatus", "startTime"),
    ("presence", "modifiedDate"),
    ("dateActiveQueuesChanged",),
    ("status", "eventCreationTime"),
    ("normalizedMessage", "channel", "time"),
    ("result", "metadata", "dateModified"),
)

#: Times of a participant or a communication in a snapshot.
SNAPSHOT_TIMES = (
    "startTime", "startAlertingTime", "connectedTime", "startHoldTime", "parkTime", "resumeTime", "bargedTime",
    "disconnectedTime", "endTime", "startAcwTime", "endAcwTime", "providerEventTime",
)  # fmt: skip

#: State of a communication -> what tells since when it is so: of its own, or of its participant.
SINCE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "connected": (("connectedTime", "startTime"), ("connectedTime", "startTime")),
    "disconnected": (("disconnectedTime", "endTime"), ("endTime",)),
    "terminated": (("disconnectedTime", "endTime"), ("endTime",)),
    "parked": (("parkTime",), ("parkTime",)),
    **dict.fromkeys(
        ("alerting", "offering", "dialing", "contacting", "scheduled"), (("startAlertingTime", "startTime"), ())
    ),
}


def event_time(body: JsonObject) -> str:
    """RFC 3339 time of what the event reports; an empty text when it tells none.

    A time of its own that cannot be read as one is given as it is: the schema is to refuse it.
    """
    if not is_notification(body):
        return _read(body.get("createdTime"))
    event_body, metadata = body["eventBody"], body.get("metadata")
    if body.get("backfilled") is True and isinstance(metadata, dict) and (moment := instant(metadata.get("moment"))):
        return time_text(moment)
    if not isinstance(event_body, dict):
        found: datetime | str | None = None
    elif SNAPSHOT_TOPIC.fullmatch(body["topicName"]) and isinstance(event_body.get("participants"), list):
        found = _snapshot_time(event_body)
        received = (instant(body.get(name)) for name in ("again", "changedAt"))
        found = max(filter(None, (found, *received)), default=None)
    else:
        found = _own_time(event_body)
    if found is None:
        found = instant(body.get("timestamp"))  # when Genesys put it on an event bus
    return found if isinstance(found, str) else time_text(found) if found else ""


def is_timeless(body: JsonObject) -> bool:
    """Whether a notification holds no time: then two equal ones may be two facts (an agent joins, leaves and joins)."""
    return is_notification(body) and isinstance(body["eventBody"], dict) and _own_time(body["eventBody"]) is None


def _own_time(body: JsonObject) -> datetime | str | None:
    for name in OWN_TIMES:
        value = body.get(name)
        if value is not None and (text := _read(value)):
            return text
    return max(_instants(value_at(body, *path) for path in PART_TIMES), default=None)


def _read(value: object) -> str:
    """A time in RFC 3339, or a text or number that is none as it came; empty for anything else."""
    moment = instant(value)
    if moment is not None:
        return time_text(moment)
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _snapshot_time(body: JsonObject) -> datetime | None:
    """The latest time in a snapshot; None when something in it is so since nobody knows when."""
    times = _times_of_whole(body)
    for participant in objects(body, "participants"):
        for part in (participant, *communications(participant)):
            if not _is_timed(part, participant):
                return None
            times += [time for _, time in _times(part)]
    return max(_instants(times), default=None)


def _times_of_whole(body: JsonObject) -> list[Any]:
    issued = [transfer.get("dateIssued") for transfer in objects(body, "recentTransfers")]
    return [body.get("startTime"), body.get("endTime"), *issued]


def stated_times(body: JsonObject) -> frozenset[int]:
    """A number for each time that a snapshot tells, and of what: a change that adds none has no time of its own."""
    found = {hash(("", str(time))) for time in _times_of_whole(body) if time is not None}
    for place, participant in enumerate(objects(body, "participants")):
        for part in (participant, *communications(participant)):
            ident = part.get("id")
            whose = ident if isinstance(ident, str) else place
            found.update([hash((whose, name, str(time))) for name, time in _times(part)])
    return frozenset(found)


def _times(part: JsonObject) -> list[tuple[object, Any]]:
    """The times that a participant or a communication tells, each with what tells it."""
    told: list[tuple[object, Any]] = [(name, part.get(name)) for name in SNAPSHOT_TIMES]
    if "afterCallWork" in part:
        work = member(part, "afterCallWork")
        told += [("work began", work.get("startTime")), ("work ended", work.get("endTime"))]
    if "wrapup" in part:
        told.append(("wrapped up", member(part, "wrapup").get("endTime")))
    if "messages" in part:
        told += [(place, one.get("messageTime")) for place, one in enumerate(objects(part, "messages"))]
    return [one for one in told if one[1] is not None]


def _is_timed(part: JsonObject, participant: JsonObject) -> bool:
    """Whether of all that a communication shows (or a participant that is its own) it tells since when it is so."""
    own, of_participant = SINCE.get(str(part.get("state")).lower(), ((), ()))
    if own and not _tells(part, *own) and not _tells(participant, *of_participant):
        return False
    if part.get("held") is True and part.get("state") == "connected" and not _tells(part, "startHoldTime"):
        return False
    after_call, wrapup = member(part, "afterCallWork"), member(part, "wrapup")
    state = after_call.get("state")
    if state == "pending" and not _tells(after_call, "startTime") and not _tells(participant, "startAcwTime"):
        return False
    ended = _tells(after_call, "endTime") or _tells(participant, "endAcwTime")
    if state == "complete" and not ended:
        return False
    return wrapup.get("code") is None or ended or _tells(wrapup, "endTime")


def _tells(part: JsonObject, *names: str) -> bool:
    return any(instant(part.get(name)) is not None for name in names)


def _instants(values: Iterable[Any]) -> Iterator[datetime]:
    return (moment for value in values if (moment := instant(value)) is not None)
