"""This module writes detail events, and what conversation snapshots share with them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid5

from emulators.genesys.contact_centre.conversations import Conversation, Occurrence
from emulators.genesys.event_stream.events import ORGANISATION, timestamp

Body = dict[str, object]
WRAP_UP_CODE = str(uuid5(ORGANISATION, "wrapup:resolved"))
PROVIDERS = {
    "voice": "Edge",
    "chat": "PureCloud Webchat v2",
    "email": "PureCloud Email",
    "message": "PureCloud Messaging",
    "callback": "PureCloud Callback",
}


def iso(epoch_ms: int) -> str:
    """Snapshots and REST answers write times as ISO 8601, detail events as epoch ms."""
    return timestamp(datetime.fromtimestamp(epoch_ms / 1000, UTC))


def detail(step: Occurrence) -> Body:
    """`v2.detail.events.conversation.{id}.*` (the SDK's DetailEventTopic models); no names, only ids."""
    conversation, participant = step.conversation, step.participant
    if step.event == "attributes":
        session = {"id": participant.session_id, "mediaType": conversation.media.upper()}
        ids: Body = {"conversationId": conversation.id, "participantId": participant.id}
        return {"eventTime": step.at_ms, **ids, "communications": [session], "attributes": attributes(conversation)}
    shared = _shared(step)
    if step.event in ("acw", "wrapup"):
        del shared["divisionId"]
    return shared | _DETAILS[step.event](step)


def attributes(conversation: Conversation) -> Body:
    return {"language": "en-US", "externalContact": conversation.contact_id}


def _shared(step: Occurrence) -> Body:
    conversation, participant = step.conversation, step.participant
    return {
        "eventTime": step.at_ms,
        "conversationId": conversation.id,
        "participantId": participant.id,
        "sessionId": participant.session_id,
        "mediaType": conversation.media.upper(),
        "provider": PROVIDERS[conversation.media],
        "direction": conversation.direction.upper(),
        **addresses(conversation),
        "divisionId": conversation.division_id,
        "conversationExternalContactIds": [conversation.contact_id],
    }


def addresses(conversation: Conversation) -> Body:
    if conversation.media in ("voice", "callback"):
        return {"ani": f"tel:{conversation.address}", "dnis": "tel:+15550100000"}
    if conversation.media == "email":
        name = conversation.address.lstrip("+")
        return {"addressFrom": f"{name}@example.com", "addressTo": "support@example.com", "subject": "A question"}
    if conversation.media == "message":
        return {"messageType": "WEBMESSAGING", "addressFrom": conversation.address}
    return {}


def _acd(step: Occurrence) -> Body:
    return {
        "queueId": step.participant.queue_id,
        "routingPriority": step.conversation.priority,
        "requestedRoutingSkillIds": [],
    }


def _acd_start(step: Occurrence) -> Body:
    return _acd(step) | {"skillExpressionApplied": False}


def _acd_end(step: Occurrence) -> Body:
    participant = step.participant
    body = _acd(step) | {
        "disconnectType": participant.disconnect_type,
        "acdOutcome": participant.outcome,
        "requestedRoutings": ["STANDARD"],
        "connectedDurationMs": step.at_ms - participant.started_ms,
    }
    if participant.outcome == "ANSWERED":
        body |= {"usedRouting": "STANDARD", "answeredUserId": participant.answered_by}
    return body


def _user(step: Occurrence) -> Body:
    return {"userId": step.participant.user_id, "queueId": step.participant.queue_id}


def _leaving(step: Occurrence) -> Body:
    lasted = step.at_ms - (step.participant.connected_ms or step.participant.started_ms)
    return {"disconnectType": step.participant.disconnect_type, "interactingDurationMs": lasted}


def _wrap_up(step: Occurrence) -> Body:
    """Of whom it is, `acw` tells; `wrapup` has no user. Neither tells the division."""
    lasted = step.at_ms - (step.participant.ended_ms or step.at_ms)
    return {"queueId": step.participant.queue_id, "wrapupCode": WRAP_UP_CODE, "wrapupDurationMs": lasted}


def _acw(step: Occurrence) -> Body:
    return _wrap_up(step) | {"userId": step.participant.user_id}


def _customer(step: Occurrence) -> Body:
    return {"externalContactId": step.conversation.contact_id}


_DETAILS: dict[str, Callable[[Occurrence], Body]] = {
    "customer.start": _customer,
    "customer.end": lambda step: _customer(step) | _leaving(step),
    "acd.start": _acd_start,
    "acd.end": _acd_end,
    "user.start": _user,
    "user.end": lambda step: _user(step) | _leaving(step),
    "wrapup": _wrap_up,
    "acw": _acw,
}
DETAIL_EVENTS: tuple[str, ...] = (*_DETAILS, "attributes")
"""The detail events that this emulator produces, of those that Genesys Cloud has."""
