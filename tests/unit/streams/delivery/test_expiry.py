"""Tests that what expired is told and counted before a commit may pass it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from processors.delivery.offsets import PartitionOffsets
from processors.metrics.counts import Counts
from processors.metrics.expired import acknowledged, is_expired
from processors.metrics.report import law
from settings import Settings
from streams.delivery.expiry import Expiry
from streams.delivery.ledger import Ledger
from streams.faust_patches.partition_books import ExpiredRange
from streams.health import Health


class Worker:
    """An `Expiry` with what it works with; `sent` is what Kafka has, `deltas` the counts written."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.deltas: list[dict[str, Any]] = []
        self.takes = asyncio.Event()
        self.takes.set()
        counts = Counts()
        delivery: Any = SimpleNamespace(
            send=self._send,
            counts=counts,
            topics=SimpleNamespace(metrics=SimpleNamespace(get_topic_name=lambda: "genesys.metrics")),
        )
        self.ledger = Ledger(counts, Health(), self._write, lambda settled: None, grace_s=5)
        settings = Settings(genesys_source="none", _env_file=None)  # type: ignore[call-arg]
        self.expiry = Expiry(settings, delivery, self.ledger, lambda: 1_764_000_000.0)

    async def _send(self, records: Any) -> None:
        await self.takes.wait()
        self.sent += [orjson.loads(record.value) for record in records]

    async def _write(self, delta: bytes) -> None:
        self.deltas.append(orjson.loads(delta))


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  # what is waited for tells nobody
            await asyncio.sleep(0.01)


def gone(topic: str, offsets: PartitionOffsets) -> ExpiredRange:
    [(first, end)] = offsets.expired(150)
    return ExpiredRange(topic, 2, first, end, None, offsets)


@pytest.fixture
async def worker():
    made = Worker()
    yield made
    await made.ledger.close()


@pytest.mark.parametrize(
    ("topic", "counted", "expired_of_raw"),
    [("raw", {"expired": 50, "raw": 50}, 50), ("validated", {"expired": 50}, 0),
     ("failures", {"expired": 50, "failures_expired": 50}, 0)],
)  # fmt: skip
async def test_a_row_and_the_counts_are_written_before_it_may_be_committed(worker, topic, counted, expired_of_raw):
    offsets = PartitionOffsets(100)
    worker.takes.clear()
    worker.expiry(gone(f"genesys.{topic}", offsets))
    await worker.ledger.flush()
    assert offsets.ended(100, set()) == 100, "Kafka has not been told yet"
    worker.takes.set()
    await until(lambda: offsets.ended(100, set()) == 150)
    [row] = [sent["gap"] for sent in worker.sent]
    assert is_expired(row)
    assert (row["topic"], row["part"], row["events"]) == (topic, 2, 50)
    [delta] = worker.deltas
    assert delta["counts"] == counted


async def test_other_topics_are_passed_and_not_counted(worker):
    offsets = PartitionOffsets(100)
    worker.expiry(gone("genesys.metrics", offsets))
    await until(lambda: offsets.ended(100, set()) == 150)
    assert worker.sent == worker.deltas == []


async def test_what_is_acknowledged_is_written_again_with_its_state(worker):
    offsets = PartitionOffsets(100)
    worker.expiry(gone("genesys.raw", offsets))
    await until(lambda: worker.sent)
    [row] = [sent["gap"] for sent in worker.sent]
    assert await worker.expiry.acknowledge([row, acknowledged(row), {"state": "open"}]) == 1
    assert worker.sent[1:] == [{"gap": acknowledged(row)}]


@pytest.mark.parametrize(
    ("counts", "parts"),
    [
        ({"raw": 100, "published": 90, "expired": 10}, {"raw": 100, "expired": 10, "inFlight": 0}),
        (
            {"raw": 100, "failed": 30, "published": 70, "expired": 10, "failures_expired": 10},
            {"failed": 20, "inFlight": 0},
        ),
        ({"raw": 100, "validated": 100, "published": 60, "expired": 40}, {"published": 60, "inFlight": 0}),
    ],
    ids=["of raw", "of failures", "of validated"],
)
def test_the_law_holds_with_what_expired(counts: dict[str, int], parts: dict[str, int]):
    found = law(counts)
    assert parts.items() <= found.items()
    ends = ("published", "filtered", "failed", "repeated", "expired", "inFlight")
    assert found["raw"] == sum(found[name] for name in ends)
