"""This module defines the tables: sums of what the workers counted, in windows of one minute and in all.

Every delta has the one key METRICS_KEY, so that one partition, and thereby one worker, owns all rows, and a sum
over the workers is one look-up. The other workers' web views ask that one (streams/views/tables.py).

Times are the deltas' own Kafka timestamps. Reads go over the raw store because Faust's windowed accessors refuse
to work outside an agent (faust/tables/wrappers.py, `current_event`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import faust
import orjson

from streams.tables.codecs import lenient
from streams.topology import LASTING, METRICS_KEY

WINDOW_S = 60.0

KEY = orjson.loads(METRICS_KEY)


@dataclass(frozen=True, slots=True)
class SumTables:
    """The tables of one app."""

    #: One row a minute: `{name of a counter: n}` (processors/metrics/counts.py).
    throughput: Any
    #: One row a minute: `{"stage/error": n}`.
    failed: Any
    #: One row a minute: `{"route/end": n}`.
    routes: Any
    #: One row a minute: `{count, sum, buckets}`, shown with its percentiles.
    latency: Any
    #: One row a minute: `{lag, marks}` (processors/metrics/history.py).
    history: Any
    #: One row: the sums since the group's tables began.
    totals: Any
    #: One row for each gap in the notifications, and for what Kafka deleted before it was processed:
    #: `{part, start_ms, end_ms, state, events, reason}` (processors/metrics/expired.py).
    gaps: Any
    #: The tables by name, without their windows.
    plain: Mapping[str, Any]

    def named(self, name: str) -> Any:
        """The table of that name, windowed where it is. Raises KeyError."""
        if name not in self.plain:
            raise KeyError(name)
        return getattr(self, name)


def sum_tables(app: faust.App, retention_s: float) -> SumTables:
    """Declare the tables on the app; rows of a minute stay for `retention_s`."""

    def table(name: str, help: str) -> Any:
        return lenient(app.Table(name, default=dict, help=help))

    def windowed(name: str) -> Any:
        return plain[name].tumbling(WINDOW_S, expires=retention_s)

    plain = {
        "throughput": table("throughput", "Events counted in each minute, by what became of them"),
        "failed": table("failed", "Failures of each minute, by stage and error"),
        "routes": table("routes", "Ends of events on each route in each minute"),
        "latency": table("latency", "Milliseconds from received to accepted by EventBridge, in each minute"),
        "history": table("history", "Largest lag of each minute, and what happened in it"),
        "totals": table("totals", "All counts since the tables began"),
        "gaps": table("gaps", "Times when a notification socket was down, and events that Kafka deleted unread"),
    }
    return SumTables(**{name: plain[name] if name in LASTING else windowed(name) for name in plain}, plain=plain)
