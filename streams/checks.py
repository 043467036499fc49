"""This module looks at each thing the pipeline needs, and says how to mend what is wrong.

Start-up runs the checks that a worker's roles need and ends at the first that failed; `check` shows them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.errors import KafkaError

from clients.aws import AWS_ERRORS, AwsConfigurationError, error_code, is_unanswered, open_client, status
from clients.eventbridge import EventBridge
from clients.genesys.errors import GenesysError
from clients.genesys.rest import GenesysRest
from clients.schema_registry import fetch_schemas
from clients.sqs import Queue
from processors.errors import RouteError
from processors.event import JsonObject
from processors.route import Routes
from streams import kafka
from streams.routes import load_routes, registry_names
from streams.settings import Settings, SettingsError


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


async def check_routes(settings: Settings) -> tuple[Routes | None, list[Finding]]:
    """Load every route, with its schema from the registry where it asks for one, and run its examples."""
    try:
        wanted = registry_names(settings.routes_dir) if settings.routes_dir.is_dir() else []
        schemas = await _registry(settings, wanted)
        routes = load_routes(settings.routes_dir, schemas)
    except RouteError as error:
        return None, [Finding("routes", False, str(error))]
    except AWS_ERRORS as error:
        return None, [_aws_failed("schema registry", error, "allow schemas:DescribeSchema, or name a file in route.toml")]
    except AwsConfigurationError as error:
        return None, [Finding("schema registry", False, str(error))]
    findings = [
        Finding(
            f"route {route.name}",
            True,
            f"{len(route.texts.examples)} examples hold, {route.engine} engine"
            + (f" ({route.engine_reason})" if route.engine_reason else ""),
        )
        for route in routes
    ]
    if wanted:
        findings.append(Finding("schema registry", True, ", ".join(wanted)))
    return routes, findings


async def check_kafka(settings: Settings, topics: Iterable[str]) -> tuple[kafka.Cluster | None, list[Finding]]:
    """Look whether brokers answer and which topics are missing."""
    where = settings.kafka_bootstrap_servers
    try:
        cluster = await kafka.describe(settings)
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


async def check_genesys(settings: Settings) -> list[Finding]:
    """Fetch a token. Permissions of single topics are the source's to find out."""
    if settings.genesys_source not in ("notifications", "stream"):
        return [Finding("genesys", True, f"not used: GENESYS_SOURCE={settings.genesys_source}")]
    try:
        async with GenesysRest.from_settings(settings) as rest:
            await rest.token()
    except (SettingsError, GenesysError) as error:
        return [Finding("genesys", False, str(error))]
    return [Finding("genesys", True, f"token from {settings.login_url}")]


async def check_buses(settings: Settings, buses: Sequence[str]) -> list[Finding]:
    """Describe each bus: PutEvents to an unknown one can answer success and lose the event."""
    findings = []
    try:
        async with open_client(settings, "events") as client:
            for bus in buses:
                findings.append(await _check_bus(EventBridge(client), bus))
    except AwsConfigurationError as error:
        return [Finding("event bus", False, str(error))]
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
        return [Finding(name, False, str(error))]
    except AWS_ERRORS as error:
        if "NonExistentQueue" in error_code(error) or "QueueDoesNotExist" in error_code(error):
            return [Finding(name, False, "does not exist", "create it or mend DLQ_QUEUE_URL")]
        return [_aws_failed(name, error, "allow sqs:GetQueueAttributes and sqs:SendMessage")]
    waiting = attributes.get("ApproximateNumberOfMessages", "?")
    return [Finding(name, True, f"{'FIFO' if queue.is_fifo else 'standard'}, {waiting} message(s) waiting")]


async def _check_bus(bridge: EventBridge, bus: str) -> Finding:
    name = f"event bus {bus}"
    try:
        return Finding(name, True, await bridge.describe(bus))
    except AWS_ERRORS as error:
        if error_code(error) == "ResourceNotFoundException":
            return Finding(name, False, "does not exist", "create it, or mend EVENTBUS_NAME or the route's event-bus")
        return _aws_failed(name, error, "allow events:DescribeEventBus and events:PutEvents")


def _aws_failed(name: str, error: Exception, permission: str) -> Finding:
    code = error_code(error)
    if "Credentials" in type(error).__name__:
        return Finding(name, False, "no AWS credentials", "set AWS_PROFILE, AWS_ACCESS_KEY_ID … or run with a role")
    if is_unanswered(error) and status(error) is None:
        fix = "mend the network, AWS_REGION or AWS_ENDPOINT_URL"
        return Finding(name, False, f"AWS does not answer: {code}", fix, away=True)
    away = (status(error) or 0) >= 500 or "Throttl" in code
    return Finding(name, False, f"AWS answered {code}", "" if away else permission, away)


async def _registry(settings: Settings, wanted: list[str]) -> dict[str, JsonObject]:
    if not wanted:
        return {}
    async with open_client(settings, "schemas") as client:
        return await fetch_schemas(client, wanted)


def buses_of(settings: Settings, routes: Routes) -> list[str]:
    """Every bus that events may be put on: the one of the settings and those that routes name."""
    named: dict[str, Any] = {settings.eventbus_name: None}
    for route in routes:
        if route.texts.event_bus:
            named[route.texts.event_bus] = None
    return list(named)
