"""This module reads what the group has committed, and takes no refusal for a group that has committed nothing.

A broker that is not the group's coordinator, or not yet (it loads the group after another one has gone), answers
OffsetFetch with an error of the whole answer and no partition in it (from version 2 on, KIP-88). aiokafka 0.14 reads
the partitions alone (aiokafka/consumer/group_coordinator.py, aiokafka/admin/client.py): then nothing was
committed, and all that a topic holds is read from its beginning once more.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError, for_code
from aiokafka.structs import OffsetAndMetadata

_do_fetch = GroupCoordinator._do_fetch_commit_offsets

#: Another broker is the coordinator by now.
_ELSEWHERE = (NotCoordinatorForGroupError, GroupCoordinatorNotAvailableError)


async def do_fetch(self: Any, partitions: Collection[TopicPartition]) -> dict[TopicPartition, OffsetAndMetadata]:
    """Ask once for the committed offset of each partition that has one (`GroupCoordinator._do_fetch_commit_offsets`).

    Raises KafkaError, also for an error of the whole answer.
    """
    found: dict[TopicPartition, OffsetAndMetadata] = await _do_fetch(_WholeAnswers(self), partitions)
    return found


class _WholeAnswers:
    """A coordinator whose answers raise when they are errors as a whole."""

    def __init__(self, coordinator: Any) -> None:
        self._coordinator = coordinator
        self.group_id, self.coordinator_dead = coordinator.group_id, coordinator.coordinator_dead

    async def _send_req(self, request: Any) -> Any:
        answer = await self._coordinator._send_req(request)
        if code := getattr(answer, "error_code", 0):
            error = for_code(code)
            if issubclass(error, _ELSEWHERE):
                self.coordinator_dead()
            raise error(self.group_id)
        return answer
