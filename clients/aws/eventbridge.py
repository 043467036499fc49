"""This module calls EventBridge: one PutEvents, answered entry by entry, and a look at a bus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ParamValidationError

from clients.aws.client import AWS_ERRORS, error_code, is_unanswered, status
from processors.delivery.entries import Entry


@dataclass(frozen=True, slots=True)
class Accepted:
    """EventBridge took the entry and gave it this id."""

    id: str


@dataclass(frozen=True, slots=True)
class RefusedEntry:
    """EventBridge answered, and did not take the entry. `attempts`: further ones made after the first."""

    code: str
    message: str
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Nobody knows whether EventBridge took the entry: no answer came, or one about credentials."""

    reason: str


Result = Accepted | RefusedEntry | Unanswered


class EventBridge:
    """PutEvents over one aioboto3 client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def put(self, entries: Sequence[Entry]) -> list[Result]:
        """One PutEvents of 1 to 10 entries; results stand in the entries' order (PutEvents API reference).

        A refusal of the whole request is every entry's refusal, except where a single one may be to blame:
        then each is put by itself, so that only the culprit is refused. Raises nothing that AWS can cause.
        """
        try:
            answer = await self._client.put_events(Entries=[entry.fields for entry in entries])
        except AWS_ERRORS as error:
            return await self._refused_whole(entries, error)
        return _results(entries, answer)

    async def describe(self, bus: str) -> str:
        """ARN of a bus, by name or ARN. Raises AWS_ERRORS; ResourceNotFoundException for an unknown bus."""
        answer = await self._client.describe_event_bus(Name=bus)
        return str(answer.get("Arn", ""))

    async def _refused_whole(self, entries: Sequence[Entry], error: Exception) -> list[Result]:
        code = error_code(error)
        if is_unanswered(error):
            return [Unanswered(code)] * len(entries)
        if len(entries) > 1 and _names_an_entry(error):
            return [result for entry in entries for result in await self.put([entry])]
        return [RefusedEntry("EntryTooLarge" if status(error) == 413 else code, str(error)[:500])] * len(entries)


def _names_an_entry(error: Exception) -> bool:
    # Throttling and server trouble concern the request; so does a permission. The rest may be one entry's.
    if isinstance(error, ParamValidationError):  # the SDK's own look at the entries; nothing was sent
        return True
    code, found = error_code(error), status(error) or 0
    return 400 <= found < 500 and found != 429 and "Throttl" not in code and not code.startswith("AccessDenied")


def _results(entries: Sequence[Entry], answer: dict[str, Any]) -> list[Result]:
    answered = answer.get("Entries") or []
    if len(answered) != len(entries):  # nobody can tell which were taken: sending again is the safe reading
        return [Unanswered(f"{len(answered)} results for {len(entries)} entries")] * len(entries)
    return [
        Accepted(str(one["EventId"]))
        if one.get("EventId") and not one.get("ErrorCode")
        else RefusedEntry(str(one.get("ErrorCode") or "Unknown"), str(one.get("ErrorMessage") or "")[:500])
        for one in answered
    ]
