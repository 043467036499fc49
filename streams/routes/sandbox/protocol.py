"""This module writes and reads what the worker and its mapping process say to each other.

Nothing but JSON and raw bytes: what comes out of a process that ran foreign expressions is never unpickled.

A frame is a big-endian length (4 bytes), a kind (1 byte) and a body. A body with blobs is the length of its
JSON (4 bytes), the JSON, then the blobs one after the other; the JSON holds their sizes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from processors.event.errors import Violation
from processors.event.strict_json import JsonObject
from processors.routes.outcome import Failed
from processors.routes.route import Example, RouteTexts
from processors.routes.routes import Encoded, Raw, Routed
from processors.routes.target import Offload, Target

#: Kinds of frames to the process: what to map by, events, routes to try, and drafts of routes, one after the other.
START, EVENTS, TRIAL, DRAFTS, DRAFT = b"S", b"E", b"T", b"D", b"d"

#: Kinds of frames from it: readiness, the route and the example that it begins, answers, what came of a route, the
#: step of a draft that it begins, what came of a draft.
READY, ROUTE, EXAMPLE, ANSWERS, VERDICT, STEP, TRIED = b"R", b"M", b"X", b"A", b"V", b"s", b"t"

PREFIX = struct.Struct(">Ic")
_SIZE = struct.Struct(">I")

#: Exit code of the process for: an expression was refused memory.
EXIT_MEMORY = 71

#: A longer body, in bytes, is no frame of ours.
MAX_BYTES = 512 * 1024 * 1024


def frame(kind: bytes, body: bytes) -> bytes:
    """A frame, ready to be written."""
    return PREFIX.pack(len(body), kind) + body


def prefix(data: bytes) -> tuple[int, bytes]:
    """Length of the body and kind. Raises ValueError for a length that no frame has."""
    length, kind = PREFIX.unpack(data)
    if length > MAX_BYTES:
        raise ValueError(f"a frame of {length} bytes")
    return length, kind


def events(raws: Sequence[Raw], *, careful: bool) -> bytes:
    """Body of an EVENTS frame. `careful`: say of each route that it begins, and answer after each event."""
    described = [
        [None if raw.value is None else len(raw.value), raw.event_id, raw.barred, raw.received_at] for raw in raws
    ]
    return _body({"careful": careful, "events": described}, [raw.value or b"" for raw in raws])


def read_events(body: bytes) -> tuple[list[Raw], bool]:
    """The events of an EVENTS frame, and whether to be careful."""
    described, blobs = _parts(body)
    raws = [
        Raw(None if size is None else blobs.take(size), event_id, tuple(barred), received_at)
        for size, event_id, barred, received_at in described["events"]
    ]
    return raws, described["careful"]


def answers(found: Iterable[Routed]) -> bytes:
    """Body of an ANSWERS frame."""
    blobs: list[bytes] = []
    described = [[one.key, one.event_id, [_described(outcome, blobs) for outcome in one.outcomes]] for one in found]
    return _body(described, blobs)


def read_answers(body: bytes) -> list[Routed]:
    """The answers of an ANSWERS frame. Raises ValueError, TypeError or KeyError for another shape."""
    described, blobs = _parts(body)
    return [
        Routed(key, event_id, tuple(_outcome(outcome, blobs) for outcome in outcomes))
        for key, event_id, outcomes in described
    ]


def read_texts(described: JsonObject) -> RouteTexts:
    """A route's texts back from JSON."""
    examples = tuple(Example(**example) for example in described["examples"])
    target, offload = described["target"], described["offload"]
    read = {
        "examples": examples,
        "warnings": tuple(described["warnings"]),
        "target": Target(**target) if target else None,
        "offload": Offload(**{**offload, "keep": tuple(offload["keep"])}) if offload else None,
    }
    return RouteTexts(**{**described, **read})


class _Blobs:
    """What stands behind the JSON of a body."""

    def __init__(self, body: bytes, begin: int) -> None:
        self._body = body
        self._next = begin

    def take(self, size: int) -> bytes:
        begin, self._next = self._next, self._next + size
        if size < 0 or self._next > len(self._body):
            raise ValueError("the body ends before its blobs do")
        return self._body[begin : self._next]


def _body(described: Any, blobs: Iterable[bytes]) -> bytes:
    header = orjson.dumps(described)
    return b"".join((_SIZE.pack(len(header)), header, *blobs))


def _parts(body: bytes) -> tuple[Any, _Blobs]:
    end = _SIZE.size + _SIZE.unpack_from(body)[0]
    return orjson.loads(memoryview(body)[_SIZE.size : end]), _Blobs(body, end)


def _described(outcome: Encoded | Failed, blobs: list[bytes]) -> list[Any]:
    if isinstance(outcome, Encoded):
        blobs.append(outcome.value)
        return [outcome.route, len(outcome.value)]
    transformed = b"" if outcome.transformed is None else orjson.dumps(outcome.transformed)
    blobs.append(transformed)
    details = [[one.path, one.rule, one.message] for one in outcome.details]
    return [outcome.route, len(transformed), outcome.stage, outcome.error, outcome.message, details, outcome.engine]


def _outcome(described: list[Any], blobs: _Blobs) -> Encoded | Failed:
    route, size, *failure = described
    blob = blobs.take(size)
    if not failure:
        return Encoded(route, blob)
    stage, error, message, details, engine = failure
    transformed = orjson.loads(blob) if blob else None
    return Failed(stage, error, message, tuple(_violations(details)), route, transformed, engine=engine)


def _violations(details: list[list[str]]) -> Iterator[Violation]:
    return (Violation(path, rule, message) for path, rule, message in details)
