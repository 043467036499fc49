"""This module is the list of operations: what the emulator can be called for."""

from __future__ import annotations

from emulators.aws.calls import Handler, Service
from emulators.aws.sqs.administration import Administration
from emulators.aws.sqs.receiving import Receiving
from emulators.aws.sqs.sending import Sending
from emulators.aws.state import AccountState

Operations = dict[tuple[Service, str], Handler]


def operations(state: AccountState) -> Operations:
    """What product, demo and tests call, but PutEvents, which the front logs request by request."""
    return _queue_operations(state) | {
        ("events", "DescribeEventBus"): state.buses.describe,
        ("eventsv2", "DescribeEventBus"): state.custom_buses.describe,
        ("monitoring", "PutMetricData"): state.metrics.put,
        ("schemas", "DescribeSchema"): state.schemas.describe,
        ("schemas", "CreateSchema"): state.schemas.create,
        ("schemas", "UpdateSchema"): state.schemas.update,
    }


def _queue_operations(state: AccountState) -> Operations:
    administration = Administration(state.queues)
    sending = Sending(state.queues, state.active, state.clock)
    receiving = Receiving(state.queues)
    return {
        ("sqs", "DeleteQueue"): administration.delete,
        ("sqs", "GetQueueUrl"): administration.url,
        ("sqs", "GetQueueAttributes"): administration.attributes,
        ("sqs", "SendMessage"): sending.send,
        ("sqs", "SendMessageBatch"): sending.send_batch,
        ("sqs", "ReceiveMessage"): receiving.receive,
        ("sqs", "DeleteMessageBatch"): receiving.delete_batch,
        ("sqs", "ChangeMessageVisibilityBatch"): receiving.change_visibility_batch,
    }
