"""Tests of what becomes of what a redrive wrote: it is waited for, and what fails again is counted once."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaError

from clients.kafka.ranges import Range
from processors.metrics.lag import PartitionPosition
from settings import Settings
from streams.replay.redriving.outcomes import RedriveOutcomes

RUN = "redrive-1"


class Kafka:
    """A group that ends two records of `raw` at each look, and what `failures` holds."""

    def __init__(self, moves: int = 2) -> None:
        self.committed, self.end, self.moves = 0, 5, moves
        self.failures: list[tuple[int, str]] = []
        self.error: Exception | None = None

    async def measure(self) -> list[PartitionPosition]:
        if self.error:
            raise self.error
        self.committed = min(self.end, self.committed + self.moves)
        return [
            PartitionPosition("genesys.raw", 0, self.committed, self.end),
            PartitionPosition("genesys.validated", 0, self.committed, self.committed),
        ]

    async def range(self, bounds: Any) -> Range:
        return Range("genesys.failures", {0: 0}, {0: len(self.failures)})

    async def chunks(self, what: Range) -> Any:
        records = [
            SimpleNamespace(headers=(("replayed", run.encode()),)) for at, run in self.failures if at >= what.next[0]
        ]
        if records:
            yield records


@pytest.fixture
def kafka() -> Kafka:
    return Kafka()


def looking(kafka: Any, seen: int = 0) -> RedriveOutcomes:
    settings = Settings(genesys_source="none", _env_file=None)  # type: ignore[call-arg]
    made = RedriveOutcomes(settings, kafka, kafka, {0: seen}, RUN)
    made.look_s = 0.0
    return made


async def test_what_failed_again_is_counted_once_all_has_ended(kafka: Kafka):
    kafka.failures = [(0, RUN), (1, "redrive-0"), (2, RUN), (3, "")]
    look = looking(kafka, seen=1)
    assert await look.failed_again(asyncio.Event()) == 1
    assert kafka.committed == kafka.end
    assert await look.failed_again(asyncio.Event()) == 0, "what was told is not told again"
    kafka.failures.append((4, RUN))
    assert await look.failed_again(asyncio.Event()) == 1


async def test_workers_that_end_nothing_are_given_up(kafka: Kafka):
    kafka.moves, look = 0, looking(kafka)
    look.patience_s = 0.05
    said = await look.failed_again(asyncio.Event())
    assert said == "the workers have ended nothing of genesys.raw for 0.05 s"


async def test_who_is_asked_to_stop_waits_no_longer(kafka: Kafka):
    kafka.moves = 0
    stop = asyncio.Event()
    stop.set()
    assert await looking(kafka).failed_again(stop) == "stopped"


async def test_brokers_that_do_not_tell_are_a_reason(kafka: Kafka):
    kafka.error = KafkaError("away")
    assert "Kafka does not say" in str(await looking(kafka).failed_again(asyncio.Event()))
