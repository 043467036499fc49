"""Tests of redriving from a queue: a message is deleted only when Kafka has its event."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import SimpleNamespace

import orjson
import pytest

from clients.aws.sqs_receiver import ReceivedMessage
from processors.delivery.failure_record import encode_record, failure_record
from processors.event.errors import InvalidEventError
from processors.event.headers import Origin
from processors.replay.redrive_notes import Note, Notes
from processors.replay.selection import FailureSelection
from processors.routes.outcome import Failed
from settings import load_settings
from streams.replay.redriving.notes import RedriveNotes
from streams.replay.redriving.progress import RedrivePlan
from streams.replay.redriving.redrive import Redriving

INVALID = Failed.of(InvalidEventError("breaks its schema", code="SchemaViolation"), "interaction")
THROTTLED = Failed("publish", "ThrottlingException", "slow", (), "calls", {"detail": {}}, 5)


def message(number, event_id="e-1", failed=INVALID):
    record = failure_record(
        failed,
        b'{"id":"i-1"}',
        timestamp=datetime(2026, 11, 24, tzinfo=UTC),
        event_id=event_id,
        origin=Origin("genesys.raw", 0, 7),
    )
    return ReceivedMessage(str(number), encode_record(record, 100_000).decode(), f"receipt-{number}", 1_000, None)


class FakeQueue:
    """Gives its messages at once, then nothing."""

    def __init__(self, *messages):
        self._messages = list(messages)
        self.deleted, self.released = [], []

    async def receive(self):
        given, self._messages = self._messages, []
        return given

    async def delete(self, messages):
        self.deleted += [one.id for one in messages]
        return len(messages)

    async def release(self, messages):
        self.released += [one.id for one in messages]


class FakeWriter:
    """Brokers that refuse the records with these numbers."""

    def __init__(self, *refused):
        self._refused = refused
        self.written = []

    async def write(self, records):
        self.written += records
        return ["Kafka is full" if number in self._refused else None for number in range(len(records))]


@dataclass
class Originals:
    """What `raw` holds: one event, with these headers."""

    headers: dict

    async def find(self, gone):
        return SimpleNamespace(key=b"i-1", value=b'{"id":"i-1"}', headers=list(self.headers.items()))


async def redrive(queue, writer, limit=None, originals=None, notes=None, again=False, notebook=None):
    plan = RedrivePlan(FailureSelection(), "redrive-1", at_ms=2_000, limit=limit)
    redriven = RedriveNotes("redriven", notes or Notes(), notebook or FakeWriter(), again=again)
    redriving = Redriving(plan, load_settings(), originals, redriven, writer, asyncio.Event())
    return await redriving.from_queue(queue, before_ms=2_000)


def noted(notebook):
    """The notes that a run has left."""
    notes = Notes()
    notes.add(Note.decode(one.value) for one in notebook.written)
    return notes


async def test_what_kafka_has_is_deleted_and_so_is_its_repetition():
    queue, writer = FakeQueue(message(1), message(2), message(3, "e-2")), FakeWriter()
    progress = await redrive(queue, writer)
    assert (progress.redriven, progress.skipped) == (2, 1)
    assert (queue.deleted, queue.released) == (["1", "2", "3"], [])


async def test_a_repetition_of_what_kafka_refused_stays_in_the_queue():
    queue, writer = FakeQueue(message(1, "e-0"), message(2), message(3), message(4, "e-2")), FakeWriter(1)
    progress = await redrive(queue, writer)
    assert progress.stopped == "Kafka is full"
    assert (queue.deleted, queue.released) == (["1", "4"], ["2", "3"])


async def test_a_failure_to_publish_is_no_repetition_of_one_on_another_route():
    queue, writer = FakeQueue(message(1), message(2, failed=THROTTLED)), FakeWriter()
    await redrive(queue, writer)
    assert [one.topic for one in writer.written] == ["genesys.raw", "genesys.validated"]


async def test_the_route_is_that_of_the_failure_though_an_earlier_redrive_was_for_another():
    cut = replace(THROTTLED, transformed=None, route="mails")
    record = orjson.loads(message(1, failed=cut).body) | {"originalBytes": 10, "truncated": True}
    queue, writer = FakeQueue(replace(message(1), body=orjson.dumps(record).decode())), FakeWriter()
    await redrive(queue, writer, originals=Originals({"route": b"calls", "replayed": b"redrive-0"}))
    [written] = writer.written
    assert (written.topic, dict(written.headers)["route"]) == ("genesys.raw", b"mails")


@pytest.mark.parametrize(("refused", "limited"), [((), True), ((0,), False)])
async def test_what_kafka_refused_does_not_count_as_the_end_of_the_limit(refused, limited):
    progress = await redrive(FakeQueue(message(1), message(2, "e-2")), FakeWriter(*refused), limit=1)
    assert progress.limited == limited


async def test_a_second_run_leaves_out_what_the_first_one_noted_and_takes_it_out_of_the_queue():
    notebook = FakeWriter()
    await redrive(FakeQueue(message(1), message(2, "e-2")), FakeWriter(), notebook=notebook)

    queue, writer = FakeQueue(message(3), message(4, "e-3")), FakeWriter()
    progress = await redrive(queue, writer, notes=noted(notebook))

    assert (progress.redriven, progress.known, queue.deleted) == (1, 1, ["3", "4"])
    assert [reason.partition(" at ")[0] for reason in progress.reasons] == ["redriven by run redrive-1"]


async def test_again_takes_it_once_more():
    notebook = FakeWriter()
    await redrive(FakeQueue(message(1)), FakeWriter(), notebook=notebook)

    progress = await redrive(FakeQueue(message(1)), FakeWriter(), notes=noted(notebook), again=True)

    assert (progress.redriven, progress.known) == (1, 0)


async def test_what_is_known_does_not_use_up_the_limit():
    notebook = FakeWriter()
    await redrive(FakeQueue(message(1)), FakeWriter(), notebook=notebook)

    queue = FakeQueue(message(1), message(2, "e-2"), message(3, "e-3"))
    progress = await redrive(queue, FakeWriter(), limit=1, notes=noted(notebook))

    assert (progress.redriven, progress.limited, queue.deleted) == (1, True, ["1", "2"])


async def test_only_what_kafka_has_is_noted():
    notebook = FakeWriter()
    await redrive(FakeQueue(message(1), message(2, "e-2"), message(3, "e-3")), FakeWriter(1), notebook=notebook)

    assert {place.identity for place in noted(notebook).by_place} == {"e-1", "e-3"}


async def test_a_note_that_kafka_refuses_stops_the_run_and_loses_no_message():
    queue = FakeQueue(message(1))
    progress = await redrive(queue, FakeWriter(), notebook=FakeWriter(0))

    assert progress.stopped == "what was redriven last is not noted: Kafka is full"
    assert (progress.redriven, queue.deleted) == (1, ["1"])
