"""This module is the event buses: add, find, describe."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from emulators.aws.calls import Answer, Call
from emulators.aws.errors import AWSError, validation

DEFAULT = "default"
NAME_OR_ARN = re.compile(r"(?:arn:aws[\w-]*:events:[a-z]+-[a-z]+-[\w-]+:\d{12}:event-bus/)?[/.\-_A-Za-z0-9]+", re.ASCII)
ARN = re.compile(r"arn:aws[\w-]*:events:[^:]+:(\d{12}):event-bus/(.+)")
NAME_OR_ARN_LENGTH = 1600
"""Patterns and lengths from the service model."""


@dataclass(frozen=True, slots=True)
class Bus:
    """`created` is epoch seconds."""

    name: str
    created: float

    def as_json(self, region: str, account: str) -> dict[str, Any]:
        return {
            "Name": self.name,
            "Arn": f"arn:aws:events:{region}:{account}:event-bus/{self.name}",
            "CreationTime": self.created,
            "LastModifiedTime": self.created,
        }


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

    def add(self, name: str) -> Bus:
        """A bus of this name; the one that exists is kept."""
        return self._buses.setdefault(name, Bus(name, self._clock()))

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
