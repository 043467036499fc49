"""This module is PutEvents: the limits of a request, and one answer for each of its entries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from emulators.aws.active_faults import ActiveFaults
from emulators.aws.calls import Call
from emulators.aws.errors import AWSError, serialization, validation
from emulators.aws.events.buses import Buses, check_name
from emulators.aws.events.details import is_sound
from emulators.aws.identifiers import new_identifier
from emulators.aws.ledger import CallLedger, PutRequest

ENTRIES = 10
BYTES = 1_000_000
"""The total entry size must be less than 1 MB (EventBridge user guide; 256 KB until January 2026)."""
DETAIL_TYPE_LENGTH = 128
TRACE_HEADER_LENGTH = 500
TIME_BYTES = 14

_TEXTS = frozenset(("Source", "DetailType", "Detail", "EventBusName", "TraceHeader"))
_REQUIRED = ("Source", "DetailType", "Detail")

Entry = Mapping[str, Any]
Answered = dict[str, str]


class PutEvents:
    """`limit_bytes` is what the entries of a request must stay below, together."""

    def __init__(
        self, ledger: CallLedger, buses: Buses, active: ActiveFaults, limit_bytes: int, clock: Callable[[], float]
    ) -> None:
        self._ledger, self._buses, self._active = ledger, buses, active
        self._limit_bytes, self._clock = limit_bytes, clock

    def put(self, call: Call, request: PutRequest) -> dict[str, Any]:
        """Answers by index, as many as there are entries; raises `AWSError` for the whole request."""
        entries = entries_of(call.parameters)
        request.entries = len(entries)
        request.bytes = total = sum(map(entry_size, entries))
        if total >= self._limit_bytes:
            # The words of AWS, as reported in aws-service-catalog-puppet issue 563.
            raise validation("Total size of the entries in the request is over the limit.")
        if not any(all(entry.get(name) for name in _REQUIRED) for entry in entries):
            raise validation("No entry of the request has Source, DetailType and Detail.")
        now = self._clock()
        answers = [self._answer(entry, request, now) for entry in entries]
        return {"FailedEntryCount": sum("ErrorCode" in answer for answer in answers), "Entries": answers}

    def _answer(self, entry: Entry, request: PutRequest, now: float) -> Answered:
        failure = self._failure(entry)
        if failure is not None:
            self._ledger.fail(request, failure[0])
            return {"ErrorCode": failure[0], "ErrorMessage": failure[1]}
        event_id = new_identifier()
        name = entry.get("EventBusName")
        bus = self._buses.find(name)
        if bus is None:
            # An unknown bus answers success and loses the event (aws-sdk issue 186, aws-cli issue 9186).
            self._ledger.lost[name or ""] += 1
            request.lost += 1
        else:
            self._ledger.accept(request, entry, now, event_id, bus.name)
        return {"EventId": event_id}

    def _failure(self, entry: Entry) -> tuple[str, str] | None:
        """Error code and message; what is wrong with the entry comes before what was asked for as a fault."""
        for name in _REQUIRED:
            if not entry.get(name):
                return (
                    "InvalidArgument",
                    f"Parameter {name} is not valid. Reason: {name} is a required argument.",
                )
        if len(entry["DetailType"]) > DETAIL_TYPE_LENGTH:
            reason = f"DetailType is longer than {DETAIL_TYPE_LENGTH} characters."
            return "InvalidArgument", f"Parameter DetailType is not valid. Reason: {reason}"
        if entry["Source"].startswith("aws."):
            return "NotAuthorizedForSourceException", "Not authorized for the source."
        if not is_sound(entry["Detail"]):
            return "MalformedDetail", "Detail is malformed."
        if None in (entry.get("Resources") or ()):
            # aws-sdk issue 39: a null resource is answered as if it were AWS's own trouble.
            return "InternalFailure", "Internal failure."
        if "events" in self._active.entry_services and (fault := self._active.entry("events", entry["Detail"])):
            return fault.code, fault.message
        return None


def entries_of(parameters: Mapping[str, Any]) -> list[Entry]:
    """The entries, 1 to 10 objects with the types of the model; raises `AWSError`."""
    entries = parameters.get("Entries")
    if entries is None:
        raise _constraint("null", "Member must not be null")
    if not isinstance(entries, list):
        raise serialization("Unexpected field type: Entries is not a list.")
    if not entries:
        raise _constraint("'[]'", "Member must have length greater than or equal to 1")
    if len(entries) > ENTRIES:
        raise _constraint(f"'[{len(entries)} entries]'", f"Member must have length less than or equal to {ENTRIES}")
    for number, entry in enumerate(entries, start=1):
        _check_types(entry)
        if name := entry.get("EventBusName"):
            check_name(name, f"entries.{number}.member.eventBusName")
    return entries


def entry_size(entry: Entry) -> int:
    """Bytes as AWS counts them (user guide, "Calculating PutEvents event entry size"); the bus is free."""
    get = entry.get
    texts = (get("Source"), get("DetailType"), get("Detail"), *(get("Resources") or ()))
    size = sum(len(text) if text.isascii() else len(text.encode()) for text in texts if text)
    return size if get("Time") is None else size + TIME_BYTES


def _check_types(entry: object) -> None:
    if not isinstance(entry, dict):
        raise serialization("Start of structure or map found where not expected.")
    for name, value in entry.items():
        if value.__class__ is not str and value is not None:
            _check_field(name, value)
    if isinstance(entry.get("Resources"), str):
        raise serialization("Unexpected field type: Resources is not a list.")
    if len(entry.get("TraceHeader") or "") > TRACE_HEADER_LENGTH:
        raise validation(f"Value at 'traceHeader' must have length less than or equal to {TRACE_HEADER_LENGTH}")


def _check_field(name: str, value: object) -> None:
    """A field that is neither text nor null; fields that the model does not know are passed over."""
    if name in _TEXTS:
        raise serialization(f"{type(value).__name__} can not be converted to a String")
    if name == "Time" and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise serialization("Time can not be converted to a Timestamp")
    if name == "Resources" and not (
        isinstance(value, list) and all(item is None or isinstance(item, str) for item in value)
    ):
        raise serialization("Unexpected field type: Resources is not a list of strings.")


def _constraint(value: str, constraint: str) -> AWSError:
    return validation(
        f"1 validation error detected: Value {value} at 'entries' failed to satisfy constraint: {constraint}"
    )
