"""This module says the shape of what pages live on, as JSON Schema: report, lag, status, strip, and their stream."""

from __future__ import annotations

from typing import Any

from processors.metrics.counts import COUNTERS
from processors.metrics.history import KINDS
from processors.metrics.report import BEYOND, law

Json = dict[str, Any]

_TIME: Json = {"type": "string", "format": "date-time"}
_NUMBER: Json = {"type": "integer"}
_TEXT: Json = {"type": "string"}
_SECONDS: Json = {"type": ["number", "null"]}
_LATENCY: Json = {"oneOf": [{"type": ["number", "null"]}, {"const": BEYOND}], "description": "Milliseconds."}


def _object(**properties: Json) -> Json:
    return {"type": "object", "required": list(properties), "properties": properties}


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


def _by_name(values: Json) -> Json:
    return {"type": "object", "additionalProperties": values}


def _or_null(kind: Json) -> Json:
    return {"oneOf": [kind, {"type": "null"}]}


_REPORT = _object(
    **dict.fromkeys([*COUNTERS, *law({})], _NUMBER),
    failures=_NUMBER,
    failedBy=_by_name(_NUMBER),
    successRate={"type": ["number", "null"], "description": "Percent."},
    avgLatencyMs={"type": ["number", "null"]},
    p50LatencyMs=_LATENCY,
    p99LatencyMs=_LATENCY,
    missing=_NUMBER,
    balanced={"type": "boolean"},
)

_PARTITION = _object(
    topic=_TEXT,
    **dict.fromkeys(("partition", "end", "committed", "lag"), _NUMBER),
    **dict.fromkeys(("lagSeconds", "secondsSinceCommit", "retentionSeconds", "expiresSeconds"), _SECONDS),
)

_WORKER = _object(
    name=_TEXT,
    version=_TEXT,
    roles=_list(_TEXT),
    partitions=_by_name(_list(_NUMBER)),
    troubles=_by_name({"type": "object", "required": ["reason"], "properties": {"reason": _TEXT, "seconds": _SECONDS}}),
    paused={"type": "boolean", "description": "As most events failed."},
    pausedStages=_list(_TEXT),
    since=_TIME,
    state={"enum": ["running", "gone"]},
    secondsAgo={"type": "number"},
)

_STATUS = _object(
    works={"type": "boolean"},
    reasons=_list(_TEXT),
    paused=_list(_object(stage=_TEXT, by=_TEXT, since=_TIME, why=_TEXT)),
    workers=_list(_WORKER),
)

_COUNT: Json = {"type": ["integer", "null"]}
_MINUTE = _object(
    **{"from": _TIME, "hole": {"type": "boolean", "description": "Nobody counted anything: the numbers are null."}},
    **dict.fromkeys(("published", "failed", "filtered", "lag"), _COUNT),
    p50Ms=_LATENCY,
    p99Ms=_LATENCY,
)

_MARK = _object(at=_TIME, kind={"enum": list(KINDS)}, what=_TEXT)

#: Schemas by name, for the description's components.
SCHEMAS: dict[str, Json] = {
    "Report": _REPORT,
    "Lag": _object(asOf=_or_null(_TIME), partitions=_list(_PARTITION)),
    "Status": _STATUS,
    "Strip": _object(minutes=_list(_MINUTE), marks=_list(_MARK)),
}


def _named(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


#: What the stream tells, by the names of its events.
EVENTS = {name: _named(schema) for name, schema in zip(("report", "lag", "status", "minutes"), SCHEMAS, strict=True)}


def _event(name: str, schema: Json) -> Json:
    """One server-sent event: its data is JSON."""
    return _object(
        event={"const": name}, data={**_TEXT, "contentMediaType": "application/json", "contentSchema": schema}
    )


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


#: What a view answers, by its path, where that has a schema. A stream is written as the list of what it sends.
CONTENT: dict[str, Json] = {
    "/api/report/": _json(_named("Report")),
    "/api/lag/": _json(_named("Lag")),
    "/api/status/": _json(_named("Status")),
    "/api/history/": _json(_named("Strip")),
    "/api/live/": _json({"oneOf": [_object(**EVENTS), _object(unavailable=_named("Error"))]}),
    "/api/stream/": {
        "text/event-stream": {
            "schema": _list(
                {"oneOf": [_event(name, one) for name, one in {**EVENTS, "unavailable": _named("Error")}.items()]}
            )
        }
    },
}
