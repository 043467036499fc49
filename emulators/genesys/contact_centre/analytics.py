"""This module answers the conversation details query from what the simulator knows, gaps included."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from emulators.genesys.access.errors import ApiError
from emulators.genesys.contact_centre.conversations import Conversation, Participant
from emulators.genesys.contact_centre.details import PROVIDERS, WRAP_UP_CODE, iso

Json = dict[str, object]
LONGEST_INTERVAL = timedelta(days=31)
LARGEST_PAGE = 100
DIMENSIONS = frozenset({"queueId", "userId", "mediaType", "direction", "purpose", "conversationId", "divisionId"})


@dataclass(frozen=True, slots=True)
class DetailsQuery:
    """A validated query; the interval in epoch ms, its end excluded."""

    start_ms: int
    end_ms: int
    descending: bool
    page_size: int
    page_number: int
    segment_filters: tuple[Mapping[str, object], ...]
    conversation_filters: tuple[Mapping[str, object], ...]


def parse_query(body: object) -> DetailsQuery:
    """From the request's JSON (SDK: ConversationQuery); raises `ApiError` 400."""
    if not isinstance(body, dict):
        raise ApiError(400, "The request body must be a JSON object.")
    start, end = _interval(body.get("interval"))
    order = body.get("order", "asc")
    if order not in ("asc", "desc"):
        raise _wrong("order", order)
    paging = body.get("paging") or {}
    return DetailsQuery(
        start_ms=int(start.timestamp() * 1000),
        end_ms=int(end.timestamp() * 1000),
        descending=order == "desc",
        page_size=_positive(paging, "pageSize", 25, LARGEST_PAGE),
        page_number=_positive(paging, "pageNumber", 1, 100_000),
        segment_filters=_filters(body, "segmentFilters"),
        conversation_filters=_filters(body, "conversationFilters"),
    )


def answer(conversations: Iterable[Conversation], query: DetailsQuery) -> Json:
    """`{conversations: […], totalHits}`, ordered by start; without hits the list is left out."""
    found = sorted(
        (one for one in conversations if _within(one, query) and _passes(one, query)),
        key=lambda one: (one.started_ms, one.id),
        reverse=query.descending,
    )
    first = (query.page_number - 1) * query.page_size
    page = found[first : first + query.page_size]
    body: Json = {"totalHits": len(found)}
    return {"conversations": [_as_json(one) for one in page]} | body if page else body


def _within(conversation: Conversation, query: DetailsQuery) -> bool:
    """Any part of the conversation falls into the interval, so that a gap also shows what began before it."""
    ended = conversation.over_ms
    return conversation.started_ms < query.end_ms and (ended is None or ended >= query.start_ms)


def _passes(conversation: Conversation, query: DetailsQuery) -> bool:
    """Conversation filters hold on the whole, segment filters together on one participant."""
    whole = all(_filter_holds(one, _whole(conversation)) for one in query.conversation_filters)
    parts = [_whole(conversation) | _part(one) for one in conversation.participants]
    segments = not query.segment_filters or any(
        all(_filter_holds(one, part) for one in query.segment_filters) for part in parts
    )
    return whole and segments


def _filter_holds(one: Mapping[str, object], values: Mapping[str, object]) -> bool:
    """`{type: and|or, predicates: […], clauses: [the same again]}`."""
    predicates, clauses = one.get("predicates") or [], one.get("clauses") or []
    if not isinstance(predicates, list) or not isinstance(clauses, list):
        raise _wrong("filters", "predicates and clauses must be lists")
    results = [_predicate_holds(predicate, values) for predicate in predicates]
    results += [_filter_holds(clause, values) for clause in clauses if isinstance(clause, dict)]
    return any(results) if one.get("type", "and") == "or" else all(results)


def _predicate_holds(predicate: object, values: Mapping[str, object]) -> bool:
    if not isinstance(predicate, dict):
        raise _wrong("predicates", "must be objects")
    dimension, operator = predicate.get("dimension"), predicate.get("operator", "matches")
    if dimension not in DIMENSIONS:
        raise _wrong("dimension", dimension)
    value = values.get(str(dimension))
    match operator:
        case "matches":
            return value == predicate.get("value")
        case "exists":
            return value is not None
        case "notExists":
            return value is None
    raise _wrong("operator", operator)


def _whole(conversation: Conversation) -> Json:
    return {
        "conversationId": conversation.id,
        "divisionId": conversation.division_id,
        "mediaType": conversation.media,
        "direction": conversation.direction,
    }


def _part(participant: Participant) -> Json:
    return {"queueId": participant.queue_id, "userId": participant.user_id, "purpose": participant.purpose}


def _as_json(conversation: Conversation) -> Json:
    body: Json = {
        "conversationId": conversation.id,
        "conversationStart": iso(conversation.started_ms),
        "originatingDirection": conversation.direction,
        "divisionIds": [conversation.division_id],
        "participants": [_participant(conversation, one) for one in conversation.participants],
    }
    return body if conversation.ended_ms is None else body | {"conversationEnd": iso(conversation.ended_ms)}


def _participant(conversation: Conversation, participant: Participant) -> Json:
    session: Json = {
        "sessionId": participant.session_id,
        "mediaType": conversation.media,
        "direction": conversation.direction,
        "provider": PROVIDERS[conversation.media],
        "segments": list(_segments(participant)),
    }
    body: Json = {
        "participantId": participant.id,
        "participantName": participant.name,
        "purpose": participant.purpose,
        "sessions": [session],
    }
    return body if participant.user_id is None else body | {"userId": participant.user_id}


def _segments(participant: Participant) -> Iterator[Json]:
    """An agent is alerted, talks, and has after-call work; a queue and a customer have one segment."""
    began_ms, ended_ms = participant.started_ms, participant.ended_ms
    if participant.purpose == "agent":
        yield _segment(participant, "alert", began_ms, participant.connected_ms)
        began_ms = participant.connected_ms or began_ms
    if participant.connected_ms is not None:
        last: Json = {}
        if participant.disconnect_type is not None:
            last = {"disconnectType": participant.disconnect_type.lower()}
        yield _segment(participant, "delay" if participant.purpose == "acd" else "interact", began_ms, ended_ms) | last
    if participant.work_began_ms is not None:
        code: Json = {"wrapUpCode": WRAP_UP_CODE} if participant.work_ended_ms is not None else {}
        yield _segment(participant, "wrapup", participant.work_began_ms, participant.work_ended_ms) | code


def _segment(participant: Participant, kind: str, began_ms: int, ended_ms: int | None) -> Json:
    segment: Json = {"segmentType": kind, "segmentStart": iso(began_ms), "conference": False}
    if ended_ms is not None:
        segment["segmentEnd"] = iso(ended_ms)
    return segment if participant.queue_id is None else segment | {"queueId": participant.queue_id}


def _interval(value: object) -> tuple[datetime, datetime]:
    start, slash, end = value.partition("/") if isinstance(value, str) else ("", "", "")
    try:
        times = datetime.fromisoformat(start), datetime.fromisoformat(end)
    except ValueError as error:
        raise _wrong("interval", value) from error
    first, last = (time if time.tzinfo else time.replace(tzinfo=UTC) for time in times)
    if not slash or last <= first or last - first > LONGEST_INTERVAL:
        raise _wrong("interval", value)
    return first, last


def _positive(paging: object, name: str, default: int, largest: int) -> int:
    value = paging.get(name, default) if isinstance(paging, dict) else None
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= largest:
        raise _wrong(f"paging.{name}", value)
    return value


def _filters(body: Mapping[str, object], name: str) -> tuple[Mapping[str, object], ...]:
    value = [] if body.get(name) is None else body[name]
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise _wrong(name, "must be a list of objects")
    return tuple(value)


def _wrong(name: str, value: object) -> ApiError:
    params = {"name": name, "value": str(value)}
    return ApiError(400, "The value of {name} is not valid: {value}", code="invalid.value", params=params)
