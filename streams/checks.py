"""This module looks at each thing the pipeline needs, and says how to mend what is wrong.

Start-up runs the checks that a worker's roles need and ends at the first that failed; `check` shows them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from clients.aws import AWS_ERRORS, AwsConfigurationError, error_code, is_unanswered, open_client, status
from clients.eventbridge import EventBridge
from clients.sqs import Queue
from processors.route import Routes
from streams import kafka
from streams.flow import SAFE_REPLICAS
from streams.settings import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of one check. `fix` says what to do; `away`: nobody answered, which may pass by itself."""

    name: str
    ok: bool
    detail: str
    fix: str = ""
    away: bool = False

    def __str__(self) -> str:
        return f"{self.name}: {self.detail}" + (f" ({self.fix})" if self.fix else "")


async def check_kafka(settings: Settings, topics: Iterable[str]) -> tuple[kafka.Cluster | None, list[Finding]]:
    """Look whether brokers answer and which topics are missing."""
    where = settings.kafka_bootstrap_servers
    try:
        cluster = await kafka.describe(settings)
    except kafka.LoginRefusedError as error:
        fix = "mend KAFKA_SASL_* or KAFKA_SSL_*"
        return None, [Finding("kafka", False, f"{where} {error.args[0]}", fix)]
    except (KafkaError, OSError) as error:
        away = not isinstance(error, KafkaError) or kafka.is_away(error)
        fix = "start Kafka or mend KAFKA_BOOTSTRAP_SERVERS, KAFKA_SECURITY_PROTOCOL and what belongs to it"
        return None, [Finding("kafka", False, f"no broker answers at {where}: {type(error).__name__}", fix, away)]
    findings = [Finding("kafka", True, f"{cluster.brokers} broker(s) at {where}")]
    missing = [name for name in topics if name not in cluster.partitions]
    if not missing:
        findings.append(Finding("topics", True, "all there"))
    elif settings.kafka_create_topics:
        findings.append(Finding("topics", True, f"the worker will create {', '.join(missing)}"))
    else:
        fix = "create them, or set KAFKA_CREATE_TOPICS=true"
        findings.append(Finding("topics", False, f"missing: {', '.join(missing)}", fix))
    return cluster, findings


async def check_replicas(settings: Settings, topics: Iterable[str], brokers: int) -> list[Finding]:
    """Look whether what the brokers confirm outlives the loss of one: replicas, all of them in sync."""
    admin = AIOKafkaAdminClient(**kafka.client_options(settings), request_timeout_ms=10_000)
    try:
        await admin.start()
        described = await admin.describe_topics(sorted(topics))
    except KafkaError as error:
        return [Finding("replicas", False, f"cannot be seen: {type(error).__name__}", "allow Describe on the topics")]
    finally:
        await admin.close()
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


async def check_buses(settings: Settings, buses: Sequence[str]) -> list[Finding]:
    """Describe each bus: PutEvents to an unknown one can answer success and lose the event."""
    findings = []
    try:
        async with open_client(settings, "events") as client:
            for bus in buses:
                findings.append(await _check_bus(EventBridge(client), bus))
    except AwsConfigurationError as error:
        return [misconfigured("event bus", error)]
    return findings


async def check_queue(settings: Settings) -> list[Finding]:
    """Look at the dead-letter queue."""
    if settings.dlq_queue_url is None:
        return [Finding("queue", True, "none: failures stay in Kafka only", "set DLQ_QUEUE_URL to mirror them")]
    name = f"queue {settings.dlq_queue_url.rpartition('/')[2]}"
    try:
        async with open_client(settings, "sqs") as client:
            queue = Queue(client, settings.dlq_queue_url, on_trouble=lambda _: None)
            attributes = await queue.describe()
    except AwsConfigurationError as error:
        return [misconfigured(name, error)]
    except AWS_ERRORS as error:
        if "NonExistentQueue" in error_code(error) or "QueueDoesNotExist" in error_code(error):
            return [Finding(name, False, "does not exist", "create it or mend DLQ_QUEUE_URL")]
        return [aws_failed(name, error, "allow sqs:GetQueueAttributes and sqs:SendMessage")]
    waiting = attributes.get("ApproximateNumberOfMessages", "?")
    return [Finding(name, True, f"{'FIFO' if queue.is_fifo else 'standard'}, {waiting} message(s) waiting")]


async def _check_bus(bridge: EventBridge, bus: str) -> Finding:
    name = f"event bus {bus}"
    try:
        return Finding(name, True, await bridge.describe(bus))
    except AWS_ERRORS as error:
        if error_code(error) == "ResourceNotFoundException":
            return Finding(name, False, "does not exist", "create it, or mend EVENTBUS_NAME or the route's event-bus")
        return aws_failed(name, error, "allow events:DescribeEventBus and events:PutEvents")


def aws_failed(name: str, error: Exception, permission: str) -> Finding:
    """What AWS answered; `permission` says what to do when it is a refusal."""
    code = error_code(error)
    if "Credentials" in type(error).__name__:
        return Finding(name, False, "no AWS credentials", "set AWS_PROFILE, AWS_ACCESS_KEY_ID … or run with a role")
    if is_unanswered(error) and status(error) is None:
        fix = "mend the network, AWS_REGION or AWS_ENDPOINT_URL"
        return Finding(name, False, f"AWS does not answer: {code}", fix, away=True)
    away = (status(error) or 0) >= 500 or "Throttl" in code
    return Finding(name, False, f"AWS answered {code}", "try again in a while" if away else permission, away)


def misconfigured(name: str, error: AwsConfigurationError) -> Finding:
    """What is wrong with the settings of AWS."""
    detail, _, fix = str(error).rpartition(": ")
    return Finding(name, False, detail, fix)


def buses_of(settings: Settings, routes: Routes) -> list[str]:
    """Every bus that events may be put on: the one of the settings and those that routes name."""
    named: dict[str, Any] = {settings.eventbus_name: None}
    for route in routes:
        if route.texts.event_bus:
            named[route.texts.event_bus] = None
    return list(named)
