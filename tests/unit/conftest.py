"""Fixtures of the stages' tests: a producer that answers by script, and events that remember their ack."""

import asyncio
import logging
from types import SimpleNamespace

import pytest
import structlog
from faust.types import TP

from processors.delivery.offsets import PartitionOffsets
from processors.metrics.counts import Counts
from settings import Settings, load_settings
from streams.delivery.deduplication import Deduplication
from streams.delivery.ledger import Ledger
from streams.delivery.record import Record
from streams.delivery.report_failure import FailureReporter
from streams.delivery.result import Delivery
from streams.delivery.send import Sender
from streams.delivery.topics import PipelineTopics
from streams.faust_patches.fetched_record import FetchedRecord
from streams.faust_patches.partition_books import Part, PartitionBooks
from streams.health import Health
from streams.topology import METRICS_KEY, TOPICS


class Event(FetchedRecord):
    """An event that remembers its ack, which a test's ledger gives it."""

    acked = False


class ScriptedProducer:
    """Takes what it is given, unless a topic's script says otherwise; `taken` is what the broker has."""

    def __init__(self):
        self.taken = []
        self.attempts = []
        self.refusals = {}  # topic -> errors, one for each attempt
        self.confirmed = asyncio.Event()  # cleared: the broker does not answer
        self.confirmed.set()
        self.asked = asyncio.Event()

    async def send(self, records):
        answers = []
        for one in records:
            self.attempts.append(one.topic)
            script = self.refusals.get(one.topic, [])
            answers.append(script.pop(0) if script else None)
        self.asked.set()
        await self.confirmed.wait()
        self.taken += [one for one, error in zip(records, answers, strict=True) if error is None]
        return answers


@pytest.fixture(autouse=True)
def logs():
    """Commands silence all logging; give it back to the tests that come after."""
    yield
    if logging.root.manager.disable:
        logging.disable(logging.NOTSET)
        structlog.reset_defaults()


@pytest.fixture(scope="module")
def moto():
    """The address of moto's server: AWS by somebody else's reading."""
    from moto.server import ThreadedMotoServer  # few tests need it, and its import takes a second

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def moto_settings(moto, monkeypatch):
    """Settings whose AWS is moto."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    return load_settings(aws_endpoint_url=moto, aws_region="us-east-1")


@pytest.fixture
def event():
    def made(value=b"{}", headers=None, **more):
        place = {"topic": "genesys.raw", "partition": 0, "offset": 0, "timestamp": 1_763_895_600_000, "key": b"k"}
        return Event(value=value, headers=tuple((headers or {}).items()), **(place | more))

    return made


@pytest.fixture
def part_of():
    """Makes events a part of a fetch, as the consumer gives it to a stage; a partition has the same books each time."""
    known = {}

    def made(events, generation=0, books=None):
        tp = TP(events[0].topic, events[0].partition)
        books = books or known.setdefault((tp, generation), PartitionBooks(PartitionOffsets(0)))
        return Part(tp, generation, books, events)

    return made


class HandFlushed(Ledger):
    """A ledger that its test flushes by hand."""

    def start(self):
        pass


def acknowledge(settled):
    """Ack events as the consumer's books would."""
    for _, events in settled:
        for one in events:
            one.acked = True


@pytest.fixture
def health():
    return Health()


@pytest.fixture
def counts():
    return Counts()


@pytest.fixture
def topics():
    """The topics of the flow, by their default names."""
    return PipelineTopics(*(SimpleNamespace(get_topic_name=lambda name=name: f"genesys.{name}") for name in TOPICS))


@pytest.fixture
def producer():
    return ScriptedProducer()


@pytest.fixture
def new_sender(producer, health):
    """Makes senders through the scripted producer, which try again at once."""

    async def start():
        return producer

    return lambda **changes: Sender(start, health, **{"backoff": lambda attempt, chance: 0.0, **changes})


@pytest.fixture
def sender(new_sender):
    return new_sender()


@pytest.fixture
def new_ledger(sender, counts, health, topics):
    """Makes ledgers of `counts`, which their test flushes by hand."""

    async def write(delta):
        await sender.send([Record(topics.metrics.get_topic_name(), METRICS_KEY, delta)])

    return lambda **changes: HandFlushed(
        counts, changes.pop("health", health), write, acknowledge, **{"grace_s": 10.0, **changes}
    )


@pytest.fixture
def ledger(new_ledger):
    return new_ledger()


class Rows(dict):
    """A table's rows, as Faust holds them: a slow machine has them swept in the middle of a test."""

    @property
    def data(self):
        return self


@pytest.fixture
def deduplication():
    return Deduplication(600, Rows(), lambda route: "text", set)


@pytest.fixture
def delivery(sender, topics, deduplication, counts):
    failures = FailureReporter(topics.failures, Settings().kafka_max_message_bytes)
    return Delivery(sender.send, topics, failures, deduplication, counts)
