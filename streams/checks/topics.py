"""This module looks at the topics: what this login may do with them, their partitions, and what they keep how long."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from aiokafka.errors import KafkaError

from clients.kafka.cluster import Cluster
from clients.kafka.configs import topic_configurations
from clients.kafka.rights import creation_refusals, topic_rights
from settings import ROLES, Settings
from streams.checks.finding import Finding
from streams.topology import READ, companion_of, kept_ms, needed_topics, replicas_of, short_changelogs, short_fix

#: Least time that a topic of the flow should keep events: a weekend's outage, with a day to notice it.
LEAST_KEPT_MS = 3 * 24 * 3_600_000

#: What every worker does with its topics.
RIGHTS = frozenset({"Describe", "Read", "Write"})


async def check_topics(settings: Settings, cluster: Cluster) -> list[Finding]:
    """Look at the topics that are there, and whether the missing ones could be made."""
    needed = needed_topics(settings)
    present = [name for name in needed if name in cluster.partitions]
    missing = {name: configs for name, configs in needed.items() if name not in cluster.partitions}
    findings = [*await _rights(settings, present, cluster.partitions)] if present else []
    if missing and settings.kafka_create_topics:
        findings += await _creation(settings, missing, cluster.brokers)
    findings += _partitions(settings, cluster.partitions)
    findings += await _configurations(settings, present) if present else []
    return findings


async def _rights(settings: Settings, topics: Collection[str], partitions: Mapping[str, int]) -> list[Finding]:
    name = "topic rights"
    short = short_changelogs(settings, partitions) if settings.kafka_create_topics else {}
    wanted = {topic: RIGHTS | ({"Alter"} if topic in short else set()) for topic in topics}
    try:
        rights = await topic_rights(settings, [*topics])
    except KafkaError as error:
        fix = "run it again when the brokers are healthy"
        return [Finding(name, True, f"cannot be looked at: {type(error).__name__}", fix)]
    if rights.untold:
        return [Finding(name, True, "the brokers do not say")]
    lacking = rights.lacking(wanted)
    if not lacking:
        return [Finding(name, True, f"all topics may be read and written ({len(wanted)})")]
    detail = "; ".join(f"{topic} lacks {', '.join(one)}" for topic, one in lacking.items())
    fix = "; ".join(f"allow {', '.join(one)} on topic {topic}" for topic, one in lacking.items())
    some = set(settings.worker_roles) != set(ROLES)  # a worker of some stages does not need all of them
    return [Finding(name, some, detail, fix)]


async def _creation(settings: Settings, missing: Mapping[str, Mapping[str, str]], brokers: int) -> list[Finding]:
    name = "topic creation"
    replicas = replicas_of(settings, brokers)
    try:
        refused = await creation_refusals(settings, missing, settings.kafka_topic_partitions, replicas)
    except KafkaError as error:
        fix = "run it again when the brokers are healthy"
        return [Finding(name, True, f"cannot be looked at: {type(error).__name__}", fix)]
    if not refused:
        return [Finding(name, True, f"{len(missing)} missing ones may be created, with {replicas} replica(s)")]
    detail = "; ".join(f"{topic}: {why}" for topic, why in refused.items())
    fix = "allow Create on the topics or the cluster, or fix KAFKA_REPLICATION_FACTOR, or create the topics yourself"
    return [Finding(name, False, f"would be refused: {detail}", fix)]


def _partitions(settings: Settings, known: Mapping[str, int]) -> list[Finding]:
    """Faust demands that a changelog has as many partitions as what its table is made of."""
    name = "partitions"
    short = short_changelogs(settings, known)
    if short and not settings.kafka_create_topics:
        detail = "; ".join(f"{one} has {known[one]} of {number}" for one, number in short.items())
        return [Finding(name, False, detail, short_fix(short))]
    changelogs = [one for one in needed_topics(settings) if one.endswith("-changelog") and one in known]
    companions = {one: known.get(companion_of(settings, one), 0) for one in changelogs}
    long = [one for one in changelogs if 0 < companions[one] < known[one]]
    if long:
        detail = "; ".join(
            f"{one} has {known[one]} and {companion_of(settings, one)} {companions[one]}" for one in long
        )
        return [Finding(name, False, detail, f"stop the workers and delete {', '.join(long)}")]
    if short:
        added = ", ".join(f"{one} ({known[one]} → {number})" for one, number in short.items())
        return [Finding(name, True, f"the worker will give more to {added}")]
    return [Finding(name, True, "changelogs have as many as their topics")] if changelogs else []


async def _configurations(settings: Settings, topics: Collection[str]) -> list[Finding]:
    name = "topic configuration"
    try:
        found = await topic_configurations(settings, topics)
    except KafkaError as error:
        fix = "allow DescribeConfigs on the topics"
        return [Finding(name, True, f"cannot be seen: {type(error).__name__}", fix)]
    wrong = [one for topic in topics for one in _wrong(settings, topic, found[topic])]
    return wrong or [Finding(name, True, "sizes, policies and times suit")]


def _wrong(settings: Settings, topic: str, configs: Mapping[str, str]) -> Iterator[Finding]:
    name, kept = f"topic {topic}", int(configs.get("retention.ms", -1))
    limit = int(configs.get("max.message.bytes", settings.kafka_max_message_bytes))
    if limit < settings.kafka_max_message_bytes:
        yield Finding(
            name,
            False,
            f"takes messages of {limit} bytes, KAFKA_MAX_MESSAGE_BYTES is {settings.kafka_max_message_bytes}",
            f"raise max.message.bytes of the topic, or set KAFKA_MAX_MESSAGE_BYTES={limit}",
        )
    of_the_flow = topic in {settings.topic(one) for one in READ}
    policy = configs.get("cleanup.policy", "delete")
    if of_the_flow and "compact" in policy:
        detail = f"cleanup.policy={policy} keeps the newest event of a conversation alone"
        yield Finding(name, False, detail, "set cleanup.policy=delete")
    elif of_the_flow and 0 <= kept < LEAST_KEPT_MS:
        fix = "raise retention.ms: what is not read by then is gone"
        yield Finding(name, True, f"keeps events for {kept / 3_600_000:g} h", fix)
    if of_the_flow and int(configs.get("retention.bytes", -1)) >= 0:
        detail = f"retention.bytes={configs['retention.bytes']} deletes by size, also what nobody has read"
        yield Finding(name, True, detail, "set retention.bytes=-1: when a record goes depends on size alone")
    wanted = kept_ms(settings).get(topic)
    if wanted is not None and 0 <= kept < wanted and not settings.kafka_create_topics:
        detail = f"keeps its rows for {kept / 1000:g} s of {wanted / 1000:g} s"
        yield Finding(name, True, detail, f"set retention.ms={wanted}")
