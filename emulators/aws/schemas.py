"""This module is the emulated EventBridge Schema Registry: the newest version of each schema, read by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

from emulators.aws.calls import Answer, Call
from emulators.aws.errors import AWSError

Type = Literal["OpenApi3", "JSONSchemaDraft4"]


@dataclass(frozen=True, slots=True)
class Schema:
    """`content` is the schema as text, `created` epoch seconds."""

    registry: str
    name: str
    version: str
    content: str
    type: Type
    created: float


class Schemas:
    """Schemas come by the control interface; clients read them."""

    def __init__(self, account: str, region: str, clock: Callable[[], float]) -> None:
        self._account, self._region, self._clock = account, region, clock
        self._newest: dict[tuple[str, str], Schema] = {}

    @property
    def names(self) -> list[str]:
        return [f"{registry}/{name}" for registry, name in self._newest]

    def add(self, registry: str, name: str, content: str, type: Type = "JSONSchemaDraft4") -> Schema:
        """One more version of a schema. Raises `ValueError` for a type that the service does not have."""
        if type not in get_args(Type):
            raise ValueError(f"type must be one of {', '.join(get_args(Type))}")
        before = self._newest.get((registry, name))
        version = str(int(before.version) + 1 if before else 1)
        self._newest[registry, name] = Schema(registry, name, version, content, type, self._clock())
        return self._newest[registry, name]

    async def describe(self, call: Call) -> Answer:
        registry, name = call.parameters["RegistryName"], call.parameters["SchemaName"]
        schema = self._newest.get((registry, name))
        if schema is None:
            message = f"Schema with name {name} does not exist in registry {registry}."
            raise AWSError("NotFoundException", message, status=404)
        region = call.region or self._region
        return {
            "SchemaArn": f"arn:aws:schemas:{region}:{self._account}:schema/{registry}/{name}",
            "SchemaName": name,
            "SchemaVersion": schema.version,
            "Content": schema.content,
            "Type": schema.type,
            "LastModified": _time(schema.created),
            "VersionCreatedDate": _time(schema.created),
            "tags": {},
        }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
