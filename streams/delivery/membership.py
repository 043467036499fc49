"""This module holds back what would be sent twice, while this worker may have heirs that it has not heard of.

A worker that stood still, or whose heartbeats nobody answers, cannot tell whether its partitions are its own any more
(streams/faust_patches/heartbeat.py). It waits for the next answer before it sends on: then either it is a member, or a
rebalance begins, and what it has not sent is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from streams.delivery.buffer import Batch


class Membership:
    """`is_certain`: whether nobody else can have this worker's partitions; `generation` gives the group's.

    `keep_pace` returns when what is sent can be acked soon (streams/delivery/ledger.py).
    """

    #: Seconds between two looks, while a heartbeat's answer is overdue.
    look_s = 0.05

    def __init__(
        self, is_certain: Callable[[], bool], generation: Callable[[], int], keep_pace: Callable[[], Awaitable[None]]
    ) -> None:
        self._is_certain, self._generation, self._keep_pace = is_certain, generation, keep_pace

    async def may_send(self, batch: Batch) -> bool:
        """Wait until the batch is surely this worker's; False when it is left to its heir, as after a rebalance."""
        while batch.generation == self._generation() and not batch.is_left:
            if self._is_certain():
                return True
            await asyncio.sleep(self.look_s)
        return False

    async def may_publish(self) -> None:
        """Wait until more may be put on a bus; what is left meanwhile is withdrawn."""
        await self._keep_pace()
        while not self._is_certain():  # noqa: ASYNC110  # another thread hears of it
            await asyncio.sleep(self.look_s)
