"""This module is the custom event bus (`eventbridgev2`): PutEvents with groups and de-duplication, and its look-up.

Shapes, limits and errors are those of the service model of 2025-05-15 in botocore 1.44.8.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from emulators.aws.active_faults import ActiveFaults
from emulators.aws.calls import Answer, Call
from emulators.aws.errors import AWSError
from emulators.aws.events.details import is_sound
from emulators.aws.identifiers import new_identifier
from emulators.aws.ledger import CallLedger, PutRequest

ENTRIES = 100
BYTES = 1_048_576
SOURCE_LENGTH, DETAIL_TYPE_LENGTH, RESOURCES, ID_LENGTH = 256, 128, 100, 128
WINDOW_S = 300.0
"""Seconds in which a de-duplication id is known."""


@dataclass(slots=True)
class CustomBus:
    """One bus: what it knows of ids, and the number it gave last."""

    name: str
    arn: str
    state: str = "ACTIVE"
    sequence: int = 0
    known: dict[str, tuple[float, str, int]] = field(default_factory=dict)

    def repeated(self, deduplication_id: str | None, now: float) -> tuple[str, int] | None:
        """Event id and number of the event that had this id within the window."""
        found = self.known.get(deduplication_id or "")
        return found[1:] if found is not None and now - found[0] < WINDOW_S else None


class CustomBuses:
    """The custom buses of one account, by ARN."""

    def __init__(self, account: str, region: str) -> None:
        self._account, self._region = account, region
        self._buses: dict[str, CustomBus] = {}

    def add(self, name: str) -> CustomBus:
        """A bus of this name; the one that exists is kept."""
        ident = hashlib.sha256(name.encode()).hexdigest()[:25]
        arn = f"arn:aws:events:{self._region}:{self._account}:event-busv2/{name}/{ident}"
        return self._buses.setdefault(arn, CustomBus(name, arn))

    def get(self, arn: object) -> CustomBus:
        """Raises ResourceNotFoundException."""
        if not isinstance(arn, str) or arn not in self._buses:
            raise AWSError("ResourceNotFoundException", f"Event bus {arn} does not exist.", status=404)
        return self._buses[arn]

    async def describe(self, call: Call) -> Answer:
        bus = self.get(call.parameters.get("EventBusArn"))
        return {"Arn": bus.arn, "Name": bus.name, "State": bus.state}


class PutCustomEvents:
    """Answers by index; a refusal of the request is of all its entries."""

    def __init__(
        self, ledger: CallLedger, buses: CustomBuses, active: ActiveFaults, clock: Callable[[], float]
    ) -> None:
        self._ledger, self._buses, self._active, self._clock = ledger, buses, active, clock

    def put(self, call: Call, request: PutRequest) -> dict[str, Any]:
        """Raises `AWSError` for the whole request."""
        bus = self._buses.get(call.parameters.get("EventBusArn"))
        if bus.state != "ACTIVE":
            raise AWSError("InvalidStateException", f"The event bus is {bus.state}.", status=409)
        entries = _entries(call.parameters)
        request.entries, request.bytes = len(entries), sum(map(_size, entries))
        if request.bytes > BYTES:
            raise _invalid("The request is larger than 1048576 bytes.")
        answers = [self._answer(entry, bus, request) for entry in entries]
        return {"FailedEntryCount": sum("ErrorCode" in answer for answer in answers), "Entries": answers}

    def _answer(self, entry: Mapping[str, Any], bus: CustomBus, request: PutRequest) -> dict[str, Any]:
        now, meta = self._clock(), entry.get("SystemMetadata") or {}
        if not is_sound(entry["Detail"]):
            self._ledger.fail(request, "MalformedDetail")
            return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
        if "events" in self._active.entry_services and (fault := self._active.entry("events", entry["Detail"])):
            self._ledger.fail(request, fault.code)
            return {"ErrorCode": fault.code, "ErrorMessage": fault.message}
        deduplication_id = meta.get("DeduplicationId")
        if known := bus.repeated(deduplication_id, now):
            return {"EventId": known[0], "SequenceNumber": str(known[1]), "SuccessCode": "DEDUPLICATED"}
        bus.sequence += 1
        event_id = new_identifier()
        if deduplication_id:
            bus.known[deduplication_id] = now, event_id, bus.sequence
        self._ledger.accept(request, entry, now, event_id, bus.name, meta.get("EventGroupId"))
        return {"EventId": event_id, "SequenceNumber": str(bus.sequence), "SuccessCode": "PUBLISHED"}


def _entries(parameters: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    entries = parameters.get("Entries")
    if not isinstance(entries, list) or not 1 <= len(entries) <= ENTRIES:
        raise _invalid(f"Entries must have 1 to {ENTRIES} members.")
    for entry in entries:
        _check(entry)
    return entries


def _check(entry: object) -> None:
    if not isinstance(entry, dict) or not all(isinstance(entry.get(name), str) for name in _TEXTS):
        raise _invalid("Source, DetailType and Detail are required texts.")
    for name, most in (("Source", SOURCE_LENGTH), ("DetailType", DETAIL_TYPE_LENGTH)):
        if not 1 <= len(entry[name]) <= most:
            raise _invalid(f"{name} must have 1 to {most} characters.")
    if len(entry.get("Resources") or ()) > RESOURCES:
        raise _invalid(f"Resources must have at most {RESOURCES} members.")
    for name, value in (entry.get("SystemMetadata") or {}).items():
        if not isinstance(value, str) or not value.strip() or len(value) > ID_LENGTH:
            raise _invalid(f"{name} must have 1 to {ID_LENGTH} characters and not be blank.")


_TEXTS = ("Source", "DetailType", "Detail")


def _size(entry: Mapping[str, Any]) -> int:
    texts = [*(entry[name] for name in _TEXTS), *(entry.get("Resources") or ())]
    return sum(len(text.encode()) for text in texts)


def _invalid(message: str) -> AWSError:
    return AWSError("InvalidInputException", message)
