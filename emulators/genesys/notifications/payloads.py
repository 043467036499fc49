"""This module gives conversations the shapes in which notification topics carry them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid5

from emulators.genesys.contact_centre.conversations import Conversation, Participant, Step
from emulators.genesys.contact_centre.details import PROVIDERS, Body, addresses, attributes, detail, iso
from emulators.genesys.event_stream.events import ORGANISATION

MEDIA_SUFFIX = {
    "voice": "calls",
    "chat": "chats",
    "email": "emails",
    "message": "messages",
    "callback": "callbacks",
}
AVAILABLE, BUSY = ("AVAILABLE", "IDLE"), ("BUSY", "INTERACTING")


def notifications(step: Step) -> Iterator[tuple[str, Callable[[], Body]]]:
    """Every topic on which this step is heard, with a function that builds the `eventBody`."""
    conversation = step.conversation
    yield f"v2.detail.events.conversation.{conversation.id}.{step.event}", lambda: detail(step)
    for place in _places(conversation):
        yield f"{place}.conversations", lambda: snapshot(conversation)
        yield (
            f"{place}.conversations.{MEDIA_SUFFIX[conversation.media]}",
            lambda: media_snapshot(conversation),
        )
    if step.event in ("user.start", "user.end"):
        user = step.participant.user_id
        yield f"v2.users.{user}.presence", lambda: presence(step)
        yield f"v2.users.{user}.routingStatus", lambda: routing_status(step)


def snapshot(conversation: Conversation) -> Body:
    """`v2.routing.queues.{id}.conversations`: the whole conversation, flat ids, one list per medium."""
    participants = [_flat(conversation, one) for one in conversation.participants]
    body: Body = {"id": conversation.id, "participants": participants}
    return body if conversation.ended_ms is None else body | {"endTime": iso(conversation.ended_ms)}


def media_snapshot(conversation: Conversation) -> Body:
    """`….conversations.calls` and its like: nested `queue` and `user`, state per participant."""
    participants = [_nested(conversation, one) for one in conversation.participants]
    return {"id": conversation.id, "participants": participants, "otherMediaUris": []}


def presence(step: Step) -> Body:
    """`v2.users.{id}.presence` when an agent takes or leaves a conversation."""
    name, _ = BUSY if step.event == "user.start" else AVAILABLE
    return {
        "source": "PURECLOUD",
        "presenceDefinition": {"id": str(uuid5(ORGANISATION, f"presence:{name}")), "systemPresence": name},
        "presenceMessage": "",
        "modifiedDate": iso(step.at_ms),
    }


def routing_status(step: Step) -> Body:
    """`v2.users.{id}.routingStatus`."""
    _, status = BUSY if step.event == "user.start" else AVAILABLE
    user = step.participant.user_id
    return {"id": user, "routingStatus": {"userId": user, "status": status, "startTime": iso(step.at_ms)}}


def _places(conversation: Conversation) -> Iterator[str]:
    """The queues and users that see this conversation, each once."""
    queues = dict.fromkeys(one.queue_id for one in conversation.participants if one.queue_id)
    users = dict.fromkeys(one.user_id for one in conversation.participants if one.user_id)
    yield from (f"v2.routing.queues.{ident}" for ident in queues)
    yield from (f"v2.users.{ident}" for ident in users)


def _flat(conversation: Conversation, participant: Participant) -> Body:
    body: Body = {
        "id": participant.id,
        "connectedTime": iso(participant.connected_ms or participant.started_ms),
        "name": participant.name,
        "purpose": participant.purpose,
        "wrapupRequired": participant.purpose == "agent",
        "wrapupExpected": participant.purpose == "agent",
        "attributes": attributes(conversation) if participant.purpose == "customer" else {},
        MEDIA_SUFFIX[conversation.media]: [_session(participant, conversation)],
    }
    if participant.ended_ms is not None:
        body["endTime"] = iso(participant.ended_ms)
    if participant.user_id is not None:
        body["userId"] = participant.user_id
    if participant.queue_id is not None:
        body["queueId"] = participant.queue_id
    if participant.purpose == "customer":
        body["address"] = conversation.address
    return body | _routing(conversation, participant)


def _nested(conversation: Conversation, participant: Participant) -> Body:
    body: Body = {
        "id": participant.id,
        "name": participant.name,
        "startTime": iso(participant.started_ms),
        "connectedTime": iso(participant.connected_ms or participant.started_ms),
        "purpose": participant.purpose,
        "wrapupRequired": participant.purpose == "agent",
        "attributes": attributes(conversation) if participant.purpose == "customer" else {},
        **_session(participant, conversation),
    }
    body["id"] = participant.id  # the session's own id stands in the flat form only
    if participant.ended_ms is not None:
        body["endTime"] = iso(participant.ended_ms)
    if participant.queue_id is not None:
        body["queue"] = {"id": participant.queue_id}
    if participant.user_id is not None:
        body["user"] = {"id": participant.user_id}
    return body | _routing(conversation, participant) | addresses(conversation)


def _session(participant: Participant, conversation: Conversation) -> Body:
    body: Body = {
        "id": participant.session_id,
        "state": participant.state,
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
