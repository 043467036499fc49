"""This module reads how far a pipeline's group has committed, and how far its topics reach."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from confluent_kafka import Consumer, KafkaException, TopicPartition

from tests.kafka.pipeline import Pipeline

#: The topics through which events flow.
STAGES = ("raw", "validated", "failures")

TIMEOUT_S, PATIENCE_S = 10.0, 20.0

Answer = TypeVar("Answer")


@contextmanager
def offsets_of(pipeline: Pipeline) -> Iterator[Offsets]:
    """A look at the pipeline's offsets, without joining its group."""
    with_group = Consumer(
        {"bootstrap.servers": pipeline.bootstrap_servers, "group.id": f"{pipeline.prefix}eventbridge",
         "enable.auto.commit": False, "client.id": uuid.uuid4().hex, "log_level": 0}
    )  # fmt: skip
    try:
        yield Offsets(with_group, pipeline.prefix)
    finally:
        with_group.close()


def _asked(ask: Callable[[], Answer]) -> Answer:
    """Ask again for a while: leaders and coordinators move. Raises KafkaException when they do not answer."""
    ends = time.monotonic() + PATIENCE_S
    while True:
        try:
            return ask()
        except KafkaException:
            if time.monotonic() > ends:
                raise
            time.sleep(0.5)  # between two looks


class Offsets:
    """Raises KafkaException while Kafka does not answer."""

    def __init__(self, consumer: Consumer, prefix: str) -> None:
        self._consumer = consumer
        self._prefix = prefix

    def end(self, topic: str) -> int:
        """Sum of the topic's end offsets."""
        return _asked(
            lambda: sum(self._consumer.get_watermark_offsets(part, TIMEOUT_S)[1] for part in self._parts(topic))
        )

    def committed(self, topic: str) -> int:
        """Sum of what the group has committed of the topic."""
        return sum(self.committed_by_partition(topic).values())

    def committed_by_partition(self, topic: str) -> dict[int, int]:
        """Partition → offset up to which the group has committed; 0 where it has nothing."""
        committed = _asked(lambda: self._consumer.committed(self._parts(topic), TIMEOUT_S))
        return {part.partition: max(0, part.offset) for part in committed}

    def open(self, topic: str) -> int:
        """How many records of the topic are not committed yet."""
        return self.end(topic) - self.committed(topic)

    def behind(self) -> dict[str, int]:
        """Records not yet committed, by topic; nothing when all is."""
        lags = {topic: self.open(topic) for topic in STAGES}
        return {topic: lag for topic, lag in lags.items() if lag}

    def _parts(self, topic: str) -> list[TopicPartition]:
        name = f"{self._prefix}{topic}"
        known = self._consumer.list_topics(name, TIMEOUT_S).topics[name].partitions
        return [TopicPartition(name, number) for number in known]
