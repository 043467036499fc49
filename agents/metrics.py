"""This module is the metrics stage: metrics → windowed tables.

It runs on every worker whatever its roles: all members of a Faust group must share the tables, or the group's
leader writes assignments that the owners of the tables refuse (faust/assignor/partition_assignor.py).
"""

from __future__ import annotations

from typing import Any

import structlog
from faust import EventT, StreamT

from processors.metrics import delta
from streams.app import app
from streams.delivery.event import origin_of
from streams.delivery.stage import each
from streams.tables import updates

log = structlog.get_logger(__name__)


@app.agent(app.flow.metrics, name="metrics")
async def metrics(stream: StreamT[bytes]) -> None:
    """metrics → windowed tables"""
    await each(stream, "metrics", apply)


def apply(event: EventT[Any]) -> None:
    """Add a delta to the tables, or hear what a worker says; what is neither is named in the log and left."""
    try:
        content, at_ms = delta.checked(event.value), int(event.message.timestamp * 1000)
        if "worker" in content:
            app.group.note_worker(content["worker"], at_ms)
            return
        updates.add_delta(app.sums, event, content)
        if "counts" in content:
            app.group.counted(at_ms)
    except ValueError as error:
        where = origin_of(event.message)
        log.warning("not counted", partition=where.partition, offset=where.offset, reason=str(error))
