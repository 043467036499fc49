"""This module is the emulated EventBridge Schema Registry: versions of schemas, read by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from emulators.aws.calls import Answer, Call
from emulators.aws.errors import AWSError

Type = Literal["OpenApi3", "JSONSchemaDraft4"]
EXPORTED: Type = "JSONSchemaDraft4"


@dataclass(frozen=True, slots=True)
class SchemaVersion:
    """`content` is the schema as text, `exported` what ExportSchema gives, `created` epoch seconds."""

    registry: str
    name: str
    version: str
    content: str
    type: Type
    created: float
    exported: str | None = None


class Schemas:
    """Schemas come by the control interface; clients read them."""

    def __init__(self, account: str, region: str, clock: Callable[[], float]) -> None:
        self._account, self._region, self._clock = account, region, clock
        self._versions: dict[tuple[str, str], list[SchemaVersion]] = {}

    @property
    def names(self) -> list[str]:
        return [f"{registry}/{name}" for registry, name in self._versions]

    def add(
        self,
        registry: str,
        name: str,
        content: str,
        type: Type = "JSONSchemaDraft4",
        exported: str | None = None,
    ) -> SchemaVersion:
        """One more version of a schema. `exported` is the JSON Schema form of an OpenApi3 schema.

        Raises `ValueError` for a type that the service does not have.
        """
        if type not in get_args(Type):
            raise ValueError(f"type must be one of {', '.join(get_args(Type))}")
        versions = self._versions.setdefault((registry, name), [])
        number = str(len(versions) + 1)
        versions.append(SchemaVersion(registry, name, number, content, type, self._clock(), exported))
        return versions[-1]

    async def describe(self, call: Call) -> Answer:
        schema = self._find(call)
        return self._identity(schema, call) | {
            "Content": schema.content,
            "Type": schema.type,
            "LastModified": _time(schema.created),
            "VersionCreatedDate": _time(schema.created),
            "tags": {},
        }

    async def export(self, call: Call) -> Answer:
        """Only to JSONSchemaDraft4. An OpenApi3 schema must have been loaded with its exported form."""
        schema = self._find(call)
        if call.parameters.get("Type") != EXPORTED:
            raise _bad_request(f"Schemas can be exported as {EXPORTED} only.")
        content = schema.content if schema.type == EXPORTED else schema.exported
        if content is None:
            raise _bad_request(f"No {EXPORTED} form of {schema.name} was loaded.")
        return self._identity(schema, call) | {"Content": content, "Type": EXPORTED}

    async def versions(self, call: Call) -> Answer:
        self._find(call)
        key = call.parameters["RegistryName"], call.parameters["SchemaName"]
        return {
            "SchemaVersions": [
                self._identity(schema, call) | {"Type": schema.type} for schema in reversed(self._versions[key])
            ]
        }

    def _find(self, call: Call) -> SchemaVersion:
        """The version asked for; without a word the newest."""
        registry, name = call.parameters["RegistryName"], call.parameters["SchemaName"]
        versions = self._versions.get((registry, name))
        if not versions:
            raise _missing(f"Schema with name {name} does not exist in registry {registry}.")
        wanted = call.parameters.get("SchemaVersion")
        if wanted is None:
            return versions[-1]
        for schema in versions:
            if schema.version == wanted:
                return schema
        raise _missing(f"Schema with name {name} has no version {wanted}.")

    def _identity(self, schema: SchemaVersion, call: Call) -> dict[str, Any]:
        region = call.region or self._region
        return {
            "SchemaArn": f"arn:aws:schemas:{region}:{self._account}:schema/{schema.registry}/{schema.name}",
            "SchemaName": schema.name,
            "SchemaVersion": schema.version,
        }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _missing(message: str) -> AWSError:
    return AWSError("NotFoundException", message, status=404)


def _bad_request(message: str) -> AWSError:
    return AWSError("BadRequestException", message)
