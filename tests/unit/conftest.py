"""Fixtures of the stages' tests: a producer that answers by script, and events that remember their ack."""

import asyncio
from dataclasses import dataclass, field

import pytest
from aiokafka.errors import KafkaError
from faust.exceptions import ProducerSendError

from streams.app import app
from streams.delivery import send as sending
from streams.delivery import stage
from streams.delivery.ledger import Ledger
from streams.health import health


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
        return asyncio.ensure_future(self._deliver(sending.Record(topic, key, value, headers, partition), error))

    async def _deliver(self, record, error):
        await self.confirmed.wait()
        if error is not None:
            raise error
        self.taken.append(record)


@pytest.fixture
def event():
    return lambda value=b"{}", headers=None, **message: FakeEvent(value, headers or {}, Message(**message))


@pytest.fixture
def ledger(monkeypatch):
    """A ledger of this test alone, whose counts are the stages'."""
    made = Ledger()
    monkeypatch.setattr(stage, "ledger", made)
    monkeypatch.setattr(made, "start", lambda: None)  # the tests flush by hand
    return made


@pytest.fixture
def producer(monkeypatch):
    made = ScriptedProducer()

    async def start():
        return made

    monkeypatch.setattr(app, "maybe_start_producer", start)
    monkeypatch.setattr(sending, "outage_backoff", lambda attempt, chance: 0.0)
    yield made
    health.well("kafka")
