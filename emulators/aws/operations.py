"""This module is the list of operations: what the emulator can be called for."""

from __future__ import annotations

from emulators.aws.calls import Handler, Service
from emulators.aws.identity import Identity
from emulators.aws.sqs.administration import Administration
from emulators.aws.sqs.receiving import Receiving
from emulators.aws.sqs.sending import Sending
from emulators.aws.state import State

Operations = dict[tuple[Service, str], Handler]


def operations(state: State) -> Operations:
    """Every operation but PutEvents, which the front logs request by request."""
    buses, schemas = state.buses, state.schemas
    return _queue_operations(state) | {
        ("events", "DescribeEventBus"): buses.describe,
        ("events", "CreateEventBus"): buses.create,
        ("events", "DeleteEventBus"): buses.delete,
        ("events", "ListEventBuses"): buses.list,
        ("monitoring", "PutMetricData"): state.metrics.put,
        ("schemas", "DescribeSchema"): schemas.describe,
        ("schemas", "ExportSchema"): schemas.export,
        ("schemas", "ListSchemaVersions"): schemas.versions,
        ("sts", "GetCallerIdentity"): Identity(state.account).caller,
    }


def _queue_operations(state: State) -> Operations:
    administration = Administration(state.queues, state.clock)
    sending = Sending(state.queues, state.book, state.clock)
    receiving = Receiving(state.queues)
    return {
        ("sqs", "CreateQueue"): administration.create,
        ("sqs", "DeleteQueue"): administration.delete,
        ("sqs", "GetQueueUrl"): administration.url,
        ("sqs", "ListQueues"): administration.list,
        ("sqs", "GetQueueAttributes"): administration.attributes,
        ("sqs", "SetQueueAttributes"): administration.set_attributes,
        ("sqs", "PurgeQueue"): administration.purge,
        ("sqs", "SendMessage"): sending.send,
        ("sqs", "SendMessageBatch"): sending.send_batch,
        ("sqs", "ReceiveMessage"): receiving.receive,
        ("sqs", "DeleteMessage"): receiving.delete,
        ("sqs", "DeleteMessageBatch"): receiving.delete_batch,
        ("sqs", "ChangeMessageVisibility"): receiving.change_visibility,
        ("sqs", "ChangeMessageVisibilityBatch"): receiving.change_visibility_batch,
    }
