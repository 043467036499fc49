"""This module looks after the worker itself: are the brokers there, and does the work go on.

Trouble with a service is waited out where it is met. What stands still without any, a batch or the commits, is a bug:
the process ends (exit 70), so that its supervisor starts it again, instead of idling as a member of the group.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any

from streams.delivery.ledger import STALL_S
from streams.exit import die
from streams.health import Health

#: Seconds between two looks.
CHECK_S = 10.0

#: The parts that health names.
PART, TOPICS = "brokers", "topics"

#: Seconds without an answer to a record, though brokers and topics are there, after which the client is not believed.
SILENT_S = 1_800.0

#: What commits and assignments wait for while it is in trouble.
KAFKA = ("kafka", PART, TOPICS)


class StalledError(Exception):
    """The work stands still, and nothing that is known to be in trouble holds it up."""


@dataclass(frozen=True, slots=True)
class StallProbes:
    """Where work can stand still: each says for how long it does, or the ledger why."""

    stalled: Callable[[], str | None]
    silent_s: Callable[[], float]
    rebalancing_s: Callable[[], float]
    uncommitted_s: Callable[[], float]


class Watchdog:
    """Looks after one worker. `kafka` gives the client that knows brokers and topics, of which `needed` must exist."""

    def __init__(
        self,
        probes: StallProbes,
        health: Health,
        kafka: Callable[[], Awaitable[Any]],
        needed: Collection[str],
        *,
        patience_s: float = CHECK_S,
        die: Callable[[str, BaseException], Any] = die,
    ) -> None:
        self._probes, self._health, self._kafka, self._needed = probes, health, kafka, needed
        self._patience_s, self._die = patience_s, die

    def standstill(self) -> str | None:
        """What stands still in this worker; None while all goes on."""
        probes, health = self._probes, self._health
        if (reason := probes.stalled()) is not None:
            return reason
        if (seconds := min(probes.silent_s(), health.seconds_healthy((PART, TOPICS)))) > SILENT_S:
            return f"Kafka has not answered for {seconds:.0f} s, though its brokers are there"
        healthy = health.seconds_healthy(KAFKA)
        if (seconds := min(probes.rebalancing_s(), healthy)) > STALL_S:
            return f"the assignment of partitions has been under way for {seconds:.0f} s"
        seconds = min(probes.uncommitted_s(), healthy)
        return f"offsets have not been committed for {seconds:.0f} s" if seconds > STALL_S else None

    async def check(self) -> None:
        """Tell health of brokers and topics, and end the process when it stands still though all are there."""
        client = await self._kafka()
        for name in self._needed:
            client.add_topic(name)  # the producer asks only for those that it writes to
        if not await self._brokers_answer(client):
            self._health.trouble(PART, "no broker answers")
            return
        self._health.healthy(PART)
        if gone := await self._missing_topics(client):
            self._health.trouble(
                TOPICS, f"gone: {', '.join(gone)}; make them again, or start another worker, which does so"
            )
            return
        self._health.healthy(TOPICS)
        if (reason := self.standstill()) is not None:
            self._die("the watchdog", StalledError(reason))

    async def _brokers_answer(self, client: Any) -> bool:
        try:
            return bool(await asyncio.wait_for(client.force_metadata_update(), self._patience_s))
        except TimeoutError:
            return False

    async def _missing_topics(self, client: Any) -> list[str]:
        """Topics of the group that the brokers do not know any more: consumers wait for them without a word."""
        missing = self._unknown(client)
        if missing and await self._brokers_answer(client):  # an answer that was under way may not tell of all
            missing = self._unknown(client)
        return missing

    def _unknown(self, client: Any) -> list[str]:
        known = client.cluster.topics()
        return [name for name in self._needed if name not in known]
