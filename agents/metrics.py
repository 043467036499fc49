"""This module is the metrics stage: metrics → windowed tables.

It runs on every worker whatever its roles: all members of a Faust group must share the tables, or the group's
leader writes assignments that the owners of the tables refuse (faust/assignor/partition_assignor.py).
"""

from __future__ import annotations

from typing import Any

import structlog
from faust import EventT, StreamT

from processors.metrics import delta
from streams import topics
from streams.app import app
from streams.delivery.stage import each
from streams.tables import updates

log = structlog.get_logger(__name__)


@app.agent(topics.metrics, name="metrics")
async def metrics(stream: StreamT[bytes]) -> None:
    """metrics → windowed tables"""
    await each(stream, "metrics", apply)


def apply(event: EventT[Any]) -> None:
    """Add a delta to the tables; what is none is named in the log and left."""
    try:
        delta.check(event.value)
        updates.apply(event)
    except ValueError as error:
        log.warning("not counted", partition=event.message.partition, offset=event.message.offset, reason=str(error))
