"""This module looks at each thing the pipeline needs, and says how to mend what is wrong.

Start-up runs the checks that a worker's roles need and ends at the first that failed; `check` shows them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clients.aws.client import AWS_ERRORS, AwsConfigurationError, error_code, is_unanswered, open_client, status
from clients.aws.eventbridge import EventBridge
from clients.aws.sqs_sender import Queue
from processors.routes.routes import Routes
from settings import Settings
from streams.checks.finding import Finding


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
