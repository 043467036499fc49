"""This module defines the tables: sums of what the workers counted, in windows of one minute and in all.

Every delta has the one key METRICS_KEY, so that one partition, and thereby one worker, owns all rows, and a sum
over the workers is one look-up. The other workers' web views ask that one (streams/views/tables.py).

Times are the deltas' own Kafka timestamps. Reads go over the raw store because Faust's windowed accessors refuse
to work outside an agent (faust/tables/wrappers.py, `current_event`).
"""

from __future__ import annotations

from typing import Any

import orjson

from streams.app import app, settings
from streams.tables.codecs import lenient
from streams.topology import METRICS_KEY

WINDOW_S = 60.0

KEY = orjson.loads(METRICS_KEY)


#: The tables by name, without their windows.
PLAIN: dict[str, Any] = {}


def _windowed(name: str, help: str) -> Any:
    PLAIN[name] = lenient(app.Table(name, default=dict, help=help))
    return PLAIN[name].tumbling(WINDOW_S, expires=settings.metrics_retention)


#: One row a minute: `{ingested, filtered, validated, published, failed, retries, duplicates}`.
throughput = _windowed("throughput", "Events counted in each minute, by what became of them")
#: One row a minute: `{"stage/error": n}`.
failed = _windowed("failed", "Failures of each minute, by stage and error")
#: One row a minute: `{count, sum, buckets}`, shown with its percentiles.
latency = _windowed("latency", "Milliseconds from received to accepted by EventBridge, in each minute")
#: One row: the sums since the group's tables began.
totals: Any = lenient(app.Table("totals", default=dict, help="All counts since the tables began"))

#: One row for each gap in the notifications: `{part, start_ms, end_ms, state, events, reason}`.
gaps: Any = lenient(
    app.Table("gaps", default=dict, help="Times when a notification socket was down, and what became of them")
)

PLAIN.update(totals=totals, gaps=gaps)
TABLES: dict[str, Any] = {
    "throughput": throughput,
    "failed": failed,
    "latency": latency,
    "totals": totals,
    "gaps": gaps,
}
