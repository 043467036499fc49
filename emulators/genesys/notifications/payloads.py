"""This module gives conversations the shapes in which notification topics carry them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid5

from emulators.genesys.contact_centre.conversations import Conversation, Occurrence, Participant
from emulators.genesys.contact_centre.details import PROVIDERS, WRAP_UP_CODE, Body, addresses, attributes, detail, iso
from emulators.genesys.event_stream.events import ORGANISATION

MEDIA_SUFFIX = {"voice": "calls", "chat": "chats", "email": "emails", "message": "messages", "callback": "callbacks"}
AVAILABLE, BUSY = ("AVAILABLE", "IDLE"), ("BUSY", "INTERACTING")


def notifications(step: Occurrence) -> Iterator[tuple[str, Callable[[], Body]]]:
    """Every topic on which this step is heard, with a function that builds the `eventBody`."""
    conversation = step.conversation
    yield f"v2.detail.events.conversation.{conversation.id}.{step.event}", lambda: detail(step)
    for place in _places(conversation):
        yield f"{place}.conversations", lambda: snapshot(conversation)
        yield f"{place}.conversations.{MEDIA_SUFFIX[conversation.media]}", lambda: media_snapshot(conversation)
    if step.event in ("user.start", "user.end"):
        user = step.participant.user_id
        yield f"v2.users.{user}.presence", lambda: presence(step)
        yield f"v2.users.{user}.routingStatus", lambda: routing_status(step)


def snapshot(conversation: Conversation) -> Body:
    """`v2.routing.queues.{id}.conversations`: the whole conversation, flat ids, one list per medium."""
    participants = [_flat(conversation, one) for one in conversation.participants]
    return {"id": conversation.id, "participants": participants, "divisions": _divisions(conversation)}


def media_snapshot(conversation: Conversation) -> Body:
    """`….conversations.calls` and its like: nested `queue` and `user`, state per participant."""
    participants = [_nested(conversation, one) for one in conversation.participants]
    return {"id": conversation.id, "participants": participants, "otherMediaUris": []}


def presence(step: Occurrence) -> Body:
    """`v2.users.{id}.presence` when an agent takes or leaves a conversation."""
    name, _ = BUSY if step.event == "user.start" else AVAILABLE
    return {
        "source": "PURECLOUD",
        "presenceDefinition": {"id": str(uuid5(ORGANISATION, f"presence:{name}")), "systemPresence": name},
        "message": "",
        "modifiedDate": iso(step.at_ms),
    }


def routing_status(step: Occurrence) -> Body:
    """`v2.users.{id}.routingStatus`."""
    _, status = BUSY if step.event == "user.start" else AVAILABLE
    return {"id": step.participant.user_id, "routingStatus": {"status": status, "startTime": iso(step.at_ms)}}


def _places(conversation: Conversation) -> Iterator[str]:
    """The queues and users that see this conversation, each once."""
    queues = dict.fromkeys(one.queue_id for one in conversation.participants if one.queue_id)
    users = dict.fromkeys(one.user_id for one in conversation.participants if one.user_id)
    yield from (f"v2.routing.queues.{ident}" for ident in queues)
    yield from (f"v2.users.{ident}" for ident in users)


def _divisions(conversation: Conversation) -> list[Body]:
    return [{"division": {"id": conversation.division_id}, "entities": []}]


def _flat(conversation: Conversation, participant: Participant) -> Body:
    """What is not so yet is not there: a participant has no time of its start, only of its answer and of its end."""
    medium = MEDIA_SUFFIX[conversation.media]
    body: Body = _shared(conversation, participant) | {
        "wrapupExpected": participant.purpose == "agent",
        medium: [
            _times(participant, "disconnectedTime") | _session(participant, conversation) | _work_state(participant)
        ],
    }
    if participant.user_id is not None:
        body["userId"] = participant.user_id
    queue = participant.queue_id or _customers_queue(conversation, participant)
    if queue is not None:
        body["queueId"] = queue
    if conversation.media == "chat":
        del body[medium][0]["direction"]  # type: ignore[index]
    return body


def _nested(conversation: Conversation, participant: Participant) -> Body:
    body = _shared(conversation, participant) | _session(participant, conversation)
    # A session's own id stands in the flat form.
    body |= {"id": participant.id, "startTime": iso(participant.started_ms)}
    if participant.queue_id is not None:
        body["queue"] = {"id": participant.queue_id}
    if participant.user_id is not None:
        body["user"] = {"id": participant.user_id}
    if conversation.media == "voice":
        return body | addresses(conversation)
    return body | {"subject": addresses(conversation)["subject"]} if conversation.media == "email" else body


def _shared(conversation: Conversation, participant: Participant) -> Body:
    """What both forms tell of a participant in the same way."""
    is_customer = participant.purpose == "customer"
    body: Body = {
        "id": participant.id,
        "name": participant.name,
        "purpose": participant.purpose,
        "wrapupRequired": participant.purpose == "agent",
        "attributes": attributes(conversation) if is_customer else {},
        **_times(participant, "endTime"),
        **_after_call(participant),
        **_routing(conversation, participant),
    }
    return body | {"address": conversation.address} if is_customer else body


def _after_call(participant: Participant) -> Body:
    """After-call work, and the code that was given at its end."""
    began_ms, ended_ms = participant.work_began_ms, participant.work_ended_ms
    if began_ms is None:
        return {}
    if ended_ms is None:
        return {"startAcwTime": iso(began_ms)}
    wrapup: Body = {"code": WRAP_UP_CODE, "durationSeconds": (ended_ms - began_ms) // 1000, "endTime": iso(ended_ms)}
    return {"startAcwTime": iso(began_ms), "endAcwTime": iso(ended_ms), "wrapup": wrapup}


def _work_state(participant: Participant) -> Body:
    """The same, as the flat form's communications tell it."""
    times = {"startTime": participant.work_began_ms, "endTime": participant.work_ended_ms}
    told: Body = {name: iso(time) for name, time in times.items() if time is not None}
    state = "pending" if participant.work_ended_ms is None else "complete"
    return {"afterCallWork": {"state": state} | told} if told else {}


def _times(participant: Participant, end: str) -> Body:
    """Since when it is connected, and when it ended, as far as that is so."""
    times = {"connectedTime": participant.connected_ms, end: participant.ended_ms}
    return {name: iso(time) for name, time in times.items() if time is not None}


def _customers_queue(conversation: Conversation, participant: Participant) -> str | None:
    """Customers of callbacks, chats and messages show the queue that they are in; callers do not."""
    if participant.purpose != "customer" or conversation.media not in ("callback", "chat", "message"):
        return None
    queues = [one.queue_id for one in conversation.participants if one.queue_id is not None]
    return queues[-1] if queues else None


def _session(participant: Participant, conversation: Conversation) -> Body:
    body: Body = {
        "id": participant.session_id,
        "state": participant.state(conversation.media),
        "direction": conversation.direction,
        "held": False,
        "provider": PROVIDERS[conversation.media],
    }
    if participant.disconnect_type is not None:
        body["disconnectType"] = participant.disconnect_type.lower()
    return body


def _routing(conversation: Conversation, participant: Participant) -> Body:
    """Priority is found on the participant with purpose `acd` alone."""
    if participant.purpose != "acd":
        return {}
    queue = {"id": participant.queue_id}
    data = {"queue": queue, "priority": conversation.priority, "skills": [], "scoredAgents": []}
    return {"conversationRoutingData": data}
