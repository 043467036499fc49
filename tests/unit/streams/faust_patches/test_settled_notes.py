"""Tests of what a commit says beside its offset: settled events are not delivered again, and nothing else is passed."""

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka.errors import CommitFailedError, KafkaTimeoutError, OffsetMetadataTooLargeError
from aiokafka.structs import OffsetAndMetadata
from faust.types import TP

from processors.delivery.settled_offsets import MAX_BYTES, decode_note, encode_note
from streams.faust_patches import partitions, settled_notes
from streams.faust_patches.partition_books import books_of, revoked_books
from tests.unit.streams.faust_patches.fake_consumer import TP0, TP1, FakeConsumer, ready


class Broker:
    """The consumer's thread: takes commits, refuses notes that are too long."""

    def __init__(self, max_bytes=MAX_BYTES):
        self.max_bytes, self.taken = max_bytes, []

    async def commit(self, offsets):
        if any(len(noted.metadata) > self.max_bytes for noted in offsets.values()):
            raise OffsetMetadataTooLargeError
        self.taken.append(offsets)
        return True


async def commit(consumer, broker):
    """As Faust does: what is committable, then that."""
    consumer._new_offset = lambda tp: partitions.new_offset(consumer, tp)
    consumer._thread.commit = broker.commit
    offsets = settled_notes.committable_offsets(consumer, [TP0])
    if offsets and await settled_notes.commit(consumer, offsets):
        consumer._committed_offset.update(offsets)
    return offsets


@pytest.mark.usefixtures("way")
async def test_what_is_settled_above_the_commit_stands_in_its_note():
    consumer, broker = await ready(first=5), Broker()
    await consumer.fetch(TP0, *range(5, 12))
    consumer.ack(5, 7, 8)
    assert await commit(consumer, broker) == {TP0: 6}
    assert decode_note(broker.taken[-1][TP0].metadata, 6) == [(7, 9)]


@pytest.mark.usefixtures("way")
async def test_more_that_is_settled_is_a_commit_of_its_own_and_the_same_is_none():
    consumer, broker = await ready(first=5), Broker()
    await consumer.fetch(TP0, *range(5, 12))
    consumer.ack(8)
    assert await commit(consumer, broker) == {TP0: 5}
    assert await commit(consumer, broker) == {}
    consumer.ack(10)
    assert await commit(consumer, broker) == {TP0: 5}
    assert decode_note(broker.taken[-1][TP0].metadata, 5) == [(8, 9), (10, 11)]


async def heir(note, first=5, end=20):
    consumer = FakeConsumer(first=first)
    consumer.logs[TP0] = range(0, end)
    consumer.metadata[TP0] = note
    consumer.told = []
    consumer.log.warning = lambda *words: consumer.told.append(words)
    await partitions.perform_seek(consumer)
    return consumer


@pytest.mark.usefixtures("way")
async def test_an_heir_passes_what_was_settled_and_says_so_again():
    consumer, broker = await heir(encode_note(5, [(7, 9), (12, 14)])), Broker()
    await consumer.fetch(TP0, *range(5, 12))
    assert consumer.offsets() == [5, 6, 9, 10, 11]
    consumer.ack(5, 6)
    assert await commit(consumer, broker) == {TP0: 9}
    assert decode_note(broker.taken[-1][TP0].metadata, 9) == [(12, 14)], "not read yet, and settled all the same"
    await consumer.fetch(TP0, *range(12, 16))
    consumer.ack(9, 10, 11)
    assert consumer.offsets() == [14, 15]
    assert await commit(consumer, broker) == {TP0: 14}


async def test_an_heir_commits_what_others_have_settled_to_the_end():
    consumer, broker = await heir(encode_note(5, [(5, 20)])), Broker()
    consumer._new_offset = lambda tp: partitions.new_offset(consumer, tp)
    assert settled_notes.committable_offsets(consumer, []) == {TP0: 20}
    assert await commit(consumer, broker) == {TP0: 20}


@pytest.mark.usefixtures("way")
async def test_a_fetch_before_what_was_settled_is_no_new_log():
    consumer = await heir(encode_note(5, [(6, 9)]))
    await consumer.fetch(TP0, 5)
    assert books_of(consumer)[TP0].offsets.due == 9
    await consumer.fetch(TP0, 6, 7, 8, 9)
    assert consumer.offsets() == [5, 9]


@pytest.mark.parametrize(
    "note", ["somebody else's", "settled1:4:00000000:AQE=", encode_note(4, [(6, 7)]), "settled1:::"]
)
async def test_a_foreign_or_damaged_note_is_left_aside_with_a_warning(note):
    consumer = await heir(note)
    await consumer.fetch(TP0, *range(5, 9))
    assert consumer.offsets() == [5, 6, 7, 8]
    assert len(consumer.told) == 1


async def test_a_note_of_a_log_that_ended_before_counts_no_more():
    consumer = await heir(encode_note(5, [(6, 7), (15, 25)]))
    await consumer.fetch(TP0, *range(5, 9))
    assert consumer.offsets() == [5, 6, 7, 8]
    assert len(consumer.told) == 1


async def test_what_cannot_be_checked_comes_again():
    consumer = FakeConsumer(first=5)
    consumer.fails = KafkaTimeoutError("away")
    noted = {TP0: OffsetAndMetadata(5, encode_note(5, [(6, 7)])), TP1: OffsetAndMetadata(-1, "")}
    assert await settled_notes.settled_before(consumer, noted) == {}


async def test_a_broker_that_takes_less_gets_shorter_notes():
    consumer, broker = await ready(first=0), Broker(max_bytes=600)
    consumer.logs[TP0] = range(0, 2_000)
    await consumer.fetch(TP0, *range(0, 2_000))
    consumer.ack(*range(1, 2_000, 2))
    assert await commit(consumer, broker) == {TP0: 0}
    assert broker.taken[-1][TP0].metadata == "", "the offset is committed in any case"
    for offset in (0, 2, 4):
        consumer.ack(offset)
        await commit(consumer, broker)
    noted = broker.taken[-1][TP0]
    assert noted.offset == 6
    assert decode_note(noted.metadata, 6)[0] == (7, 8)
    assert len(noted.metadata) <= 600


async def test_a_broker_that_takes_no_notes_gets_offsets_alone():
    consumer, broker = await ready(first=0), Broker(max_bytes=0)
    await consumer.fetch(TP0, *range(0, 9))
    consumer.ack(0, 5)
    assert await commit(consumer, broker) == {TP0: 1}
    assert broker.taken == [{TP0: OffsetAndMetadata(1, "")}]


class Thread:
    """What `commit_in_thread` works on."""

    def __init__(self, error=None):
        self.error, self.crashed, self.committed = error, None, None
        self.tp_last_committed_at = {}
        self.log = SimpleNamespace(exception=lambda *words: None)

    def assignment(self):
        return {TP0}

    def _ensure_consumer(self):
        return self

    async def commit(self, offsets):
        if self.error is not None:
            raise self.error
        self.committed = offsets

    async def crash(self, error):
        self.crashed = error


async def test_offsets_of_partitions_that_are_assigned_are_committed_with_their_notes():
    thread, noted = Thread(), OffsetAndMetadata(7, "a note")
    assert await settled_notes.commit_in_thread(thread, {TP0: noted, TP1: noted})
    assert thread.committed == {TP0: noted}


@pytest.mark.parametrize(
    ("error", "crashes"),
    [(CommitFailedError("the group has already rebalanced"), False), (CommitFailedError("else"), True),
     (RuntimeError("a bug"), True)],
)  # fmt: skip
async def test_a_commit_that_fails_is_none(error, crashes):
    thread = Thread(error)
    assert not await settled_notes.commit_in_thread(thread, {TP0: OffsetAndMetadata(7, "")})
    assert (thread.crashed is error) == crashes


async def test_a_note_that_is_too_long_crashes_nothing():
    thread = Thread(OffsetMetadataTooLargeError())
    with pytest.raises(OffsetMetadataTooLargeError):
        await settled_notes.commit_in_thread(thread, {TP0: OffsetAndMetadata(7, "a note")})
    assert thread.crashed is None


async def counted_out(settled, first=5, known=None):
    """A consumer that settled events and could not commit them, when its partitions come back to it at once."""
    consumer = await ready(first=first)
    await consumer.fetch(TP0, *range(first, 15))
    books_of(consumer)[TP0].known = first if known is None else known
    consumer.ack(*settled)
    await partitions.on_partitions_revoked(consumer, {TP0})
    consumer.given.clear()
    return consumer


@pytest.mark.usefixtures("by_lanes")
async def test_what_a_worker_could_not_commit_it_does_not_do_again():
    consumer = await counted_out([5, 6, 7, 9])
    await partitions.perform_seek(consumer)
    await consumer.fetch(TP0, *range(5, 12))
    assert consumer.offsets() == [8, 10, 11]
    assert await commit(consumer, Broker()) == {TP0: 8}


@pytest.mark.usefixtures("by_lanes")
async def test_what_ended_between_revocation_and_assignment_is_not_done_again_either():
    consumer = await counted_out([5])
    revoked_books(consumer)[TP0].offsets.ack([6, 7])
    await partitions.perform_seek(consumer)
    await consumer.fetch(TP0, *range(5, 9))
    assert consumer.offsets() == [8]


@pytest.mark.usefixtures("by_lanes")
async def test_what_faust_takes_for_committed_counts_as_settled_too():
    consumer = await ready(first=5)
    await consumer.fetch(TP0, *range(5, 15))
    consumer.ack(5, 6)
    consumer._committed_offset[TP0] = partitions.new_offset(consumer, TP0)  # as after a commit that failed
    partitions.new_offset(consumer, TP0)
    await partitions.on_partitions_revoked(consumer, {TP0})
    consumer.given.clear()
    await partitions.perform_seek(consumer)
    await consumer.fetch(TP0, *range(5, 9))
    assert consumer.offsets() == [7, 8]


@pytest.mark.usefixtures("by_lanes")
@pytest.mark.parametrize("now", [None, 3], ids=["another log", "set back"])
async def test_where_offsets_were_set_back_everything_comes_again(now):
    consumer = await counted_out([5, 6, 7])
    consumer.committed[TP0] = now
    await partitions.perform_seek(consumer)
    await consumer.fetch(TP0, *range(now or 0, 8))
    assert consumer.offsets() == list(range(now or 0, 8))


@pytest.mark.usefixtures("by_lanes")
async def test_it_is_remembered_for_the_next_assignment_alone():
    consumer = await counted_out([5, 6, 7])
    await partitions.perform_seek(consumer)
    assert revoked_books(consumer) == {}


async def test_what_went_to_streams_is_not_remembered():
    consumer = await counted_out([5, 6, 7])
    await partitions.perform_seek(consumer)
    await consumer.fetch(TP0, *range(5, 9))
    assert consumer.offsets() == [5, 6, 7, 8]


class Brokers:
    """Takes commits of some topics, and writes rows once it may."""

    def __init__(self, consumer):
        self.commits, self.refuses, self.flushes = [], False, 0
        self.may_write = asyncio.Event()
        self.may_write.set()
        consumer._commit = self.commit
        consumer.app.tables = SimpleNamespace(on_commit=lambda offsets: None)
        consumer.app.monitor.on_tp_commit = lambda offsets: None
        consumer.app.producer = SimpleNamespace(flush=self.flush)

    async def commit(self, offsets):
        self.commits.append(dict(offsets))
        return not self.refuses

    async def flush(self):
        self.flushes += 1
        await self.may_write.wait()


TABLES = TP("genesys.metrics", 0)


@pytest.fixture
async def two_kinds(monkeypatch, by_lanes):
    """A consumer with a stage's partition and one whose events go to tables, and its brokers."""
    monkeypatch.setattr(settled_notes, "WRITTEN_S", 0.01)
    consumer = await ready(first=5)
    consumer.logs[TABLES] = range(0, 20)
    return consumer, Brokers(consumer)


async def test_what_stages_ended_is_committed_whatever_rows_wait_for(two_kinds):
    consumer, brokers = two_kinds
    brokers.may_write.clear()
    assert await settled_notes.commit_offsets(consumer, {TP0: 7, TABLES: 3})
    assert (brokers.commits, consumer._committed_offset[TP0], consumer._committed_offset[TABLES]) == (
        [{TP0: 7}],
        7,
        None,
    )


async def test_a_write_that_was_begun_says_nothing_of_rows_since(two_kinds):
    consumer, brokers = two_kinds
    brokers.may_write.clear()
    assert not await settled_notes.commit_offsets(consumer, {TABLES: 3})
    assert (brokers.flushes, brokers.commits) == (1, [])
    brokers.may_write.set()
    assert await settled_notes.commit_offsets(consumer, {TABLES: 9})
    assert (brokers.flushes, brokers.commits) == (2, [{TABLES: 9}])


async def test_what_is_refused_is_not_taken_for_committed(two_kinds):
    consumer, brokers = two_kinds
    brokers.refuses = True
    assert not await settled_notes.commit_offsets(consumer, {TP0: 7, TABLES: 3, TP("another's", 0): 1})
    assert (brokers.commits, consumer._committed_offset[TP0]) == ([{TP0: 7}, {TABLES: 3}], 5)
