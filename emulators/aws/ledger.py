"""This module is what the emulator remembers of PutEvents, for those who look in from outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson


@dataclass(slots=True)
class AcceptedEvent:
    """`detail` is the string as it was sent, `time` what the client gave, `arrived_ms` epoch ms; `group` is
    an event group of a custom bus.
    """

    number: int
    request: int
    arrived_ms: int
    event_id: str
    bus: str
    source: str
    detail_type: str
    detail: str
    resources: tuple[str, ...]
    time: float | str | None
    group: str | None
    trace_header: str | None

    def as_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "request": self.request,
            "arrivedAt": self.arrived_ms,
            "eventId": self.event_id,
            "bus": self.bus,
            "source": self.source,
            "detailType": self.detail_type,
            "detail": orjson.loads(self.detail),
            "resources": self.resources,
            "time": self.time,
            **({"group": self.group} if self.group is not None else {}),
            **({"traceHeader": self.trace_header} if self.trace_header is not None else {}),
        }


@dataclass(slots=True)
class PutRequest:
    """One PutEvents request. `status` is 0 until it is answered, `codes` counts entries by error code.

    `refused` is the code when all of it was refused, `fault` the kind of the fault that struck it,
    `access_key` whose request it is.
    """

    number: int
    arrived_ms: int
    in_flight: int
    entries: int = 0
    bytes: int = 0
    accepted: int = 0
    lost: int = 0
    status: int = 0
    codes: dict[str, int] = field(default_factory=dict)
    refused: str | None = None
    fault: str | None = None
    access_key: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "arrivedAt": self.arrived_ms,
            "inFlight": self.in_flight,
            "entries": self.entries,
            "bytes": self.bytes,
            "accepted": self.accepted,
            "lost": self.lost,
            "status": self.status,
            "codes": self.codes,
            "refused": self.refused,
            "fault": self.fault,
            "accessKey": self.access_key,
        }


class CallLedger:
    """Events and requests in order of arrival; `events[n].number` is n."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.clear()

    def clear(self) -> None:
        self.events: list[AcceptedEvent] = []
        self.requests: list[PutRequest] = []
        self.accepted: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.in_flight_peak = 0

    def begin(self, now: float, access_key: str = "") -> PutRequest:
        """A PutEvents request has arrived at `now` (epoch seconds)."""
        self.in_flight += 1
        self.in_flight_peak = max(self.in_flight_peak, self.in_flight)
        request = PutRequest(len(self.requests), int(now * 1000), self.in_flight, access_key=access_key)
        self.requests.append(request)
        return request

    def end(self) -> None:
        """A PutEvents request has been answered, or its client has gone."""
        self.in_flight -= 1

    def accept(
        self,
        request: PutRequest,
        entry: Mapping[str, Any],
        now: float,
        event_id: str,
        bus: str,
        group: str | None = None,
    ) -> None:
        """An entry is on a bus, as of `now` (epoch seconds)."""
        event = AcceptedEvent(
            number=len(self.events),
            request=request.number,
            arrived_ms=int(now * 1000),
            event_id=event_id,
            bus=bus,
            source=entry["Source"],
            detail_type=entry["DetailType"],
            detail=entry["Detail"],
            resources=tuple(entry.get("Resources") or ()),
            time=entry.get("Time"),
            group=group,
            trace_header=entry.get("TraceHeader"),
        )
        self.events.append(event)
        self.accepted[bus] += 1
        request.accepted += 1

    def fail(self, request: PutRequest, code: str) -> None:
        """One entry got `code`."""
        self.failed[code] += 1
        request.codes[code] = request.codes.get(code, 0) + 1

    def refuse(self, request: PutRequest, code: str) -> None:
        """The whole request got `code`; none of its entries is stored."""
        self.refused[code] += 1
        request.refused = code

    def summary(self) -> dict[str, Any]:
        return {
            "accepted": len(self.events),
            "buses": dict(self.accepted),
            "lostOnUnknownBus": dict(self.lost),
            "failed": dict(self.failed),
            "refused": dict(self.refused),
            "requests": len(self.requests),
            "inFlight": self.in_flight,
            "inFlightPeak": self.in_flight_peak,
        }
