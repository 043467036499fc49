"""This module is what is put on `raw`: so many events of some size, all at once or at a rate."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from confluent_kafka import Producer

from tests.kafka import ledger

#: Of a hundred events, so many are published; the next few fail their schema, the others are filtered.
PUBLISHED, FAILED = 58, 2


@dataclass(frozen=True, slots=True)
class Load:
    """What goes through: how many events of how many bytes, on how many partitions, tried on how many routes.

    `rate`: how many a second; 0: as fast as they can be written. `together`: the five events of a conversation come
    directly behind each other, so that each waits for the one before it; else they are as far apart as can be.
    """

    events: int = 40_000
    size: int = 500
    partitions: int = 4
    routes: int = 1
    rate: float = 0.0
    together: bool = True

    def numbers(self, first: int = 0) -> Iterator[int]:
        """The events from `first` on, in the order in which they are written."""
        step = 1 if self.together else ledger.PER_INTERACTION
        return (first + number for start in range(step) for number in range(start, self.events, step))


def event(number: int, size: int, sent_at: int | None = None) -> bytes:
    """One event of about so many bytes; `sent_at` (epoch ms) comes back with the entry."""
    kind = number * 37 % 100
    payload: dict[str, Any] = {
        "type": "voice" if sent_at is None else f"sentAt={sent_at}",
        "priority": "high" if kind < PUBLISHED + FAILED else "normal",
        "routing": {"queue": {"name": "Support"}},
    }
    if PUBLISHED <= kind < PUBLISHED + FAILED:
        del payload["priority"]
        payload["routing"]["queue"]["name"] = "Priority Support"
    made = ledger.event(number) | {"payload": payload}
    return orjson.dumps(made | {"notes": "x" * max(0, size - len(orjson.dumps(made)) - 11)})


def published(number: int) -> int:
    """How many of the first `number` events are published."""
    whole, rest = divmod(number, 100)
    return whole * PUBLISHED + sum(one * 37 % 100 < PUBLISHED for one in range(rest))


def fill(servers: str, topic: str, load: Load, first: int = 0) -> None:
    """Write the events; returns when the brokers have them."""
    producer = Producer({"bootstrap.servers": servers, "acks": "all", "linger.ms": 2 if load.rate else 5})
    began = time.monotonic()
    for written, number in enumerate(load.numbers(first)):
        if load.rate and (ahead := written / load.rate - (time.monotonic() - began)) > 0:
            producer.poll(0)
            time.sleep(ahead)  # the load itself
        now = int(time.time() * 1000)
        value = event(number, load.size, now if load.rate else None)
        headers = [("received-at", str(now).encode())]
        while True:
            try:
                producer.produce(topic, value, ledger.interaction(number).encode(), headers=headers)
                break
            except BufferError:
                producer.poll(0.1)
    producer.flush(120)
