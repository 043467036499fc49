"""This module is the emulated EventBridge Schema Registry: every version of each schema, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

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
    """Schemas come by the control interface or by clients; a registry is there when it holds one."""

    def __init__(self, account: str, region: str, clock: Callable[[], float]) -> None:
        self._account, self._region, self._clock = account, region, clock
        self._versions: dict[tuple[str, str], list[Schema]] = {}

    @property
    def names(self) -> list[str]:
        return [f"{registry}/{name}" for registry, name in self._versions]

    def add(self, registry: str, name: str, content: str, type: Type = "JSONSchemaDraft4") -> Schema:
        """One more version of a schema. Raises `ValueError` for a type that the service does not have."""
        if type not in get_args(Type):
            raise ValueError(f"type must be one of {', '.join(get_args(Type))}")
        versions = self._versions.setdefault((registry, name), [])
        versions.append(Schema(registry, name, str(len(versions) + 1), content, type, self._clock()))
        return versions[-1]

    async def describe(self, call: Call) -> Answer:
        """The newest version, or the one asked for."""
        versions, wanted = self._versions.get(_name(call), []), call.parameters.get("SchemaVersion")
        schema = next((one for one in reversed(versions) if wanted in (None, one.version)), None)
        if schema is None:
            raise self._not_found(call)
        return {**self._described(schema, call), "Content": schema.content}

    async def create(self, call: Call) -> Answer:
        registry, name = _name(call)
        if not any(one == registry for one, _ in self._versions):
            raise self._not_found(call)
        if (registry, name) in self._versions:
            raise AWSError("ConflictException", f"Schema with name {name} already exists.", status=409)
        return self._described(self._added(call), call)

    async def update(self, call: Call) -> Answer:
        """One more version; a content that is the newest already makes none."""
        versions = self._versions.get(_name(call))
        if not versions:
            raise self._not_found(call)
        same = versions[-1].content == call.parameters["Content"]
        return self._described(versions[-1] if same else self._added(call), call)

    def _added(self, call: Call) -> Schema:
        try:
            return self.add(*_name(call), call.parameters["Content"], call.parameters["Type"])
        except (KeyError, ValueError) as error:
            raise AWSError("BadRequestException", str(error), status=400) from error

    def _not_found(self, call: Call) -> AWSError:
        registry, name = _name(call)
        message = f"Schema with name {name} does not exist in registry {registry}."
        return AWSError("NotFoundException", message, status=404)

    def _described(self, schema: Schema, call: Call) -> dict[str, Any]:
        region = call.region or self._region
        return {
            "SchemaArn": f"arn:aws:schemas:{region}:{self._account}:schema/{schema.registry}/{schema.name}",
            "SchemaName": schema.name,
            "SchemaVersion": schema.version,
            "Type": schema.type,
            "LastModified": _time(schema.created),
            "VersionCreatedDate": _time(schema.created),
            "tags": {},
        }


def _name(call: Call) -> tuple[str, str]:
    return call.parameters["RegistryName"], call.parameters["SchemaName"]


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
