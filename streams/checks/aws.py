"""This module looks at each thing the pipeline needs, and says how to fix what is wrong.

Start-up runs the checks that a worker's roles need and ends at the first that failed; `check` shows them all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    MetadataRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)

from clients.aws.answers import (
    AWS_ERRORS,
    CLIENT_ERRORS,
    NOT_OPENED,
    AwsConfigurationError,
    NoAnswerError,
    NoCredentialsGivenError,
    error_code,
    http_status,
    reason,
)
from clients.aws.client import open_client
from clients.aws.cloudwatch import try_put
from clients.aws.events.custom_bus import open_buses
from clients.aws.events.eventbridge import EventBridge
from clients.aws.sqs_receiver import QueueReceiver, ReceivedMessage, region_of
from clients.aws.sqs_sender import MAX_BYTES, QueueSender
from clients.network import why_unreachable
from processors.delivery.refusals import ACCESS, MISSING, base_code, is_throttling, remedy
from processors.routes.routes import Routes
from processors.routes.target import Target
from settings import Settings
from streams.checks.finding import Finding

#: Days that a queue of events should keep them: as long as Genesys itself does when AWS is unreachable.
SOURCE_DAYS = 4

NO_BUS = "create it, or fix EVENTBUS_NAME or the route's event-bus"

#: Who gives the credentials fails, whatever else is reached.
NOT_GIVEN = (NoCredentialsGivenError, CredentialRetrievalError, MetadataRetrievalError, SSOError, TokenRetrievalError)

NO_QUEUE = "create it or fix DLQ_QUEUE_URL"


async def check_buses(
    settings: Settings, buses: Sequence[str], targets: Mapping[str, Target] | None = None, *, tries: bool = False
) -> list[Finding]:
    """Describe each bus: PutEvents to an unknown one can answer success and lose the event.

    `targets`: how buses are reached that are not simply ours. `tries`: ask as well whether events may be put on it, by
    an entry that no bus takes.
    """
    try:
        async with open_buses(settings, lambda: targets or {}) as client:
            bridge = EventBridge(client)
            findings = [await probe_bus(bridge, bus) for bus in buses]
            if tries:
                findings = [await _try_bus(bridge, bus, one) for bus, one in zip(buses, findings, strict=True)]
            return findings
    except NOT_OPENED as error:
        return [aws_failed("event bus", error, "")]


async def check_queue(settings: Settings, *, tries: bool = False) -> list[Finding]:
    """Look at the dead-letter queue.

    `tries`: ask as well whether it may be sent to, by a message that no queue takes.
    """
    if settings.dlq_queue_url is None:
        return [Finding("queue", True, "none: failures stay in Kafka only", "set DLQ_QUEUE_URL to mirror them")]
    try:
        async with open_client(settings, "sqs") as client:
            queue = QueueSender(client, settings.dlq_queue_url, on_trouble=lambda _: None)
            found = await probe_queue(queue)
            return [await _try_queue(queue, found) if tries and found.ok else found]
    except NOT_OPENED as error:
        return [aws_failed(queue_name(settings.dlq_queue_url), error, "")]


async def probe_queue(queue: QueueSender) -> Finding:
    """Whether the queue is there; a role that may send but not look is enough."""
    name = queue_name(queue.url)
    try:
        attributes = await queue.describe()
    except AWS_ERRORS as error:
        code = base_code(error_code(error))
        if code in ("NonExistentQueue", "QueueDoesNotExist"):
            return Finding(name, False, "does not exist", NO_QUEUE, missing=True)
        if code in ACCESS:
            fix = "allow sqs:GetQueueAttributes, so that its limits and its loss are known"
            return Finding(name, True, f"may not be looked at: AWS answered {error_code(error)}", fix)
        return aws_failed(name, error, "sqs:GetQueueAttributes and sqs:SendMessage", NO_QUEUE)
    waiting = attributes.get("ApproximateNumberOfMessages", "?")
    kind, longest = "FIFO" if queue.is_fifo else "standard", queue.max_bytes
    detail = f"{kind}, {waiting} message(s) waiting"
    if longest < MAX_BYTES:
        return Finding(name, True, f"{detail}, none longer than {longest} bytes",
                       f"set its MaximumMessageSize to {MAX_BYTES}: longer records are shortened")  # fmt: skip
    return Finding(name, True, detail)


async def _try_queue(queue: QueueSender, found: Finding) -> Finding:
    try:
        await queue.try_send()
    except AWS_ERRORS as error:
        return aws_failed(found.name, error, "sqs:SendMessage, and kms:GenerateDataKey on the queue's key", NO_QUEUE)
    return found


async def check_cloudwatch(settings: Settings) -> list[Finding]:
    """Ask whether metrics may be put, by a request that holds none."""
    name = f"CloudWatch namespace {settings.metrics_namespace}"
    if not settings.cloudwatch_enabled:
        return [Finding("CloudWatch", True, "not used: CLOUDWATCH_ENABLED=false")]
    try:
        async with open_client(settings, "cloudwatch") as client:
            await try_put(client, settings.metrics_namespace)
    except CLIENT_ERRORS as error:
        return [aws_failed(name, error, "cloudwatch:PutMetricData for the namespace, or set CLOUDWATCH_ENABLED=false")]
    return [Finding(name, True, "metrics may be put")]


async def check_source_queue(settings: Settings, url: str, *, tries: bool) -> list[Finding]:
    """Look at the queue that events come from. `tries`: receive a message, and let it be received again at once."""
    name = f"source queue {url.rpartition('/')[2]}"
    try:
        async with open_client(settings, "sqs", region=region_of(url)) as client:
            attributes = await QueueSender(client, url, on_trouble=lambda _: None).describe()
            if tries:
                await _try_to_read(client, url)
    except CLIENT_ERRORS as error:
        rights = "sqs:GetQueueAttributes, ReceiveMessage, DeleteMessage and ChangeMessageVisibility"
        missing = "create it, or fix the URL in GENESYS_SOURCE"
        if base_code(error_code(error)) in MISSING:
            return [Finding(name, False, "does not exist", missing)]
        return [aws_failed(name, error, rights, missing)]
    waiting, held = (attributes.get(f"ApproximateNumberOfMessages{one}", "?") for one in ("", "NotVisible"))
    days = int(attributes.get("MessageRetentionPeriod", 0)) / 86_400
    fix = (
        ""
        if days >= SOURCE_DAYS
        else f"raise MessageRetentionPeriod: an outage of ours over {days:g} days loses events"
    )
    return [Finding(name, True, f"{waiting} message(s) waiting, {held} being read, kept for {days:g} days", fix)]


async def _try_to_read(client: Any, url: str) -> None:
    """Use each right of a reader; what is asked to be deleted is no message."""
    queue = QueueReceiver(client, url, visibility_s=0, wait_s=0)
    nobody = ReceivedMessage("none", "", "no-receipt", 0, None)
    await queue.receive(1)
    await queue.delete([nobody])
    await queue.release([nobody])


async def probe_bus(bridge: EventBridge, bus: str) -> Finding:
    """Whether the bus is there; one that may not be described, as it may be another account's, is taken on trust."""
    name = f"event bus {bus}"
    try:
        return Finding(name, True, await bridge.describe(bus))
    except AWS_ERRORS as error:
        code = base_code(error_code(error))
        if code in ACCESS:
            fix = "allow events:DescribeEventBus where it is yours: a lost bus loses events without a word"
            return Finding(name, True, f"may not be described: AWS answered {error_code(error)}", fix)
        if code == "ResourceNotFound":
            if await _is_foreign(bridge, bus):
                return Finding(name, True, "is another account's, which this one may not describe",
                               "look there whether it exists: a lost bus loses events without a word")  # fmt: skip
            return Finding(name, False, "does not exist", NO_BUS, missing=True)
        return aws_failed(name, error, "events:DescribeEventBus and events:PutEvents", NO_BUS)


async def _is_foreign(bridge: EventBridge, bus: str) -> bool:
    """Whether an ARN names another account's bus, by the account of ours; what cannot be told is believed."""
    parts = bus.split(":")
    if len(parts) < 6:
        return False
    try:
        return (await bridge.describe("default")).split(":")[4:5] != [parts[4]]
    except AWS_ERRORS:
        return True


async def _try_bus(bridge: EventBridge, bus: str, found: Finding) -> Finding:
    if not found.ok:
        return found
    try:
        await bridge.try_put(bus)
    except AWS_ERRORS as error:
        return aws_failed(found.name, error, f"events:PutEvents on {bus}", NO_BUS)
    return found


def aws_failed(name: str, error: Exception, permission: str, missing: str = "fix the name in the settings") -> Finding:
    """What AWS answered, or what kept it from answering, with what to do. `permission`: the action to allow."""
    if isinstance(error, AwsConfigurationError):
        detail, _, fix = str(error).rpartition(": ")
        return Finding(name, False, detail, fix)
    if isinstance(error, ClientError):
        code = error_code(error)
        unreachable = (http_status(error) or 0) >= 500 or is_throttling(code)
        fix = "try again in a while" if unreachable else remedy(code, permission, missing)
        return Finding(name, False, reason(error), fix, unreachable)
    if isinstance(error, NoCredentialsError):
        return Finding(name, False, "no AWS credentials", "set AWS_PROFILE, AWS_ACCESS_KEY_ID … or run with a role")
    if isinstance(error, PartialCredentialsError):
        return Finding(name, False, reason(error), "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY together")
    kept = None if isinstance(error, NOT_GIVEN) else why_unreachable(error)
    if kept is not None:
        return Finding(name, False, f"AWS is not reached: {kept.words}", kept.fix, unreachable=True)
    detail = str(error) if isinstance(error, NoAnswerError) else f"AWS does not answer: {reason(error)}"
    return Finding(name, False, detail, _fix(error), unreachable=True)


def _fix(error: Exception) -> str:
    if isinstance(error, SSOError | TokenRetrievalError):
        return "run `aws sso login` for AWS_PROFILE"
    if isinstance(error, MetadataRetrievalError):
        return "look at the role and the metadata service of the machine or container"
    if isinstance(error, NOT_GIVEN):
        return "look at the credential_process, role or endpoint that AWS's config file and environment name"
    return "fix the network, AWS_REGION or AWS_ENDPOINT_URL" if isinstance(error, BotoCoreError) else ""


def queue_name(url: str) -> str:
    """What findings call a queue."""
    return f"queue {url.rpartition('/')[2]}"


def buses_of(settings: Settings, routes: Routes) -> list[str]:
    """Every bus that events may be put on: the one of the settings and those that routes name."""
    named: dict[str, Any] = {settings.eventbus_name: None}
    for route in routes:
        if route.texts.event_bus:
            named[route.texts.event_bus] = None
    return list(named)
