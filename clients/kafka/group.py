"""This module asks about the consumer group: whether it may be used, without which right a consumer waits for ever in
silence, and how far it has come.
"""

from __future__ import annotations

from collections.abc import Collection

from aiokafka import TopicPartition
from aiokafka.errors import GroupAuthorizationFailedError, GroupLoadInProgressError, for_code
from aiokafka.protocol.group import HeartbeatRequest

from clients.kafka.admin import open_admin
from settings import Settings

#: A member that no group has: the brokers look at the right first, and then answer that they do not know it.
_NOBODY = "genesys-eventbridge-check"


async def may_use_group(settings: Settings) -> bool:
    """Whether the brokers let this login find and join its group; nothing is changed. Raises KafkaError."""
    async with open_admin(settings) as admin:
        try:
            coordinator = await admin.find_coordinator(settings.group)
            answer = await admin._send_request(HeartbeatRequest(settings.group, 0, _NOBODY), coordinator)
        except GroupAuthorizationFailedError:
            return False
    return for_code(answer.error_code) is not GroupAuthorizationFailedError


async def committed(settings: Settings, places: Collection[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """The offset that the group has committed on each of these partitions, where it has any. Raises KafkaError."""
    wanted = [TopicPartition(topic, partition) for topic, partition in places]
    async with open_admin(settings) as admin:
        found = await admin.list_consumer_group_offsets(settings.group, partitions=wanted)
    if len(found) < len(wanted):  # an error of the whole answer, which aiokafka reads over (offset_fetch.py)
        raise GroupLoadInProgressError(settings.group)
    return {(place.topic, place.partition): one.offset for place, one in found.items() if one.offset >= 0}
