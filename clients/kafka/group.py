"""This module asks whether the consumer group may be used: without the right a consumer waits for ever, in silence."""

from __future__ import annotations

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupAuthorizationFailedError, for_code
from aiokafka.protocol.group import HeartbeatRequest

from clients.kafka.cluster import REQUEST_MS
from clients.kafka.login import client_options
from settings import Settings

#: A member that no group has: the brokers look at the right first, and then answer that they do not know it.
_NOBODY = "genesys-eventbridge-check"


async def may_use_group(settings: Settings) -> bool:
    """Whether the brokers let this login find and join its group; nothing is changed. Raises KafkaError."""
    admin = AIOKafkaAdminClient(**client_options(settings), request_timeout_ms=REQUEST_MS)
    try:
        await admin.start()
        coordinator = await admin.find_coordinator(settings.group)
        answer = await admin._send_request(HeartbeatRequest(settings.group, 0, _NOBODY), coordinator)
    except GroupAuthorizationFailedError:
        return False
    finally:
        await admin.close()
    return for_code(answer.error_code) is not GroupAuthorizationFailedError
