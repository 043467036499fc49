"""This module is the event buses: create, describe, list, delete."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from emulators.aws.calls import Answer, Call
from emulators.aws.errors import AWSError, validation

DEFAULT = "default"
NAME = re.compile(r"[/.\-_A-Za-z0-9]{1,256}")
NAME_OR_ARN = re.compile(r"(?:arn:aws[\w-]*:events:[a-z]+-[a-z]+-[\w-]+:\d{12}:event-bus/)?[/.\-_A-Za-z0-9]+", re.ASCII)
ARN = re.compile(r"arn:aws[\w-]*:events:[^:]+:(\d{12}):event-bus/(.+)")
NAME_OR_ARN_LENGTH = 1600
BUSES_PER_ACCOUNT = 100
"""Patterns and lengths from the service model; the quota from the EventBridge user guide."""


@dataclass(frozen=True, slots=True)
class Bus:
    """`created` is epoch seconds."""

    name: str
    created: float
    description: str | None = None

    def as_json(self, region: str, account: str) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "Name": self.name,
            "Arn": f"arn:aws:events:{region}:{account}:event-bus/{self.name}",
            "CreationTime": self.created,
            "LastModifiedTime": self.created,
        }
        return answer if self.description is None else answer | {"Description": self.description}


class Buses:
    """The buses of one account. A bus exists in every region, so clients of any region find it."""

    def __init__(self, names: Iterable[str], account: str, region: str, clock: Callable[[], float]) -> None:
        self._account, self._region, self._clock = account, region, clock
        self._buses: dict[str, Bus] = {}
        for name in (DEFAULT, *names):
            self.add(name)

    @property
    def names(self) -> list[str]:
        return list(self._buses)

    def add(self, name: str, description: str | None = None) -> Bus:
        """A bus of this name; the one that exists is kept."""
        return self._buses.setdefault(name, Bus(name, self._clock(), description))

    def find(self, name_or_arn: str | None) -> Bus | None:
        """None, and an empty name, mean the default bus; an ARN of another account finds nothing."""
        if not name_or_arn:
            return self._buses[DEFAULT]
        if bus := self._buses.get(name_or_arn):
            return bus
        match = ARN.fullmatch(name_or_arn)
        return self._buses.get(match[2]) if match and match[1] == self._account else None

    async def describe(self, call: Call) -> Answer:
        name = call.parameters.get("Name")
        if name is not None:
            check_name(name, "name")
        bus = self.find(name)
        if bus is None:
            raise _missing(name)
        return bus.as_json(call.region or self._region, self._account)

    async def create(self, call: Call) -> Answer:
        name = call.parameters.get("Name")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise _unsound("name", name, NAME.pattern)
        if name in self._buses:
            raise AWSError("ResourceAlreadyExistsException", f"Event bus {name} already exists.")
        if "/" in name:
            raise validation("Event bus name must not contain '/'.")
        if len(self._buses) >= BUSES_PER_ACCOUNT:
            raise AWSError("LimitExceededException", f"The limit of {BUSES_PER_ACCOUNT} event buses is reached.")
        bus = self.add(name, call.parameters.get("Description"))
        return {"EventBusArn": bus.as_json(call.region or self._region, self._account)["Arn"]}

    async def delete(self, call: Call) -> Answer:
        name = call.parameters.get("Name")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise _unsound("name", name, NAME.pattern)
        if name == DEFAULT:
            raise validation("Cannot delete event bus default.")
        self._buses.pop(name, None)
        return {}

    async def list(self, call: Call) -> Answer:
        """`Limit` at most 100; `NextToken` is the place to go on from."""
        prefix, limit = call.parameters.get("NamePrefix") or "", call.parameters.get("Limit", 100)
        if not isinstance(limit, int) or not 1 <= limit <= 100:
            raise _unsound("limit", limit, "1 to 100")
        start = _place(call.parameters.get("NextToken"))
        found = [bus for name, bus in sorted(self._buses.items()) if name.startswith(prefix)]
        region = call.region or self._region
        page = [bus.as_json(region, self._account) for bus in found[start : start + limit]]
        more = {"NextToken": str(start + limit)} if start + limit < len(found) else {}
        return {"EventBuses": page, **more}


def check_name(name: object, place: str) -> None:
    """Raises ValidationException when this is neither a name nor an ARN by its form."""
    if not isinstance(name, str) or not _is_name(name):
        raise _unsound(place, name, NAME_OR_ARN.pattern)


@lru_cache(maxsize=256)
def _is_name(text: str) -> bool:
    return len(text) <= NAME_OR_ARN_LENGTH and NAME_OR_ARN.fullmatch(text) is not None


def _unsound(place: str, value: object, pattern: str) -> AWSError:
    return validation(
        f"1 validation error detected: Value '{value}' at '{place}' failed to satisfy constraint: "
        f"Member must satisfy regular expression pattern: {pattern}"
    )


def _missing(name: str | None) -> AWSError:
    return AWSError("ResourceNotFoundException", f"Event bus {name} does not exist.")


def _place(token: object) -> int:
    if token is None:
        return 0
    if not isinstance(token, str) or not token.isdigit():
        raise AWSError("InvalidToken", "The NextToken is not one of this service.")
    return int(token)
