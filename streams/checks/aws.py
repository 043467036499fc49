"""This module looks at each thing the pipeline needs, and says how to fix what is wrong.

Start-up runs the checks that a worker's roles need and ends at the first that failed; `check` shows them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clients.aws.client import AWS_ERRORS, AwsConfigurationError, error_code, is_unanswered, open_client, status
from clients.aws.eventbridge import EventBridge
from clients.aws.sqs_receiver import QueueReceiver, ReceivedMessage, region_of
from clients.aws.sqs_sender import Queue
from processors.routes.routes import Routes
from settings import Settings
from streams.checks.finding import Finding

#: Days that a queue of events should keep them: as long as Genesys itself does when AWS is away.
SOURCE_DAYS = 4


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
            return [Finding(name, False, "does not exist", "create it or fix DLQ_QUEUE_URL")]
        return [aws_failed(name, error, "allow sqs:GetQueueAttributes and sqs:SendMessage")]
    waiting = attributes.get("ApproximateNumberOfMessages", "?")
    return [Finding(name, True, f"{'FIFO' if queue.is_fifo else 'standard'}, {waiting} message(s) waiting")]


async def check_source_queue(settings: Settings, url: str, *, tries: bool) -> list[Finding]:
    """Look at the queue that events come from. `tries`: receive a message, and let it be received again at once."""
    name = f"source queue {url.rpartition('/')[2]}"
    try:
        async with open_client(settings, "sqs", region=region_of(url)) as client:
            attributes = await Queue(client, url, on_trouble=lambda _: None).describe()
            if tries:
                await _try_to_read(client, url)
    except AwsConfigurationError as error:
        return [misconfigured(name, error)]
    except AWS_ERRORS as error:
        if "NonExistentQueue" in error_code(error) or "QueueDoesNotExist" in error_code(error):
            return [Finding(name, False, "does not exist", "create it, or fix the URL in GENESYS_SOURCE")]
        rights = "sqs:GetQueueAttributes, ReceiveMessage, DeleteMessage and ChangeMessageVisibility"
        return [aws_failed(name, error, f"allow {rights}")]
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


async def _check_bus(bridge: EventBridge, bus: str) -> Finding:
    name = f"event bus {bus}"
    try:
        return Finding(name, True, await bridge.describe(bus))
    except AWS_ERRORS as error:
        if error_code(error) == "ResourceNotFoundException":
            return Finding(name, False, "does not exist", "create it, or fix EVENTBUS_NAME or the route's event-bus")
        return aws_failed(name, error, "allow events:DescribeEventBus and events:PutEvents")


def aws_failed(name: str, error: Exception, permission: str) -> Finding:
    """What AWS answered; `permission` says what to do when it is a refusal."""
    code = error_code(error)
    if "Credentials" in type(error).__name__:
        return Finding(name, False, "no AWS credentials", "set AWS_PROFILE, AWS_ACCESS_KEY_ID … or run with a role")
    if is_unanswered(error) and status(error) is None:
        fix = "fix the network, AWS_REGION or AWS_ENDPOINT_URL"
        return Finding(name, False, f"AWS does not answer: {code}", fix, unreachable=True)
    unreachable = (status(error) or 0) >= 500 or "Throttl" in code
    return Finding(
        name, False, f"AWS answered {code}", "try again in a while" if unreachable else permission, unreachable
    )


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
