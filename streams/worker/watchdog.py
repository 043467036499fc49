"""This module looks after the worker itself: are the brokers there, and does the work go on.

Trouble with a service is waited out where it is met. What stands still without any, a batch or the commits, is a bug:
the process ends (exit 70), so that its supervisor starts it again, instead of idling as a member of the group.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, cast

from streams.app import app, settings
from streams.delivery.ledger import STALL_S, ledger
from streams.delivery.send import Trouble
from streams.exit import die
from streams.faust_patches.partitions import seconds_uncommitted
from streams.health import health
from streams.topology import needed_topics

#: Seconds between two looks.
LOOK_S = 10.0

#: The parts that health names.
PART, TOPICS = "brokers", "topics"

#: Seconds without an answer to a record, though brokers and topics are there, after which the client is not believed.
SILENT_S = 1_800.0

#: What commits and assignments wait for while it is in trouble.
KAFKA = ("kafka", PART, TOPICS)


class StalledError(Exception):
    """The work stands still, and nothing that is known to be in trouble holds it up."""


class Rebalance:
    """For how long the group's assignment and the recovery of the tables have been under way."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._count, self._since = -1, 0.0

    def seconds(self) -> float:
        """Since it was first seen; 0 when there is none. A new one begins anew."""
        if not app.rebalancing:
            self._count = -1
            return 0.0
        if app.rebalancing_count != self._count:
            self._count, self._since = app.rebalancing_count, self._clock()
        return self._clock() - self._since


rebalance = Rebalance()


def standstill() -> str | None:
    """What stands still in this worker; None while all goes on."""
    if (reason := ledger.stalled()) is not None:
        return reason
    if (seconds := min(Trouble.seconds_silent(), health.seconds_well((PART, TOPICS)))) > SILENT_S:
        return f"Kafka has not answered for {seconds:.0f} s, though its brokers are there"
    well = health.seconds_well(KAFKA)
    if (seconds := min(rebalance.seconds(), well)) > STALL_S:
        return f"the assignment of partitions has been under way for {seconds:.0f} s"
    seconds = min(seconds_uncommitted(app.consumer), well)
    return f"offsets have not been committed for {seconds:.0f} s" if seconds > STALL_S else None


@app.timer(LOOK_S)  # type: ignore[untyped-decorator]  # as Faust declares it
async def watch() -> None:
    """Look again and again."""
    await look()


async def look() -> None:
    """Look once: tell health of brokers and topics, and end the process when it stands still though all are there."""
    client = cast(Any, await app.maybe_start_producer())._producer.client
    for name in needed_topics(settings):
        client.add_topic(name)  # the producer asks only for those that it writes to
    if not await _brokers_answer(client):
        health.trouble(PART, "no broker answers")
        return
    health.well(PART)
    if gone := await _gone(client):
        health.trouble(TOPICS, f"gone: {', '.join(gone)}; make them again, or start another worker, which does so")
        return
    health.well(TOPICS)
    if (reason := standstill()) is not None:
        die("the watchdog", StalledError(reason))


async def _brokers_answer(client: Any) -> bool:
    try:
        return bool(await asyncio.wait_for(client.force_metadata_update(), LOOK_S))
    except TimeoutError:
        return False


async def _gone(client: Any) -> list[str]:
    """Topics of the group that the brokers do not know any more: consumers wait for them without a word."""
    missing = _unknown(client)
    if missing and await _brokers_answer(client):  # an answer that was under way may not tell of all
        missing = _unknown(client)
    return missing


def _unknown(client: Any) -> list[str]:
    known = client.cluster.topics()
    return [name for name in needed_topics(settings) if name not in known]
