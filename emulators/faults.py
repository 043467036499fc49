"""This module reads the faults that an emulator is asked for; which there are, each emulator says itself."""

from __future__ import annotations

from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError


class FaultError(ValueError):
    """A fault was asked for by a wrong name or with a wrong value."""


class FaultModel(BaseModel):
    """What all faults have in common: they do not change, and a name that there is not is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Faults = TypeVar("Faults", bound=FaultModel)


def from_json(data: bytes, kind: type[Faults]) -> Faults:
    """From the command line, or the body of a control request; raises FaultError that names the first wrong field."""
    try:
        return kind.model_validate(orjson.loads(data))
    except orjson.JSONDecodeError as error:
        raise FaultError(f"faults are not JSON: {error}") from error
    except ValidationError as error:
        first: Any = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise FaultError(f"{place or 'faults'}: {first['msg']}") from error


def is_due(interval: int, number: int) -> bool:
    """Whether a fault comes behind the event of that number (1, 2, …); none does at interval 0."""
    return interval > 0 and number % interval == 0
