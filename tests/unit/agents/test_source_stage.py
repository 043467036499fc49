"""Tests of ingesting lines: every line ends in `raw` or in `failures`, and is counted."""

import asyncio
from contextlib import asynccontextmanager

import orjson
import pytest

from clients.genesys.rest.errors import CredentialsError
from processors.event.identity import derive_event_id
from processors.event.lines import OversizedLine
from settings import Settings
from streams.sources.intake import Intake
from streams.sources.parts import PartReaders


@pytest.fixture
def intake(delivery, ledger):
    return Intake(Settings(), delivery, ledger)


@pytest.fixture
def ingest(intake, producer):
    async def made(*lines):
        await intake.ingest(lines)
        return [(record.topic.removeprefix("genesys."), record.value) for record in producer.taken]

    return made


async def test_an_object_goes_to_raw_untouched_with_its_identity(ingest, producer, counts):
    line = b'{"id" : "i-1",  "number": 1.0e2}'
    assert await ingest(line) == [("raw", line)]
    (record,) = producer.taken
    assert record.key == b"i-1"
    assert record.headers["event-id"].decode() == derive_event_id(orjson.loads(line))
    assert record.headers["received-at"].isdigit()
    assert counts.drain()["counts"] == {"ingested": 1}


async def test_an_array_is_as_many_events(ingest, producer, counts):
    found = await ingest(b'[{"id": "a"}, {"id": "b"}, 7, [1], null, "text"]')
    assert found[:2] == [("raw", b'{"id":"a"}'), ("raw", b'{"id":"b"}')]
    assert [topic for topic, _ in found[2:]] == ["failures"] * 4
    assert counts.drain()["counts"] == {"ingested": 6, "raw": 4, "failed": 4}


async def test_what_is_no_event_has_no_key_so_that_its_failures_spread(ingest, producer, counts):
    await ingest(b"garbage")
    (record,) = producer.taken
    assert record.key is None


async def test_an_empty_array_is_no_event(ingest, producer, counts):
    assert await ingest(b"[]") == []
    assert counts.drain() is None


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"{", "MalformedJSON"),
        (b"\xff\xfe", "MalformedJSON"),
        (b'{"a":"\\ud800"}', "MalformedJSON"),
        (b"7", "NotAnObject"),
        (b"null", "NotAnObject"),
        (b'"text"', "NotAnObject"),
        (b'{"n": 9223372036854775808}', "NumberOutOfRange"),
        (b'{"a":' * 2_000 + b"1" + b"}" * 2_000, "NestedTooDeep"),
        (OversizedLine(b'{"id": "the beginning', 5_000_000), "LineTooLong"),
    ],
    ids=[
        "cut off",
        "invalid UTF-8",
        "a lone surrogate",
        "a number",
        "null",
        "text",
        "beyond int64",
        "too deep",
        "5 MB",
    ],
)
async def test_a_bad_line_is_reported_and_the_next_goes_on(ingest, producer, counts, line, error):
    found = await ingest(b'{"id": "before"}', line, b'{"id": "after"}')
    assert [topic for topic, _ in found] == ["raw", "failures", "raw"]
    content = orjson.loads(found[1][1])
    assert (content["stage"], content["error"]) == ("source", error)
    assert content["originalEvent"] is not None
    delta = counts.drain()
    assert delta["counts"] == {"ingested": 3, "raw": 1, "failed": 1}
    assert delta["failed"] == {f"source/{error}": 1}


async def test_nothing_is_counted_before_the_broker_has_it(intake, producer, counts):
    producer.confirmed.clear()
    ingesting = asyncio.create_task(intake.ingest([b'{"id": "a"}']))
    await producer.asked.wait()
    assert counts.drain() is None
    producer.confirmed.set()
    await ingesting
    assert counts.drain()["counts"] == {"ingested": 1}


async def batches(*lines):
    for line in lines:
        yield [line]


async def test_pump_brings_batch_after_batch(intake, producer):
    await intake.pump(batches(b'{"id": "a"}', b'{"id": "b"}'))
    assert [record.key for record in producer.taken] == [b"a", b"b"]


async def test_what_was_read_gets_to_kafka_when_the_reading_ends(intake, producer):
    closed = []

    async def reading():
        try:
            yield [b'{"id": "a"}']
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    producer.confirmed.clear()
    pumping = asyncio.create_task(intake.pump(reading()))
    await producer.asked.wait()
    pumping.cancel()
    await asyncio.sleep(0)
    producer.confirmed.set()
    await asyncio.gather(pumping, return_exceptions=True)
    assert pumping.cancelled()
    assert [record.key for record in producer.taken] == [b"a"]
    assert closed == [True]


async def test_a_batch_is_settled_when_kafka_has_it_and_not_before(intake, producer):
    settled = []

    async def reading():
        yield [b'{"id": "a"}']
        await asyncio.Event().wait()

    producer.confirmed.clear()
    pumping = asyncio.create_task(intake.pump(reading(), lambda: settled.append(len(producer.taken))))
    await producer.asked.wait()
    await asyncio.sleep(0)
    assert settled == []
    pumping.cancel()
    await asyncio.sleep(0)
    producer.confirmed.set()
    await asyncio.gather(pumping, return_exceptions=True)
    assert settled == [1], "though the reading was ended meanwhile"


async def test_masked_fields_and_what_may_hide_them_never_reach_kafka(delivery, ledger, producer):
    masking = Intake(Settings(redact_fields="payload.ani"), delivery, ledger)
    secret = b"tel:+15550100"
    event = b'{"id": "i-1", "payload": {"ani": "%s"}}' % secret
    await masking.ingest([event, event[:-1], OversizedLine(event, 5_000_000)])
    assert [record.topic for record in producer.taken] == ["genesys.raw", "genesys.failures", "genesys.failures"]
    assert secret not in repr(producer.taken).encode()
    for failure in producer.taken[1:]:
        record = orjson.loads(failure.value)
        assert record["originalEvent"] is None
        assert "withheld" in record["message"]


class Refused:
    """A source that Genesys refuses to serve."""

    @asynccontextmanager
    async def open(self, part, on_gap):
        raise CredentialsError("login refused the OAuth client")
        yield


async def test_a_refusal_that_all_parts_meet_ends_the_worker_with_one_line(intake, delivery, health):
    reasons = []
    readers = PartReaders(Refused(), intake, delivery, health, reasons.append)
    await asyncio.gather(*(readers.read(part) for part in range(4)))
    assert reasons == ["Genesys Cloud refuses to serve events: login refused the OAuth client"]


async def test_a_paused_source_reads_on_where_it_stopped(delivery, ledger, producer):
    """It never holds what it has read back from Kafka: it waits before it reads."""
    open_, asked = asyncio.Event(), []
    open_.set()

    async def may_begin():
        await open_.wait()

    async def batches():
        for number in range(3):
            asked.append(number)
            if number == 1:
                open_.clear()
            yield [b'{"id": "%d"}' % number]

    pumping = asyncio.create_task(Intake(Settings(), delivery, ledger, may_begin).pump(batches()))
    async with asyncio.timeout(60):
        while len(producer.taken) < 2:  # noqa: ASYNC110  # what is waited for tells nobody
            await asyncio.sleep(0)
    await asyncio.sleep(0.02)
    assert (asked, [record.key for record in producer.taken]) == ([0, 1], [b"0", b"1"])
    open_.set()
    await asyncio.wait_for(pumping, 20)
    assert [record.key for record in producer.taken] == [b"0", b"1", b"2"]
