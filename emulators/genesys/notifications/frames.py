"""This module builds the frames of notification sockets, sound ones and those that faults ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import uuid4

import orjson

from emulators.faults import is_due
from emulators.genesys.faults import Faults

Origin = Literal["event", "repeat", "duplicate", "noise", "control"]
Body = Mapping[str, object]

HUGE_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class Frame:
    """What one `send` writes; `conversation_id` of events, so that losses can be named."""

    data: str | bytes
    origin: Origin
    conversation_id: str | None = None


def event_frame(topic: str, body: Body, origin: Origin = "event", conversation_id: str | None = None) -> Frame:
    """`{topicName, version, eventBody, metadata}`; two sendings differ by CorrelationId alone."""
    message = {
        "topicName": topic,
        "version": "2",
        "eventBody": body,
        "metadata": {"CorrelationId": str(uuid4())},
    }
    return Frame(_text(message), origin, conversation_id)


def metadata_frame(message: str) -> Frame:
    """A heartbeat or a pong: topic `channel.metadata`, neither version nor metadata."""
    return Frame(_text({"topicName": "channel.metadata", "eventBody": {"message": message}}), "control")


def closing_frame(seconds: float) -> Frame:
    """`v2.system.socket_closing`, sent without a subscription before a maintenance close."""
    body = {"message": f"This socket will be closed in {seconds:g} seconds."}
    return Frame(_text({"topicName": "v2.system.socket_closing", "eventBody": body}), "control")


def notice_frame(kind: str, channel_id: str) -> Frame:
    """A notice about the channel, sent without a subscription; its topic ends in the channel's id (SDK mappings)."""
    body = {"channelId": channel_id, "systemTopicType": kind, "reason": "asked for", "message": kind.replace("_", " ")}
    return Frame(_text({"topicName": f"v2.system.{kind}.{channel_id}", "version": "2", "eventBody": body}), "control")


def result_frame(result: str, **fields: object) -> Frame:
    """The answer to a message of the client; `result` is a string, as in Genesys Cloud."""
    return Frame(_text({"result": result} | fields), "control")


def noise(number: int, topic: str, faults: Faults) -> Iterator[tuple[str, Frame]]:
    """The frames that faults put behind event `number` (1, 2, …), by the fault's name."""
    if is_due(faults.malformed_every, number):
        yield "malformed", Frame('{"topicName":"v2.routing.queues.', "noise")
    if is_due(faults.binary_every, number):
        yield "binary", Frame(b"\x00\x01\xff\xfe not for you", "noise")
    if is_due(faults.huge_frame_every, number):
        yield "huge_frame", huge_frame(topic, HUGE_BYTES)
    if is_due(faults.unknown_topic_every, number):
        yield "unknown_topic", event_frame(f"v2.unheard.of.{uuid4()}.things", {"id": str(uuid4())}, "noise")
    if is_due(faults.no_ids_every, number):
        yield "no_ids", event_frame(topic, {"eventTime": 0}, "noise")


def huge_frame(topic: str, size: int) -> Frame:
    """One valid event, padded to about `size` bytes."""
    return event_frame(topic, {"id": str(uuid4()), "participants": [], "padding": "x" * size}, "noise")


def _text(message: Mapping[str, object]) -> str:
    return orjson.dumps(message).decode()
