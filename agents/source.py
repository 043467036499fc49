"""This module is the source stage: Genesys Cloud → raw | failures.

Who owns partition n of the `sources` topic reads part n of the source: Kafka's group decides, so there is one
reader for each part, and another worker takes over when it dies. A file is read by the worker that has it.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import structlog
from faust import StreamT
from faust.types import TP

from streams import topics
from streams.app import app, settings
from streams.delivery.ledger import ledger
from streams.delivery.stage import each
from streams.sources.file import read_file
from streams.sources.parts import end, ended, pump, read_part, readers

log = structlog.get_logger(__name__)


if "source" in settings.worker_roles and settings.genesys_source in ("notifications", "stream"):

    @app.agent(topics.sources, name="source")
    async def source(stream: StreamT[bytes]) -> None:
        """Genesys Cloud → raw | failures (the records are left: owning the partition is what counts)"""
        await each(stream, "source", lambda event: None)

    @app.on_partitions_assigned.connect
    async def _assigned(*arguments: Any, **_: Any) -> None:
        """Start what is ours now, end what is not; what stays ours is read on through the rebalance."""
        assigned: set[TP] = arguments[-1]
        name = topics.sources.get_topic_name()
        ours = {tp.partition for tp in assigned if tp.topic == name}
        owned = ours if settings.genesys_source == "notifications" else ours & {0}
        await end([part for part in readers if part not in owned])
        for part in owned - set(readers):
            readers[part] = asyncio.create_task(read_part(part))
            readers[part].add_done_callback(ended)

    async def _stop() -> None:
        await end(list(readers))

    ledger.before_close.append(_stop)


if "source" in settings.worker_roles and settings.genesys_source.startswith("file:"):

    @app.task  # type: ignore[untyped-decorator]  # as Faust declares it
    async def read_whole_file() -> None:
        """file → raw | failures, once, from its beginning; a worker that is but a source then ends."""
        path = Path(settings.genesys_source.removeprefix("file:"))
        log.info("source starts", source=settings.genesys_source)
        try:
            await pump(read_file(path, settings.max_line_bytes))
        except OSError as error:
            app.end_worker(f"GENESYS_SOURCE names {path}, which cannot be read: {error.strerror}")
            return
        log.info("the file is in Kafka", file=path.name)
        if set(settings.worker_roles) <= {"source", "metrics"}:
            app.end_worker(f"all of {path.name} is in Kafka", exit_code=0)
