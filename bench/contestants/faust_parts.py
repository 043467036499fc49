"""This module is what the two ways on stock Faust share: the app, its topics, the route by jsonata-python, aioboto3."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import aioboto3
import fastjsonschema
import faust
import orjson
from jsonata.jsonata import Jsonata

from bench.contestants.common import AWS, SERVERS, topic

ROUTE = Path("schemas/interaction")

app = faust.App(f"stock-{topic('raw')}", broker=f"kafka://{SERVERS}", store="memory://", topic_allow_declare=False,
                topic_disable_leader=True, web_enabled=False, web_port=int(os.environ["WEB_PORT"]),
                consumer_auto_offset_reset="earliest", datadir=os.environ["DATA_DIR"])  # fmt: skip
raw = app.topic(topic("raw"), value_serializer="raw", value_type=bytes)
validated = app.topic(topic("validated"), value_serializer="raw", value_type=bytes)
failures = app.topic(topic("failures"), value_serializer="raw", value_type=bytes)

takes = Jsonata((ROUTE / "filter.jsonata").read_text())
maps = Jsonata((ROUTE / "mapping.jsonata").read_text().replace("$eventId()", "id"))
check = fastjsonschema.compile(orjson.loads((ROUTE / "schema.json").read_bytes()))
_clients: list[Any] = []


def mapped(value: bytes) -> bytes | None:
    """What the route makes of an event, None when it does not take it. Raises JsonSchemaValueException."""
    event = orjson.loads(value)
    if not takes.evaluate(event):
        return None
    found = maps.evaluate(event)
    check(found)
    return orjson.dumps(found)


async def client() -> Any:
    """The client, opened with the first event."""
    if not _clients:
        _clients.append(await app.add_async_context(aioboto3.Session().client("events", **AWS)))
    return _clients[0]
