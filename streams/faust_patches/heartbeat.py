"""This module knows whether the group surely counts this worker in: a heartbeat was answered within the session.

A process that stood still, or was cut off from Kafka, may have heirs that it has not heard of. What it sent before it
has asked would be sent twice. So who sends looks here first, and waits for the next heartbeat's answer
(streams/delivery/membership.py).

Stock aiokafka waits for that answer as for any other, 30 s, while a coordinator that took the group over from a broker
which stands still has the member out after the session's 8 s. Here half a session is enough to look for it.

apply.py puts each function in the place of the method that its docstring names.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from aiokafka.consumer.group_coordinator import CoordinatorGroupRebalance, GroupCoordinator
from aiokafka.errors import IllegalGenerationError

_NEVER = -float("inf")

_do_heartbeat = GroupCoordinator._do_heartbeat
_do_commit_offsets = GroupCoordinator._do_commit_offsets
_reset_generation = GroupCoordinator.reset_generation
_send_sync_group_request = CoordinatorGroupRebalance._send_sync_group_request


def is_certain(consumer: Any) -> bool:
    """Whether nobody else can have been given this worker's partitions because it was not heard of."""
    coordinator = consumer._thread._ensure_consumer()._coordinator
    known_at: float = getattr(coordinator, "known_at", _NEVER)
    session_s: float = coordinator._session_timeout_ms / 1000
    return time.monotonic() - known_at < session_s


async def do_heartbeat(self: Any) -> bool:
    """Ask whether this worker is a member, and note when (`GroupCoordinator._do_heartbeat`)."""
    asked_at = time.monotonic()
    try:
        async with asyncio.timeout(self._session_timeout_ms / 2000):
            is_member: bool = await _do_heartbeat(self)
    except TimeoutError:
        self.coordinator_dead()
        return False
    if is_member:
        self.known_at = asked_at
    return is_member


async def send_sync_group_request(self: Any, request: Any) -> Any:
    """Ask for partitions, which makes a member (`CoordinatorGroupRebalance._send_sync_group_request`)."""
    asked_at = time.monotonic()
    assignment = await _send_sync_group_request(self, request)
    if assignment is not None:
        self._coordinator.known_at = asked_at
    return assignment


async def do_commit_offsets(self: Any, assignment: Any, offsets: Any) -> None:
    """Commit as a member or not at all (`GroupCoordinator._do_commit_offsets`).

    A group without members takes commits of anybody: an old worker's would set an offset back that its heir, who has
    ended since, had brought further. Who never joins, and names its partitions itself, may commit.
    """
    if self.generation < 0 and self._subscription.partitions_auto_assigned():
        raise IllegalGenerationError(self.group_id)
    await _do_commit_offsets(self, assignment, offsets)


def reset_generation(self: Any) -> None:
    """The group does not know this worker any more (`GroupCoordinator.reset_generation`)."""
    self.known_at = _NEVER
    _reset_generation(self)
