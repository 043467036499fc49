"""This module calls EventBridge: one PutEvents, answered entry by entry, and a look at a bus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from clients.aws.answers import ALWAYS_TAKEN, AWS_ERRORS, NoAnswerError, error_code, http_status, is_unanswered, reason
from processors.delivery.entries import Entry
from processors.delivery.refusals import concerns_the_caller, is_throttling, remedy

#: What a refusal asks an operator to do.
PERMISSION, MISSING_BUS = (
    "events:PutEvents on the bus",
    "create the bus, or fix EVENTBUS_NAME or the route's event-bus",
)


@dataclass(frozen=True, slots=True)
class Accepted:
    """EventBridge took the entry and gave it this id. `codes`: what it was refused with before, attempt by attempt."""

    id: str
    codes: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class RefusedEntry:
    """EventBridge answered, and did not take this entry. `attempts`: further ones made after the first."""

    code: str
    message: str
    attempts: int = 0
    codes: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Outage:
    """No entry is to blame: no answer came, or a refusal of whatever is asked. `reason` ends with what to do."""

    reason: str


@dataclass(frozen=True, slots=True)
class Suspect:
    """A refusal that may be about this entry, or about all: no other entry beside it passed, to tell them apart."""

    code: str
    message: str


Result = Accepted | RefusedEntry | Outage | Suspect


class EventBridge:
    """PutEvents over one client (clients/aws/client.py)."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def put(self, entries: Sequence[Entry]) -> list[Result]:
        """One PutEvents of 1 to 10 entries; results stand in the entries' order (PutEvents API reference).

        A refusal of the whole request that a single entry may be to blame for is tried again entry by entry: where
        others pass, who does not is the culprit. Raises nothing that AWS can cause.
        """
        results = await self._put(entries)
        if any(isinstance(one, Accepted) for one in results):
            return [RefusedEntry(one.code, one.message) if isinstance(one, Suspect) else one for one in results]
        return results

    async def describe(self, bus: str) -> str:
        """ARN of a bus, by name or ARN. Raises AWS_ERRORS; ResourceNotFoundException for an unknown bus."""
        answer = await self._client.describe_event_bus(Name=bus)
        if not (arn := str(answer.get("Arn") or "")):
            raise NoAnswerError("the answer names no bus: look at what answers in EventBridge's place")
        return arn

    async def try_put(self, bus: str) -> None:
        """Ask for the right to put events on a bus, by an entry without a detail, which EventBridge never takes.

        Raises AWS_ERRORS, but for the refusal of that entry.
        """
        try:
            answer = await self._client.put_events(
                Entries=[{"Source": "genesys-eventbridge.check", "EventBusName": bus}]
            )
        except AWS_ERRORS as error:
            if not _may_be_an_entrys(error):
                raise
            return
        for one in answer.get("Entries") or []:
            if concerns_the_caller(code := str(one.get("ErrorCode") or "")):
                raise ClientError({"Error": {"Code": code, "Message": one.get("ErrorMessage") or ""}}, "PutEvents")

    async def _put(self, entries: Sequence[Entry]) -> list[Result]:
        try:
            answer = await self._client.put_events(Entries=[entry.fields for entry in entries])
        except AWS_ERRORS as error:
            if len(entries) > 1 and _may_be_an_entrys(error):
                return [result for entry in entries for result in await self._put([entry])]
            return [_refused_whole(error, entry) for entry in entries]
        return _results(entries, answer)


def _refused_whole(error: Exception, entry: Entry) -> Result:
    code, message = error_code(error), str(error)[:500]
    if isinstance(error, ParamValidationError):  # the SDK's own look at the entry; nothing was sent
        return RefusedEntry(code, message)
    if http_status(error) == 413 and entry.size >= ALWAYS_TAKEN:
        return RefusedEntry("EntryTooLarge", message)
    if _may_be_an_entrys(error) and http_status(error) != 413:
        return Suspect(code, message)
    if http_status(error) == 413:
        return Outage(
            f"no request of {entry.size} bytes passes (413): look at the limit of what is between here and AWS"
        )
    if isinstance(error, ClientError):
        return Outage(f"{reason(error)}; {remedy(code, PERMISSION, MISSING_BUS)}")
    return Outage(reason(error))


def _may_be_an_entrys(error: Exception) -> bool:
    """Whether one entry may be why a request was refused: not for throttling, server trouble, rights or a lost bus."""
    if isinstance(error, ParamValidationError):
        return True
    code, found = error_code(error), http_status(error) or 0
    if is_unanswered(error) or concerns_the_caller(code) or is_throttling(code):
        return False
    return 400 <= found < 500 and found not in (408, 429)


def _results(entries: Sequence[Entry], answer: Mapping[str, Any]) -> list[Result]:
    answered = answer.get("Entries") or []
    if wrong := _wrong(answered, len(entries), answer.get("FailedEntryCount")):
        # Nobody can tell which were taken: sending again is the safe reading.
        return [Outage(f"{wrong}; look at what answers in EventBridge's place")] * len(entries)
    return [_result(one) for one in answered]


def _wrong(answered: Any, number: int, refused: Any) -> str:
    """Why these are no results of so many entries, so many of them refused; empty where they are."""
    if not isinstance(answered, list) or not all(map(_is_result, answered)):
        return "results of another shape than EventBridge's"
    if len(answered) != number:
        return f"{len(answered)} results for {number} entries"
    found = sum(bool(one.get("ErrorCode")) for one in answered)
    return "" if refused in (None, found) else f"{found} entries that are refused, where {str(refused)[:20]} were to be"


def _is_result(one: Any) -> bool:
    """Whether it says of an entry that it was taken, or not."""
    words = (one.get("ErrorCode"), one.get("EventId")) if isinstance(one, dict) else ()
    return any(words) and all(isinstance(word, str | None) for word in words)


def _result(one: dict[str, Any]) -> Result:
    if not one.get("ErrorCode"):
        return Accepted(one["EventId"])
    code, message = one["ErrorCode"], str(one.get("ErrorMessage") or "")[:500]
    return Suspect(code, message) if concerns_the_caller(code) else RefusedEntry(code, message)
