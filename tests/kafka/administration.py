"""This module asks brokers about themselves and makes topics, without an event loop."""

import time
from collections.abc import Callable, Mapping

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

REQUEST_TIMEOUT_S = 5.0
POLL_S = 0.1


class NotReadyError(Exception):
    """What was waited for did not come about in time."""


def admin(bootstrap_servers: str) -> AdminClient:
    """A client that keeps quiet about brokers that are not up yet: waiting for them is its work."""
    return AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0, "reconnect.backoff.max.ms": 500})


def create_topics(
    bootstrap_servers: str,
    names: tuple[str, ...],
    *,
    partitions: int,
    replication: int,
    configuration: Mapping[str, str] | None = None,
    timeout: float = 30.0,
) -> None:
    """Make topics and wait until all their replicas are in sync. Raises `KafkaException`."""
    client = admin(bootstrap_servers)
    topics = [NewTopic(name, partitions, replication, config=dict(configuration or {})) for name in names]
    for created in client.create_topics(topics, operation_timeout=timeout).values():
        created.result()
    wait_until_in_sync(bootstrap_servers, timeout=timeout, names=names)


def leader(bootstrap_servers: str, topic: str, partition: int) -> int:
    """Node id of a partition's leader."""
    metadata = admin(bootstrap_servers).list_topics(topic, timeout=REQUEST_TIMEOUT_S)
    return int(metadata.topics[topic].partitions[partition].leader)


def wait_for_brokers(
    bootstrap_servers: str, count: int, *, timeout: float, check: Callable[[], None] = lambda: None
) -> None:
    """Wait until exactly `count` brokers are known and one is controller; `check` may raise meanwhile."""
    client = admin(bootstrap_servers)

    def answered() -> bool:
        check()
        metadata = client.list_topics(timeout=1.0)
        return len(metadata.brokers) == count and metadata.controller_id >= 0

    _wait_until(answered, timeout, f"{count} brokers at {bootstrap_servers}")


def wait_until_in_sync(bootstrap_servers: str, *, timeout: float, names: tuple[str, ...] = ()) -> None:
    """Wait until every partition (of `names`, or of all topics) has a leader and all its replicas in sync."""
    client = admin(bootstrap_servers)

    def in_sync() -> bool:
        topics = client.list_topics(timeout=REQUEST_TIMEOUT_S).topics
        chosen = [topics[name] for name in names or topics if name in topics]
        partitions = [partition for topic in chosen for partition in topic.partitions.values()]
        complete = all(p.leader >= 0 and sorted(p.isrs) == sorted(p.replicas) for p in partitions)
        return complete and len(chosen) >= len(names) and all(topic.partitions for topic in chosen)

    _wait_until(in_sync, timeout, f"all replicas in sync at {bootstrap_servers}")


def _wait_until(condition: Callable[[], bool], timeout: float, words: str) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            if condition():
                return
        except KafkaException as error:
            reason = str(error)
        else:
            reason = "not yet"
        if time.monotonic() > deadline:
            raise NotReadyError(f"waited {timeout:g} s in vain for {words} ({reason})")
        time.sleep(POLL_S)
