"""This module looks at Kafka: login, brokers, topics, replicas."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    KafkaError,
    NotCoordinatorForGroupError,
    UnknownTopicOrPartitionError,
    for_code,
)

from clients.kafka import cluster
from clients.kafka.admin import open_admin
from clients.kafka.group import may_use_group
from settings import Settings
from streams.checks.finding import Finding
from streams.topology import SAFE_REPLICAS

#: How often the coordinator of the group is asked for while brokers have none.
COORDINATOR_TRIES = 6


async def check_kafka(settings: Settings, topics: Iterable[str]) -> tuple[cluster.Cluster | None, list[Finding]]:
    """Look whether brokers answer and which topics are missing."""
    where = settings.kafka_bootstrap_servers
    try:
        found = await cluster.describe(settings)
    except cluster.LoginRefusedError as error:
        fix = "fix KAFKA_SASL_* or KAFKA_SSL_*"
        return None, [Finding("kafka", False, f"{where} {error.args[0]}", fix)]
    except (KafkaError, OSError) as error:
        unreachable = not isinstance(error, KafkaError) or cluster.is_unreachable(error)
        fix = "start Kafka or fix KAFKA_BOOTSTRAP_SERVERS, KAFKA_SECURITY_PROTOCOL and what belongs to it"
        return None, [
            Finding("kafka", False, f"no broker answers at {where}: {type(error).__name__}", fix, unreachable)
        ]
    findings = [Finding("kafka", True, f"{found.brokers} broker(s) at {where}")]
    missing = [name for name in topics if name not in found.partitions]
    if not missing:
        findings.append(Finding("topics", True, "all there"))
    elif settings.kafka_create_topics:
        findings.append(Finding("topics", True, f"the worker will create {', '.join(missing)}"))
    else:
        fix = "create them, or set KAFKA_CREATE_TOPICS=true"
        findings.append(Finding("topics", False, f"missing: {', '.join(missing)}", fix))
    return found, findings


async def check_group(settings: Settings) -> list[Finding]:
    """Look whether the consumer group may be used."""
    name = f"consumer group {settings.group}"
    try:
        if await _may_use_group(settings):
            return [Finding(name, True, "may be joined")]
    except (KafkaError, OSError) as error:  # a coordinator that is just being chosen, say
        return [
            Finding(name, True, f"cannot be looked at: {type(error).__name__}", "run it again when all brokers run")
        ]
    return [Finding(name, False, "may not be joined", f"allow Read on group {settings.group}")]


async def _may_use_group(settings: Settings) -> bool:
    """Ask again for a while: on a new cluster the first to ask has the coordinator chosen."""
    for _ in range(COORDINATOR_TRIES):
        with contextlib.suppress(GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError):
            return await may_use_group(settings)
        await asyncio.sleep(0.5)
    return await may_use_group(settings)


async def check_replicas(settings: Settings, topics: Iterable[str], brokers: int) -> list[Finding]:
    """Look whether what the brokers confirm outlives the loss of one: replicas, all of them in sync."""
    try:
        async with open_admin(settings) as admin:
            described = await admin.describe_topics(sorted(topics))
    except KafkaError as error:
        return [Finding("replicas", False, f"cannot be seen: {type(error).__name__}", "allow Describe on the topics")]
    refused = {topic["topic"]: for_code(topic["error_code"]) for topic in described if topic["error_code"]}
    unseen = {topic: error.__name__ for topic, error in refused.items() if error is not UnknownTopicOrPartitionError}
    if unseen:
        detail = ", ".join(f"{topic} ({error})" for topic, error in sorted(unseen.items()))
        fix = "allow Describe on the topics, or run it again when all brokers run"
        return [Finding("replicas", False, f"cannot be seen: {detail}", fix)]
    partitions = {topic["topic"]: topic["partitions"] for topic in described if not topic["error_code"]}
    lagging = [name for name, ones in partitions.items() if any(len(one["isr"]) < len(one["replicas"]) for one in ones)]
    if lagging:
        fix = "look whether all brokers run"
        return [Finding("replicas", True, f"not all in sync: {', '.join(lagging)}", fix)]
    fewest = {name: min(len(one["replicas"]) for one in ones) for name, ones in partitions.items() if ones}
    few = [name for name, replicas in fewest.items() if replicas < min(SAFE_REPLICAS, brokers)]
    if few:
        fix = f"reassign them to {min(SAFE_REPLICAS, brokers)} replicas: a lost broker loses events otherwise"
        return [Finding("replicas", True, f"{min(fewest[name] for name in few)} only: {', '.join(few)}", fix)]
    least = min(fewest.values(), default=0)
    return [Finding("replicas", True, f"{least} of each topic, all in sync" if least else "no topic to look at yet")]
