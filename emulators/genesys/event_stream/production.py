"""This module produces the stream's events at the set rate and queues them with every subscription."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator

import orjson

from emulators.genesys.event_stream.events import GeneratedEvent
from emulators.genesys.event_stream.ledger import StreamEvent
from emulators.genesys.event_stream.subscriptions import Subscription

TICK_SECONDS = 0.02
MAX_PER_TICK = 2_000
"""Bounds how long one tick keeps the loop; rates above 100,000 events/s are not reached by this clock."""
BARREN = 1_000
"""So many events in a row that no subscription wants end one pull: a filter may fit nothing at all."""


class Production:
    """Production begins with the first subscription and ends after `count` events (None = never).

    With rate 0 nothing is made ahead: a reader that finds its queue empty pulls as many as it can write.
    """

    def __init__(self, source: Iterator[GeneratedEvent], rate: float, count: int | None) -> None:
        self.rate = rate
        self.count = count
        self.produced: Counter[str] = Counter()
        self.subscriptions: dict[str, Subscription] = {}
        self._source = source

    @property
    def ended(self) -> bool:
        return self.count is not None and self.produced.total() >= self.count

    def finish(self) -> None:
        """No further events."""
        self.count = self.produced.total()

    async def run(self) -> None:
        """Produce at `rate` until cancelled; a new rate counts from the next tick on."""
        loop = asyncio.get_running_loop()
        last, owed = loop.time(), 0.0
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = loop.time()
            owed = owed + (now - last) * self.rate if self.subscriptions else 0.0
            last = now
            owed -= self.produce(min(int(owed), MAX_PER_TICK))

    def pull(self, subscription: Subscription, wanted: int) -> None:
        """At rate 0, make events until `wanted` wait for this reader."""
        if self.rate == 0 and len(subscription.waiting) < wanted:
            self.produce(wanted - len(subscription.waiting))

    def produce(self, wanted: int) -> int:
        """Make up to `wanted` events that a subscription takes; answers how many were due and are settled."""
        barren = made = 0
        while made < wanted and barren < BARREN and not self.ended:
            taken = self._offer(next(self._source))
            made += taken
            barren = 0 if taken else barren + 1
        return max(made, wanted if self.ended or barren else 0)

    def _offer(self, generated: GeneratedEvent) -> bool:
        takers = [one for one in self.subscriptions.values() if one.definition.wants(generated.event)]
        if takers:
            self.produced[generated.kind] += 1
            entry = StreamEvent(generated.kind, generated.event["id"], orjson.dumps(generated.event))
            for subscription in takers:
                subscription.put(entry)
        return bool(takers)
