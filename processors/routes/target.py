"""This module is where events go beyond a bus of our own: another account or region, and S3 for large ones."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from processors.event.errors import RouteError
from processors.event.strict_json import JsonObject

#: Field of a detail that was left in S3: where it is, how long, and its SHA-256.
CLAIM = "claimCheck"

_ROLE = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/[\w+=,.@/-]+")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class Target:
    """How a bus is reached: by which role, in which region, or through a global endpoint."""

    role: str | None = None
    external_id: str | None = None
    region: str | None = None
    endpoint_id: str | None = None


@dataclass(frozen=True, slots=True)
class Offload:
    """Where details go that are too large, and what stays. `over`: bytes of an entry; None: the request's limit."""

    bucket: str
    prefix: str = ""
    keep: tuple[str, ...] = ()
    over: int | None = None

    def key(self, route: str, event_id: str) -> str:
        """The same for every attempt and replay, so that nothing is kept twice."""
        return f"{self.prefix}{route}/{event_id}.json"

    def claim(self, mapped: JsonObject, key: str) -> tuple[JsonObject, bytes]:
        """The mapped event with a claim check in its detail, and the detail as it goes to S3."""
        detail = mapped["detail"]
        body = orjson.dumps(detail)
        left = {name: detail[name] for name in self.keep if name in detail}
        claim = {"bucket": self.bucket, "key": key, "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
        return {**mapped, "detail": {**left, CLAIM: claim}}, body


def read_target(options: Mapping[str, Any]) -> Target | None:
    """The `[target]` of a route.toml. Raises ValueError naming the key."""
    given = _table(options, "target", {"role", "external-id", "region", "endpoint-id"})
    if given is None:
        return None
    if wrong := [name for name, value in given.items() if not isinstance(value, str) or not value]:
        raise ValueError(f"target.{wrong[0]} must be text")
    if "event-bus" not in options:
        raise ValueError("[target] says how event-bus is reached: name it too")
    if "role" in given and not _ROLE.fullmatch(given["role"]):
        raise ValueError("target.role must be the ARN of a role (arn:aws:iam::ACCOUNT:role/NAME)")
    if "external-id" in given and "role" not in given:
        raise ValueError("target.external-id is for a role: name it too")
    return Target(**{name.replace("-", "_"): value for name, value in given.items()})


def read_offload(options: Mapping[str, Any]) -> Offload | None:
    """The `[offload]` of a route.toml. Raises ValueError naming the key."""
    given = _table(options, "offload", {"bucket", "prefix", "keep", "over"})
    if given is None:
        return None
    if not isinstance(given.get("bucket"), str) or not _BUCKET.fullmatch(given["bucket"]):
        raise ValueError("offload.bucket must be the name of a bucket")
    keep, over = given.get("keep", []), given.get("over")
    if not isinstance(given.get("prefix", ""), str):
        raise ValueError("offload.prefix must be text")
    if not isinstance(keep, list) or not all(isinstance(name, str) for name in keep) or CLAIM in keep:
        raise ValueError("offload.keep is a list of fields of the detail")
    if over is not None and (isinstance(over, bool) or not isinstance(over, int) or over < 1_000):
        raise ValueError("offload.over is a number of bytes, at least 1000")
    return Offload(given["bucket"], given.get("prefix", ""), tuple(keep), over)


def _table(options: Mapping[str, Any], name: str, known: set[str]) -> dict[str, Any] | None:
    given = options.get(name)
    if given is None:
        return None
    if not isinstance(given, dict):
        raise ValueError(f"{name} is a table: [{name}]")
    if unknown := set(given) - known:
        raise ValueError(f"unknown key {name}.{', '.join(sorted(unknown))}")
    return given


def targets_of(routes: Iterable[Any]) -> dict[str, Target]:
    """How each bus is reached that a route says so of. Raises RouteError where two routes say otherwise of one bus."""
    found: dict[str, Target] = {}
    for route in routes:
        texts = getattr(route, "texts", route)
        bus, target = texts.event_bus, texts.target
        if target is not None and bus is not None and found.setdefault(bus, target) != target:
            raise RouteError(
                f"{texts.name}/route.toml: another route says otherwise how {bus} is reached: fix [target]"
            )
    return found
