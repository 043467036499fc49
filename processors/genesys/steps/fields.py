"""This module gives a step the fields of Genesys' detail events; those that a snapshot does not tell are absent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from processors.event.members import member, objects, text
from processors.event.strict_json import JsonObject
from processors.genesys.interval import epoch_ms_of
from processors.genesys.legs import CUSTOMERS, Leg, wrapped_up

#: Ends whose name in detail events is not theirs in snapshots with dots made underscores.
_ENDS = {"endpoint.dnd": "DND_ENDPOINT"}
_HANDED_ON = {"noanswer": "NO_ANSWER", "notavailable": "NOT_AVAILABLE"}


def present(body: JsonObject) -> JsonObject:
    """The fields that are there: null counts as missing."""
    return {name: value for name, value in body.items() if value is not None}


def shared(conversation_id: str, leg: Leg, legs: Sequence[Leg], envelope: JsonObject) -> JsonObject:
    """What the detail events of every session have."""
    return {
        "sessionId": leg.session_id,
        "mediaType": leg.medium,
        "provider": text(leg.session, "provider"),
        "direction": _direction(leg, legs),
        **_addresses(leg, legs),
        "divisionId": _division(envelope),
        "queueId": leg.queue,
    }


def user(leg: Leg) -> JsonObject:
    return {"userId": leg.user}


def customer(leg: Leg) -> JsonObject:
    contact = text(leg.participant, "externalContactId") or text(leg.participant, "externalContact", "id")
    return {"externalContactId": contact}


def routing(leg: Leg) -> JsonObject:
    """What an acd participant tells of how it is routed."""
    data = member(leg.participant, "conversationRoutingData")
    priority = data.get("priority")
    skills = [ident for one in objects(data, "skills") if (ident := text(one, "id"))]
    return {
        "routingPriority": priority if isinstance(priority, int | float) and not isinstance(priority, bool) else None,
        "requestedRoutingSkillIds": skills if isinstance(data.get("skills"), list) else None,
        "requestedLanguageId": text(data, "language", "id"),
    }


def ended(leg: Leg) -> JsonObject:
    """Why it ended, and how long it lasted."""
    more: dict[str, Any] = {"disconnectType": disconnect_type(leg)}
    if leg.ended_ms is not None and leg.connected_ms is not None:
        name = "connectedDurationMs" if leg.purpose == "acd" else "interactingDurationMs"
        more[name] = max(0, leg.ended_ms - leg.connected_ms)
    began = epoch_ms_of(leg.session.get("startAlertingTime")) or epoch_ms_of(leg.session.get("startTime"))
    answered = leg.connected_ms if leg.connected_ms is not None else leg.ended_ms
    if leg.purpose not in CUSTOMERS and leg.purpose != "acd" and began is not None and answered is not None:
        more["alertingDurationMs"] = max(0, answered - began)
    return more


def wrapup(leg: Leg) -> JsonObject:
    """The code that was given, its notes and how long that took; empty without one."""
    found = member(leg.participant, "wrapup") or member(leg.session, "wrapup")
    return wrapped_up(found) if text(found, "code") else {}


def disconnect_type(leg: Leg) -> str | None:
    """As detail events spell it: `transfer.noanswer` is NO_ANSWER_TRANSFER there."""
    if not leg.disconnect:
        return None
    if leg.disconnect in _ENDS:
        return _ENDS[leg.disconnect]
    kind, _, how = leg.disconnect.partition(".")
    if kind == "transfer" and how:
        return f"{_HANDED_ON.get(how, how.upper())}_TRANSFER"
    return leg.disconnect.upper().replace(".", "_")


def _direction(leg: Leg, legs: Sequence[Leg]) -> str | None:
    sources = [leg, *(one for one in legs if one.purpose in CUSTOMERS), *legs]
    found = next((value for one in sources if (value := text(one.session, "direction"))), None)
    return found.upper() if found else None


def _addresses(leg: Leg, legs: Sequence[Leg]) -> JsonObject:
    """The customer's address and the one that it reached, by what the medium calls them."""
    participant, session = leg.participant, leg.session
    if ani := text(participant, "ani"):  # the variants by medium tell both
        return {"ani": ani, "dnis": text(participant, "dnis")}
    theirs = next((one for one in legs if one.purpose in CUSTOMERS), None)
    if theirs is None:
        return {}
    address = _address(theirs.session, "self") or _address(theirs.session, "fromAddress")
    address = address or text(theirs.participant, "address")
    reached = _address(theirs.session, "other") or _address(theirs.session, "toAddress")
    inbound = _direction(leg, legs) != "OUTBOUND"
    first, second = (address, reached) if inbound else (reached, address)
    if leg.medium in ("VOICE", "CALLBACK"):
        return {"ani": first, "dnis": second}
    subject = {"subject": text(session, "subject")} if leg.medium == "EMAIL" else {}
    kind = text(session, "type") if leg.medium == "MESSAGE" else None
    return {"addressFrom": first, "addressTo": second, "messageType": kind.upper() if kind else None, **subject}


def _address(session: JsonObject, name: str) -> str | None:
    found = member(session, name)
    return text(found, "addressNormalized") or text(found, "addressRaw")


def _division(envelope: JsonObject) -> str | None:
    divisions = objects(envelope, "eventBody", "divisions")
    return next((ident for one in divisions if (ident := text(one, "division", "id"))), None)
