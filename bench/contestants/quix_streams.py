"""This module is the same on Quix Streams: the same routes, and a batching sink that calls PutEvents from threads.

`.venv/quix/bin/python -m bench.contestants.quix_streams`
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config
from quixstreams import Application
from quixstreams.sinks import BatchingSink, SinkBatch

from bench.contestants.common import AWS, IN_FLIGHT, SERVERS, Mapping, fields, requests, split, topic


class PutEvents(BatchingSink):
    """Requests of ten, so many at a time; what is flushed is on the bus, then Quix commits."""

    def setup(self) -> None:
        self._client = boto3.client("events", config=Config(max_pool_connections=IN_FLIGHT), **AWS)
        self._threads = ThreadPoolExecutor(IN_FLIGHT)

    def write(self, batch: SinkBatch) -> None:
        list(self._threads.map(self._put, requests([fields(item.value) for item in batch])))

    def _put(self, entries: Any) -> None:
        answer = self._client.put_events(Entries=entries)
        assert not answer["FailedEntryCount"]


def main() -> None:
    """Run until ended."""
    application = Application(SERVERS, consumer_group=f"quix-{topic('raw')}", auto_offset_reset="earliest",
                              commit_interval=0.5, commit_every=2_000, auto_create_topics=False,
                              use_changelog_topics=False, loglevel="WARNING")  # fmt: skip
    mapping = Mapping()
    raw = application.topic(topic("raw"), value_deserializer="bytes")
    failures = application.topic(topic("failures"), value_serializer="bytes")
    found = application.dataframe(raw).apply(lambda value: split(mapping.routed(value)))
    found.apply(lambda both: both[1], expand=True).to_topic(failures)
    found.apply(lambda both: both[0], expand=True).sink(PutEvents())
    application.run()


if __name__ == "__main__":
    main()
