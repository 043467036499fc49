"""This module decides which fault strikes now, and remembers how often each has struck."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Generic, TypeVar

from emulators.aws.calls import Call, Service
from emulators.aws.errors import AWSError
from emulators.aws.faults import EntryFault, Faults, Kind, RequestFault

Rule = TypeVar("Rule", EntryFault, RequestFault)

_REFUSALS: dict[tuple[Service, Kind], tuple[int, str, str | None]] = {
    ("events", "throttle"): (400, "ThrottlingException", None),
    ("events", "internal"): (500, "InternalException", None),
    ("eventsv2", "throttle"): (429, "ThrottlingException", None),
    ("eventsv2", "internal"): (500, "InternalException", None),
    ("sqs", "throttle"): (400, "RequestThrottled", "RequestThrottled"),
    ("monitoring", "throttle"): (400, "Throttling", "Throttling"),
    ("monitoring", "internal"): (500, "InternalServiceFault", "InternalServiceError"),
    ("schemas", "throttle"): (429, "TooManyRequestsException", None),
    ("schemas", "internal"): (500, "InternalServerErrorException", None),
    ("schemas", "unavailable"): (503, "ServiceUnavailableException", None),
}
"""Where a service has its own words: status, shape, query code."""

_COMMON: dict[Kind, tuple[int, str, str | None]] = {
    "internal": (500, "InternalFailure", None),
    "unavailable": (503, "ServiceUnavailable", None),
}

_MESSAGES: dict[Kind, str] = {"throttle": "Rate exceeded", "expired": "The security token is expired."}


def refusal(fault: RequestFault, call: Call) -> AWSError | None:
    """The error of a fault that refuses; None for one that is slow, hangs or drops."""
    message = _MESSAGES.get(fault.kind, "Asked for by a fault.")
    if fault.kind == "answer":
        return AWSError(fault.code, message, status=fault.status)
    if fault.kind == "expired":
        query = call.protocol.name == "QUERY"
        return AWSError(
            "ExpiredTokenException",
            message,
            status=403 if query else 400,
            query_code="ExpiredToken" if query else None,
        )
    known = _REFUSALS.get((call.service, fault.kind)) or _COMMON.get(fault.kind)
    if known is None:
        return None
    status, code, query_code = known
    return AWSError(code, message, status=status, query_code=query_code, sender=status < 500)


class _Counted(Generic[Rule]):
    """One rule with its own dice, so that rules do not disturb each other's sequence."""

    rule: Rule

    def __init__(self, rule: Rule, dice: random.Random, asked_at: float) -> None:
        self.rule = rule
        self.struck = 0
        self._dice = dice
        self._asked_at = asked_at

    def strikes(self, now: float) -> bool:
        rule = self.rule
        if rule.times is not None and self.struck >= rule.times:
            return False
        if rule.seconds is not None and now - self._asked_at > rule.seconds:
            return False
        if rule.share < 1 and self._dice.random() >= rule.share:
            return False
        self.struck += 1
        return True


class ActiveFaults:
    """The faults in force. `struck` counts by service and what happened; it outlives a change of faults."""

    def __init__(self, faults: Faults, clock: Callable[[], float]) -> None:
        self.struck: Counter[str] = Counter()
        self._clock = clock
        self.replace(faults)

    @property
    def faults(self) -> Faults:
        return self._faults

    def replace(self, faults: Faults) -> None:
        """Other faults from now on: periods start, counts and dice begin anew."""
        now = self._clock()
        self._faults = faults
        self._entries: list[_Counted[EntryFault]] = [
            _Counted(rule, random.Random(f"{faults.seed} entry {number}"), now)
            for number, rule in enumerate(faults.entries)
        ]
        self._requests: list[_Counted[RequestFault]] = [
            _Counted(rule, random.Random(f"{faults.seed} request {number}"), now)
            for number, rule in enumerate(faults.requests)
        ]
        self.entry_services = {rule.service for rule in faults.entries}
        """Services that have entry faults at all: the others need not ask for each entry."""

    def entry(self, service: Service, content: str) -> EntryFault | None:
        """The fault that this entry gets instead of being stored; counts it as struck."""
        for counted in self._entries:
            rule = counted.rule
            if rule.service == service and rule.contains in content and counted.strikes(self._clock()):
                self.struck[f"{service} entry {rule.code}"] += 1
                return rule
        return None

    def request(self, call: Call) -> tuple[RequestFault | None, float]:
        """The first fault that this request gets, and the seconds it has to wait before; counts both."""
        wait = 0.0
        for counted in self._requests:
            if not _concerns(counted.rule, call) or not counted.strikes(self._clock()):
                continue
            self.struck[f"{call.service} request {counted.rule.kind}"] += 1
            if counted.rule.kind != "slow":
                return counted.rule, wait
            wait += counted.rule.latency_ms / 1000
        return None, wait


def _concerns(rule: RequestFault, call: Call) -> bool:
    return (
        rule.service in (call.service, "events" if call.service == "eventsv2" else None)
        and rule.operation in (None, call.operation)
        and rule.access_key in (None, call.access_key)
    )
