"""This module tests the look for an event in the topics, over topics that are lists."""

from __future__ import annotations

from types import SimpleNamespace

import orjson
import pytest

from clients.kafka.ranges import Range
from processors.event.identity import event_of_bytes
from processors.replay.redrive import Place
from processors.replay.redrive_notes import Note
from processors.replay.selection import Span
from settings import Settings
from streams.delivery.packed_producer import partition_of
from streams.replay.lookup import search as module
from streams.replay.lookup.backwards import SLICE
from streams.replay.lookup.search import Tracer

PARTITIONS = 4
CALL, CHAT = "c-1", "c-2"


class Topic:
    """A topic of four partitions; `looked`: the partitions that were read. `deleted`: offsets that are gone."""

    def __init__(self, name, deleted=0):
        self.name, self.deleted = name, deleted
        self.partitions = [[] for _ in range(PARTITIONS)]
        self.looked = set()

    def add(self, key, at_ms, value=b"{}", partition=None, **headers):
        partition = partition_of(key.encode(), PARTITIONS) if partition is None else partition
        records = self.partitions[partition]
        written = [(name.replace("_", "-"), str(text).encode()) for name, text in headers.items()]
        records.append(
            SimpleNamespace(topic=self.name, partition=partition, offset=self.deleted + len(records), timestamp=at_ms,
                            key=key.encode(), value=value, headers=written)
        )  # fmt: skip


class FakeReader:
    partitions = PARTITIONS

    async def one(self, partition, offset):
        records = self._topic.partitions[partition]
        return next((record for record in records if record.offset == offset), None)

    def __init__(self, topic):
        self._topic, self.topic = topic, topic.name

    async def range(self, bounds):
        wanted = bounds.partitions or range(PARTITIONS)
        begin = self._topic.deleted
        ends = {one: begin + len(self._topic.partitions[one]) for one in wanted}
        return Range(self.topic, dict.fromkeys(wanted, begin), ends)

    async def chunks(self, what):
        for partition in what.open:
            self._topic.looked.add(partition)
            begin = self._topic.deleted
            yield self._topic.partitions[partition][what.next[partition] - begin : what.end[partition] - begin]
            what.next[partition] = what.end[partition]


@pytest.fixture
def topics(stands_for_kafka):
    """The topics of the flow, in which the tracer looks."""
    found = {name: Topic(f"genesys.{name}") for name in ("raw", "validated", "failures", "redriven")}
    by_name = {topic.name: topic for topic in found.values()}
    stands_for_kafka(module, dict.fromkeys(by_name, PARTITIONS), lambda name: FakeReader(by_name[name]))
    return found


def fill(topics):
    topics["raw"].add(CALL, 1_000, event_id="e-1", received_at=995)
    topics["raw"].add(CHAT, 1_050, event_id="e-2")
    topics["raw"].add(CALL, 1_100, event_id="e-3")
    topics["validated"].add(CALL, 1_200, event_id="e-1", route="calls")
    record = {"stage": "validate", "error": "SchemaViolation", "eventId": "e-3", "originalEvent": {"ani": "secret"}}
    topics["failures"].add(CALL, 1_300, orjson.dumps(record))


async def trace(ident, key=None, span=None, **limits):
    tracer = Tracer(Settings(), span or Span())
    for name, limit in limits.items():
        setattr(tracer, name, limit)
    return await tracer.trace(ident, key)


def named(search):
    return sorted((one.topic, one.event_id) for one in search.found)


async def test_a_conversation_is_looked_for_in_its_own_partition(topics):
    fill(topics)
    search = await trace(CALL)
    assert named(search) == [("failures", "e-3"), ("raw", "e-1"), ("raw", "e-3"), ("validated", "e-1")]
    assert search.complete
    assert topics["raw"].looked == {partition_of(CALL.encode(), PARTITIONS)}


async def test_an_event_is_looked_for_everywhere_and_its_story_by_its_conversation(topics):
    fill(topics)
    assert named(await trace("e-1")) == [("raw", "e-1"), ("validated", "e-1")]
    assert named(await trace("e-3")) == [("failures", "e-3"), ("raw", "e-3")]


async def test_one_that_raw_has_lost_is_found_by_its_failure(topics):
    fill(topics)
    topics["raw"].partitions = [[] for _ in range(PARTITIONS)]
    assert named(await trace("e-3")) == [("failures", "e-3")]


async def test_with_the_conversation_known_no_other_partition_is_read(topics):
    fill(topics)
    assert named(await trace("e-2", key=CHAT)) == [("raw", "e-2")]
    assert topics["raw"].looked == {partition_of(CHAT.encode(), PARTITIONS)}


async def test_what_a_command_wrote_again_does_not_hide_the_first_time(topics):
    topics["raw"].add(CALL, 1_000, event_id="e-1")
    topics["raw"].add(CALL, 9_000_000, event_id="e-1", replayed="replay-1")
    assert sorted(one.at_ms for one in (await trace("e-1")).found) == [1_000, 9_000_000]


@pytest.mark.parametrize("ident", ["e-1", CALL])
async def test_raw_may_be_divided_otherwise_by_who_writes_to_it(topics, ident):
    elsewhere = (partition_of(CALL.encode(), PARTITIONS) + 1) % PARTITIONS
    topics["raw"].add(CALL, 1_000, partition=elsewhere, event_id="e-1")
    topics["validated"].add(CALL, 1_200, event_id="e-1", route="calls", origin=f"genesys.raw/{elsewhere}/0")
    assert named(await trace(ident)) == [("raw", "e-1"), ("validated", "e-1")]


async def test_a_filtered_event_is_found_wherever_it_stands(topics):
    elsewhere = (partition_of(CALL.encode(), PARTITIONS) + 1) % PARTITIONS
    topics["raw"].add(CALL, 1_000, partition=elsewhere, event_id="e-1")
    assert named(await trace("e-1")) == [("raw", "e-1")]


async def test_nothing_is_found_of_what_nobody_names(topics):
    fill(topics)
    search = await trace("e-9")
    assert (search.found, search.complete) == ([], True)


async def test_a_record_without_an_id_has_the_one_that_the_process_stage_gives_it(topics):
    value = b'{"id": "c-1", "resourceType": "interaction"}'
    topics["raw"].add(CALL, 1_000, value)
    search = await trace(event_of_bytes(value).event_id)
    assert [one.what for one in search.found] == ["interaction"]


async def test_a_span_leaves_out_what_was_before(topics):
    fill(topics)
    found = named(await trace(CALL, span=Span(since=1_100)))
    assert found == [("failures", "e-3"), ("raw", "e-3"), ("validated", "e-1")]


async def test_what_a_record_came_from_is_read_at_its_place_when_the_look_ends_before(topics):
    topics["raw"].add(CALL, 1, event_id="e-1")
    for number in range(SLICE):
        topics["raw"].add(CALL, 100 + number, event_id=f"other-{number}")
    place = partition_of(CALL.encode(), PARTITIONS)
    topics["validated"].add(CALL, 1_200, event_id="e-1", route="calls", origin=f"genesys.raw/{place}/0")
    assert named(await trace("e-1", key=CALL, max_read=1)) == [("raw", "e-1"), ("validated", "e-1")]


async def test_it_says_when_what_is_older_was_deleted(topics):
    topics["raw"].deleted = 500
    fill(topics)
    assert (await trace(CALL)).kept_ms == {"raw": 1_000}


async def test_what_is_over_the_budget_is_said_to_be_open(topics):
    for number in range(SLICE):
        topics["raw"].add(CALL, 100 + number, event_id=f"old-{number}")
    fill(topics)
    search = await trace(CALL, max_read=1)
    assert (("raw", "e-3") in named(search), ("raw", "old-0") in named(search)) == (True, False)
    assert (search.complete, search.since_ms) == (False, 102)


async def test_what_is_not_found_was_looked_for_in_each_topic_as_far_as_each_is_said_to_be(topics):
    for number in range(SLICE + 1):
        topics["raw"].add(CALL, 100 + number, event_id=f"old-{number}")
    topics["failures"].add(CALL, 90, event_id="e-1")
    search = await trace("nobody", max_read=1)
    assert (search.found, search.complete, search.since_ms) == ([], False, 101)
    assert search.read == SLICE + 1


async def test_no_body_of_a_failure_is_kept_and_the_notes_of_its_redrives_are_found(topics):
    fill(topics)
    for event in ("e-3", "e-2"):
        note = Note(Place("raw", event), "redrive-1", 2_000, 1_300, 2_000)
        topics["redriven"].add("any", 2_000, note.encode())
    search = await trace("e-3")
    assert [note.place.identity for note in search.notes] == ["e-3"]
    assert "secret" not in repr(search.found)


async def test_values_of_raw_are_kept_as_far_as_there_is_room(topics):
    fill(topics)
    search = await trace(CALL, max_bytes=1)
    assert [raw.event_id for raw in search.values.values()] == ["e-3"]
