"""This module holds what is fuzzed: each target takes any bytes and raises when a promise of the code breaks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import orjson

from processors.delivery.failure_record import encode_record, failure_record, original_bytes
from processors.event.errors import MalformedEventError, Violation
from processors.event.headers import Origin
from processors.event.identity import event_of_bytes, identify, is_uuid
from processors.event.intake import IntakeEvent, taken_in
from processors.event.lines import Line, LineSplitter, OversizedLine
from processors.event.redaction import redactor
from processors.event.strict_json import parse
from processors.genesys.frames import read_frame
from processors.routes.outcome import Failed, Filtered, Mapped
from processors.routes.route import compile_route
from processors.routes.routes import Routes, outcomes_of
from processors.routes.simulation import run, simulated_event
from streams.routes.folder import read_routes

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
MOMENT = datetime(2026, 11, 23, 10, tzinfo=UTC)

ROUTES = Routes([compile_route(texts) for texts in read_routes(SCHEMAS, {})])
REDACT = redactor(["id", "eventBody.*", "payload.customer", "*.ani"])


def lines(data: bytes) -> None:
    """However the bytes are cut, the lines are the same, within the limit, and little is held."""
    limit, step, data = 1 + sum(data[:1]) % 64, 1 + sum(data[1:2]) % 32, data[2:]
    whole, cut = LineSplitter(limit, prefix_bytes=8), LineSplitter(limit, prefix_bytes=8)
    expected = [*whole.feed(data), *whole.close()]
    found: list[Line] = []
    for start in range(0, len(data), step):
        found += cut.feed(data[start : start + step])
        assert len(cut._held) <= limit + 1
    found += cut.close()
    assert found == expected
    for line in found:
        if isinstance(line, OversizedLine):
            assert line.size > limit
            assert len(line.prefix) <= 8
        else:
            assert len(line) <= limit
            assert b"\n" not in line


def events(data: bytes) -> None:
    """Bytes are an event or a MalformedEventError; an event can be written again and keeps its id."""
    try:
        event = event_of_bytes(data)
    except MalformedEventError:
        return
    assert is_uuid(event.event_id)
    assert event.key
    again = event_of_bytes(orjson.dumps(event.body))
    assert (again.event_id, again.body) == (event.event_id, event.body)


def frames(data: bytes) -> None:
    """Any frame is read; one that is an event carries an object."""
    frame = read_frame(data)
    assert frame.kind != "event" or isinstance(frame.envelope, dict)


def intake(data: bytes) -> None:
    """What is masked stays masked, and its id is the one that the process stage finds."""
    assert REDACT is not None
    for found in taken_in([data], 0, 1_000_000, REDACT):
        if not isinstance(found, IntakeEvent):
            assert found.value is None
            continue
        body = orjson.loads(found.value)
        assert REDACT(body) == body
        assert event_of_bytes(found.value).event_id == found.headers["event-id"].decode()


def failures(data: bytes) -> None:
    """A record is JSON within its limit, and gives the event back when it holds it whole."""
    limit = 4_096 + sum(data[:2])
    text = data.decode("utf-8", "surrogatepass") if _is_text(data) else data.decode("latin-1")
    failed = Failed("source", "Fuzzed", text, tuple(Violation(text[:50], "rule", text) for _ in range(3)))
    record = failure_record(failed, data, timestamp=MOMENT, origin=Origin.parse(text))
    encoded = encode_record(record, limit)
    assert len(encoded) <= limit
    written = orjson.loads(encoded)
    kept = original_bytes(written)
    assert kept is not None or "originalBytes" in written
    if kept is not None:
        assert kept == data if written.get("encoding") == "base64" else orjson.loads(kept) == parse(data)


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def records(data: bytes) -> None:
    """What somebody else put on `failures` may be anything: its event is found or is not."""
    try:
        record = parse(data)
    except MalformedEventError:
        return
    if isinstance(record, dict):
        assert isinstance(original_bytes(record), bytes | None)


def routes(data: bytes) -> None:
    """Every event ends as mapped, failed or filtered; what is mapped is JSON."""
    try:
        content = parse(data)
    except MalformedEventError:
        return
    shapes = [{"id": "i", "resourceType": "interaction", "payload": content}]
    if isinstance(content, dict):
        shapes += [content, {"resourceType": "interaction", "payload": {"priority": "high"}} | content]
    for body in shapes:
        for outcome in outcomes_of(ROUTES, identify(body)).values():
            assert isinstance(outcome, Mapped | Failed | Filtered)
            if isinstance(outcome, Mapped):
                orjson.dumps(outcome.entry)
            elif isinstance(outcome, Failed):
                failure_record(outcome, data, timestamp=MOMENT)


def simulation(data: bytes) -> None:
    """What /simulate is sent is refused by its name, or told of."""
    try:
        fields = parse(data)
        if not isinstance(fields, dict):
            return
        body = simulated_event(fields, interaction_id="i", now="2026-11-23T10:00:00Z")
    except (MalformedEventError, ValueError):
        return
    assert run(ROUTES, body)["status"] in ("simulated", "filtered", "validation_failed")


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target for target in (lines, events, frames, intake, failures, records, routes, simulation)
}


def seeds() -> list[bytes]:
    """Where the fuzzing begins: the events of the routes' examples, and a few that are cut or odd."""
    examples = [orjson.loads(path.read_bytes()) for path in sorted(SCHEMAS.glob("*/examples/*.json"))]
    events = [orjson.dumps(example["event"]) for example in examples]
    record = failure_record(Failed("publish", "Code", "text"), b"\xff", timestamp=MOMENT, origin=Origin("t", 1, 2))
    fields = {"interactionId": "i", "type": "chat", "priority": "high", "createdTime": "2026-11-23T10:00:00Z"}
    odd = [b"[1e400]", b'{"n": 9223372036854775808}', b'{"a":"\\ud800"}', b"\xff\xfe", b"a\r\n\r\nb\n", b"[[[[]]]]"]
    return [*events, orjson.dumps(record), orjson.dumps(fields), *odd, events[0][: len(events[0]) // 2]]
