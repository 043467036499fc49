"""Tests that a recovery waits for a Kafka that does not answer, instead of ending the worker or itself."""

from __future__ import annotations

import asyncio
from collections import Counter
from types import SimpleNamespace

import pytest
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError, TopicAuthorizationFailedError
from faust.tables.recovery import RebalanceAgain, Recovery
from faust.types import TP

from tests.unit.streams.faust_patches.fake_consumer import unpatched

TABLE = TP("changelog", 0)


class Brokers:
    """A consumer that is refused by each error once, and then answered."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

    async def highwaters(self, *tps: TP) -> dict[TP, int]:
        if self.errors:
            raise self.errors.pop(0)
        return dict.fromkeys(tps, 7)

    earliest_offsets = highwaters


async def at_once(seconds: float) -> None:
    """Sleeps no time."""


@pytest.fixture
def made() -> Recovery:
    conf = SimpleNamespace(stream_recovery_delay=0.0, broker_request_timeout=30.0)
    made = Recovery(SimpleNamespace(conf=conf), SimpleNamespace())  # type: ignore[arg-type]
    made.sleep = at_once  # type: ignore[method-assign]
    return made


ERRORS = (KafkaTimeoutError("no answer"), KafkaConnectionError("gone"))


async def test_highwaters_are_asked_until_brokers_answer(made: Recovery):
    found: Counter[TP] = Counter()
    await made._build_highwaters(Brokers(*ERRORS), {TABLE}, found, "active")
    assert found == {TABLE: 6}


async def test_beginnings_are_asked_until_brokers_answer(made: Recovery):
    found: Counter[TP] = Counter({TABLE: 2})
    await made._build_offsets(Brokers(*ERRORS), {TABLE}, found, "active")
    assert found == {TABLE: 6}


async def test_a_refusal_is_no_silence(made: Recovery):
    with pytest.raises(TopicAuthorizationFailedError):
        await made._build_highwaters(Brokers(TopicAuthorizationFailedError()), {TABLE}, Counter(), "active")


async def test_stock_faust_takes_a_time_out_for_the_stop_of_the_worker(made: Recovery):
    with pytest.raises(Exception) as found:  # noqa: PT011  # of a copy of the module, so of another class
        await unpatched(Recovery)._wait(made, asyncio.sleep(60), 0.01)
    assert type(found.value).__name__ == "ServiceStopped"


async def test_what_takes_longer_than_its_time_out_is_waited_for(made: Recovery):
    ended = []

    async def slow() -> None:
        await asyncio.sleep(0.05)
        ended.append(True)

    await made._wait(slow(), 0.001)
    assert ended


async def test_another_rebalance_ends_the_wait(made: Recovery):
    made.signal_recovery_start.set()
    with pytest.raises(RebalanceAgain):
        await made._wait(asyncio.sleep(60), 0.001)
