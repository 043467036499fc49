"""This module is the source stage: Genesys Cloud → raw | failures.

Who owns partition n of the `sources` topic reads part n of the source: Kafka's group decides, so there is one
reader for each part, and another worker takes over when it dies. A file is read by the worker that has it, a queue
by all of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import structlog
from faust import StreamT
from faust.types import TP

from streams.app import app
from streams.delivery.stage import each
from streams.sources.file import read_file

log = structlog.get_logger(__name__)

SOURCE = app.settings.genesys_source if "source" in app.settings.worker_roles else "none"


if SOURCE in ("notifications", "stream"):

    @app.agent(app.flow.sources, name="source")
    async def source(stream: StreamT[bytes]) -> None:
        """Genesys Cloud → raw | failures (the records are left: owning the partition is what counts)"""
        await each(stream, "source", lambda event: None)

    @app.on_partitions_assigned.connect
    async def own(*arguments: Any, **_: Any) -> None:
        """Start what is ours now, end what is not; what stays ours is read on through the rebalance."""
        assigned: set[TP] = arguments[-1]
        name = app.flow.sources.get_topic_name()
        ours = {tp.partition for tp in assigned if tp.topic == name}
        await app.readers.own(ours if SOURCE == "notifications" else ours & {0})


if SOURCE.startswith("sqs:"):

    @app.task  # type: ignore[untyped-decorator]  # as Faust declares it
    async def read_queue() -> None:
        """SQS → raw | failures; every worker reads its share."""
        await app.readers.own({0})


if SOURCE.startswith("file:"):

    @app.task  # type: ignore[untyped-decorator]  # as Faust declares it
    async def read_whole_file() -> None:
        """file → raw | failures, once, from its beginning; a worker that is but a source then ends."""
        path = Path(SOURCE.removeprefix("file:"))
        log.info("source starts", source=SOURCE)
        try:
            await app.intake.pump(read_file(path, app.settings.max_line_bytes))
        except OSError as error:
            app.end_worker(f"GENESYS_SOURCE names {path}, which cannot be read: {error.strerror}")
            return
        log.info("the file is in Kafka", file=path.name)
        if set(app.settings.worker_roles) <= {"source", "metrics"}:
            app.end_worker(f"all of {path.name} is in Kafka", exit_code=0)
