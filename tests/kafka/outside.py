"""This module stands for a Kafka that somebody else runs: `KAFKA_BOOTSTRAP_SERVERS`, nothing started here."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.kafka import administration


@dataclass(frozen=True, slots=True)
class OutsideKafka:
    """The part of `KafkaCluster` that a test may ask of any Kafka."""

    bootstrap_servers: str
    partitions: int = 4

    def create_topics(
        self,
        *names: str,
        partitions: int | None = None,
        replication: int | None = None,
        configuration: Mapping[str, str] | None = None,
    ) -> None:
        """Make topics, with up to three replicas, and wait until they can be written."""
        brokers = len(administration.admin(self.bootstrap_servers).list_topics(timeout=10).brokers)
        administration.create_topics(
            self.bootstrap_servers,
            names,
            partitions=partitions or self.partitions,
            replication=replication or min(brokers, 3),
            configuration=configuration,
        )
