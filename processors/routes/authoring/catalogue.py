"""This module tells consumers what will be on the bus: an AsyncAPI document, patterns for rules, schemas."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from processors.event.identity import identify
from processors.event.strict_json import JsonObject
from processors.routes.authoring.registry_schema import delivered_event_schema
from processors.routes.outcome import Mapped
from processors.routes.route import Route
from processors.routes.target import CLAIM

#: Examples that the document shows of each message.
MAX_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class CatalogueMessage:
    """What one route puts on a bus. `kinds`: the pairs of source and detail-type that it makes."""

    route: Route
    kinds: tuple[tuple[str, str], ...]
    examples: tuple[JsonObject, ...]

    @property
    def pattern(self) -> JsonObject:
        """An EventBridge pattern that takes these events and, of this pipeline, no others."""
        sources, detail_types = (sorted({one[place] for one in self.kinds}) for place in (0, 1))
        return {"source": sources, "detail-type": detail_types}

    @property
    def schema(self) -> JsonObject:
        """JSON Schema (draft 4) of what a rule's target gets."""
        source, detail_type = self.kinds[0]
        schema = delivered_event_schema(dict(self.route.texts.schema), source, detail_type)
        if self.route.texts.offload:  # a detail that was too large is told where it is
            properties = schema["properties"]
            properties["detail"] = {"anyOf": [properties["detail"], {"type": "object", "required": [CLAIM]}]}
        return schema


def messages(routes: Iterable[Route]) -> tuple[list[CatalogueMessage], list[str]]:
    """What each route puts on the bus, and the names of those of which nobody can tell: no example maps."""
    found, untold = [], []
    for route in routes:
        outcomes = (route.apply(identify(example.event)) for example in route.texts.examples)
        mapped = tuple(outcome.entry for outcome in outcomes if isinstance(outcome, Mapped))
        kinds = {(str(one["source"]), str(one["detail-type"])) for one in mapped}
        if route.texts.source and route.texts.detail_type and not kinds:
            kinds = {(route.texts.source, route.texts.detail_type)}
        if kinds:
            found.append(CatalogueMessage(route, tuple(sorted(kinds)), mapped))
        else:
            untold.append(route.name)
    return found, untold


def async_api(found: Sequence[CatalogueMessage], bus: str, version: str) -> JsonObject:
    """AsyncAPI 3.0 of everything that the routes put on buses. `bus`: that of routes which name none."""
    buses: dict[str, list[CatalogueMessage]] = {}
    for one in found:
        buses.setdefault(one.route.texts.event_bus or bus, []).append(one)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Genesys Cloud events on EventBridge",
            "version": version,
            "description": "Delivered at least once: drop what comes twice by detail.eventId.",
        },
        "defaultContentType": "application/json",
        "channels": {
            _id(name): {
                "address": name,
                "description": f"The event bus {name}",
                "messages": {one.route.name: {"$ref": f"#/components/messages/{one.route.name}"} for one in ones},
            }
            for name, ones in buses.items()
        },
        "operations": {
            f"publish-{one.route.name}": {
                "action": "send",
                "channel": {"$ref": f"#/channels/{_id(name)}"},
                "messages": [{"$ref": f"#/channels/{_id(name)}/messages/{one.route.name}"}],
            }
            for name, ones in buses.items()
            for one in ones
        },
        "components": {"messages": {one.route.name: _message(one) for one in found}},
    }


def _message(one: CatalogueMessage) -> JsonObject:
    texts = one.route.texts
    schema = {"schemaFormat": "application/schema+json;version=draft-04", "schema": one.schema}
    added = {"version": "0", "account": "123456789012", "region": "eu-central-1"}
    examples = [{"payload": added | example} for example in one.examples[:MAX_EXAMPLES]]
    described = {"name": one.route.name, "title": one.kinds[0][1], "summary": texts.description}
    return {**described, "payload": schema, **({"examples": examples} if examples else {})}


def _id(bus: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in bus)
