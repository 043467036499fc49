"""This module reads and begins W3C trace contexts, and says them in the words of AWS X-Ray.

A trace that is begun here has the event's id for its own: who knows one knows the other, and an event that comes again,
or is read by another worker, is of the same trace. Its second half is the id of the span of the event's receipt.
"""

from __future__ import annotations

import re

from processors.event.strict_json import JsonObject

#: The field of an event, in it or in its `metadata`, that says its trace: also CloudEvents' name for it.
FIELD = "traceparent"

#: Bytes of a traceparent of version 00.
LENGTH = 55

_VERSION_00 = re.compile(rb"00-(?!0{32})([0-9a-f]{8})([0-9a-f]{24})-(?!0{16})([0-9a-f]{16})-[0-9a-f][0-9a-f]")

#: Hex digits of a trace id that are random (W3C Trace Context, level 2), by whose value traces are sampled.
_RANDOM = 14

#: `1-5f0c4a0e-7a3c5d0e9b623f6d0a8f1c55`, or without the signs of X-Ray.
_TRACE_ID = re.compile(r"(?:1-)?([0-9a-f]{8})-?([0-9a-f]{24})")

_NO_PARENT = "0" * 16

#: Last digits of flags whose bit for «sampled» is set.
_ODD = b"13579bdf"


def is_sound(traceparent: bytes | None) -> bool:
    """Whether it is a traceparent of version 00."""
    return traceparent is not None and _VERSION_00.fullmatch(traceparent) is not None


def taken(event: JsonObject) -> bytes | None:
    """The trace that an event says it is of."""
    given = event.get(FIELD)
    if given is None:
        metadata = event.get("metadata")
        given = metadata.get(FIELD) if isinstance(metadata, dict) else None
    if not isinstance(given, str) or len(given) != LENGTH or not given.isascii():
        return None
    written = given.encode()
    return written if is_sound(written) else None


def least_sampled(share: float) -> str:
    """The least random part of a trace id with which a trace is sampled, so that of all a `share` is."""
    return "g" if share <= 0 else format(min(round((1 - share) * 16**_RANDOM), 16**_RANDOM - 1), f"0{_RANDOM}x")


def begun(event_id: str | None, least: str) -> bytes | None:
    """The trace of an event that brings none, sampled from `least` on; None for an id that makes none."""
    if event_id is None:
        return None
    trace = event_id.replace("-", "").lower()
    if len(trace) != 32 or trace[16:] == _NO_PARENT:
        return None
    return f"00-{trace}-{trace[16:]}-{'01' if trace[-_RANDOM:] >= least else '00'}".encode()


def is_sampled(traceparent: bytes | None) -> bool:
    """Whether whoever began the trace records it: the last bit of a traceparent says so."""
    return traceparent is not None and traceparent[-1] in _ODD and is_sound(traceparent)


def is_begun_here(traceparent: bytes) -> bool:
    """Whether the span that it names is that of the event's receipt by us."""
    return traceparent[19:35] == traceparent[36:52]


def event_of(trace: str) -> str | None:
    """The event whose trace was begun here, by the id of its trace in X-Ray's or W3C's words; None for no such id."""
    found = _TRACE_ID.fullmatch(trace.strip().lower())
    if found is None:
        return None
    digits = "".join(found.groups())
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def trace_header(traceparent: bytes | None) -> str | None:
    """The X-Ray trace header of a trace; one that is not sampled leaves the decision to who gets the event."""
    found = _VERSION_00.fullmatch(traceparent) if traceparent is not None else None
    if traceparent is None or found is None:
        return None
    sampled = b";Sampled=1" if traceparent[-1] in _ODD else b""
    return (b"Root=1-%b-%b;Parent=%b%b" % (*found.groups(), sampled)).decode()
