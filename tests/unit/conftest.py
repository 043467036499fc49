"""Fixtures of the stages' tests: a producer that answers by script, and events that remember their ack."""

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from aiokafka.errors import KafkaError
from faust.exceptions import ProducerSendError

from processors.metrics.counts import Counts
from settings import Settings
from streams.delivery.deduplication import Deduplication
from streams.delivery.ledger import Ledger
from streams.delivery.report_failure import FailureReporter
from streams.delivery.result import Delivery
from streams.delivery.send import Record, Sender
from streams.health import Health
from streams.topics import PipelineTopics
from streams.topology import METRICS_KEY, TOPICS


@dataclass
class Message:
    topic: str = "genesys.raw"
    partition: int = 0
    offset: int = 0
    timestamp: float = 1_763_895_600.0
    key: bytes | None = b"k"
    generation_id: int = 0


@dataclass(eq=False)
class FakeEvent:
    """What the stages use of Faust's event."""

    value: bytes | None = b"{}"
    headers: dict = field(default_factory=dict)
    message: Message = field(default_factory=Message)
    acked: bool = False

    def ack(self):
        self.acked = True


class ScriptedProducer:
    """Takes what it is given, unless a topic's script says otherwise; `taken` is what the broker has."""

    def __init__(self):
        self.taken = []
        self.attempts = []
        self.refusals = {}  # topic -> errors, one for each attempt
        self.confirmed = asyncio.Event()  # cleared: the broker does not answer
        self.confirmed.set()
        self.asked = asyncio.Event()

    async def send(self, topic, key, value, partition, timestamp, headers):
        self.attempts.append(topic)
        self.asked.set()
        script = self.refusals.get(topic, [])
        error = script.pop(0) if script else None
        if isinstance(error, KafkaError) and getattr(error, "at_once", False):
            raise ProducerSendError("refused") from error  # as Faust's producer does
        return asyncio.ensure_future(self._deliver(Record(topic, key, value, headers, partition), error))

    async def _deliver(self, record, error):
        await self.confirmed.wait()
        if error is not None:
            raise error
        self.taken.append(record)


@pytest.fixture
def event():
    return lambda value=b"{}", headers=None, **message: FakeEvent(value, headers or {}, Message(**message))


class HandFlushed(Ledger):
    """A ledger that its test flushes by hand."""

    def start(self):
        pass


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

    return lambda **changes: HandFlushed(counts, changes.pop("health", health), write, **{"grace_s": 10.0, **changes})


@pytest.fixture
def ledger(new_ledger):
    return new_ledger()


@pytest.fixture
def deduplication():
    return Deduplication(600, {}, lambda route: "text", set)


@pytest.fixture
def delivery(sender, topics, deduplication, counts):
    failures = FailureReporter(topics.failures, Settings().kafka_max_message_bytes)
    return Delivery(sender.send, topics, failures, deduplication, counts)
