"""Tests of a worker's readers: who owns a part reads it, and what stays is read on through a rebalance."""

import asyncio
from contextlib import asynccontextmanager

import orjson
import pytest

from clients.genesys.notifications.gap_healer import GapReport
from processors.genesys.interval import Interval
from processors.metrics.counts import Counts
from settings import Settings
from streams.sources.checkpoints import Checkpoint
from streams.sources.genesys import OpenSource
from streams.sources.intake import Intake
from streams.sources.parts import PartReaders, counting


class Source:
    """Parts that bring one event each and then wait."""

    def __init__(self):
        self.opened, self.open_now, self.checkpoint = [], set(), None

    @asynccontextmanager
    async def open(self, part, on_gap):
        self.opened.append(part)
        self.open_now.add(part)
        try:
            yield OpenSource(self._batches(part), self.checkpoint)
        finally:
            self.open_now.discard(part)

    async def _batches(self, part):
        yield [b'{"id": "part-%d"}' % part]
        await asyncio.Event().wait()


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def readers(source, delivery, ledger, health):
    return PartReaders(source, Intake(Settings(), delivery, ledger), delivery, health, lambda reason: None)


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  # what is waited for tells nobody
            await asyncio.sleep(0)


async def test_parts_are_read_by_who_owns_them_and_what_stays_is_read_on(readers, source, producer):
    await readers.own({0, 1})
    await until(lambda: len(producer.taken) == 2)
    await readers.own({1, 2})
    await until(lambda: len(producer.taken) == 3)
    assert source.opened == [0, 1, 2]
    assert source.open_now == {1, 2}
    await readers.close()
    assert source.open_now == set()


async def test_a_trouble_with_genesys_ends_with_the_last_reader(readers, source, health):
    await readers.own({0, 1})
    await until(lambda: len(source.opened) == 2)
    health.trouble("genesys", "no answer")
    await readers.own({1})
    assert "genesys" in health.troubles()
    await readers.close()
    assert "genesys" not in health.troubles()


async def test_a_checkpoint_is_written_to_the_part_s_own_partition(readers, source, producer):
    source.checkpoint = lambda: Checkpoint(7)
    readers.checkpoint_s = 0.0
    await readers.own({3})
    await until(lambda: any(record.topic == "genesys.sources" for record in producer.taken))
    await readers.close()
    [record] = [record for record in producer.taken if record.topic == "genesys.sources"]
    assert (record.partition, Checkpoint.decode(record.value)) == (3, Checkpoint(7)), "once, as it has not moved"


async def test_a_gap_is_told_to_the_tables(readers, producer):
    await readers.note_gap(GapReport(2, Interval(5, 9), "lost", 0, "too old"))
    [record] = producer.taken
    assert record.topic == "genesys.metrics"
    assert orjson.loads(record.value)["gap"] == {
        "part": 2, "start_ms": 5, "end_ms": 9, "state": "lost", "events": 0, "reason": "too old",
    }  # fmt: skip


async def test_what_the_client_counts_is_counted_where_it_is_ours(new_ledger):
    counts, started = Counts(), []
    ledger = new_ledger()
    ledger.start = lambda: started.append(True)
    count = counting(counts, ledger)
    count("request_retried", 3)
    count("frame_duplicate", 2)
    assert counts.drain()["counts"] == {"source_repeats": 2}
    assert started == [True], "though no event comes"
