"""The process stage when mappings break or flood: who fails, who goes on, and what waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any
from unittest.mock import AsyncMock

import orjson
import pytest

from agents.process import Processing
from processors.routes.breaker import BreakerLimits
from processors.routes.route import RouteTexts, compile_route
from processors.routes.routes import Routes
from streams.delivery.record import Record
from streams.delivery.result import Delivery
from streams.faust_patches.fetched_record import FetchedRecord
from streams.health import Health
from streams.routes.breaker import FailureBreaker
from streams.routes.sandbox.mapping_process import SandboxPlan
from streams.routes.sandbox.sandbox import Sandbox

MAPPING = """
{"detail": {"number": number, "v": poison ? $count($distinct([1..90000])) : good ? 1 : $error("not good")}}
"""
TEXTS = RouteTexts("only", "", "test", "test", None, "", "$not($exists(out))", MAPPING, {}, ())


@dataclass
class Sent:
    """What the stage sent, batch by batch."""

    batches: list[list[Record]] = field(default_factory=list)

    async def __call__(self, records: Any) -> None:
        self.batches.append(list(records))
        await asyncio.sleep(0)

    @property
    def records(self) -> list[Record]:
        return [record for batch in self.batches for record in batch]

    def on(self, topic: str) -> list[Any]:
        return [orjson.loads(record.value) for record in self.records if record.topic.endswith(topic)]


def message(number: int, **fields: Any) -> Any:
    body = {"id": f"call-{number}", "number": number, "good": True}
    return FetchedRecord("genesys.raw", 0, number, 1_000, b"k", orjson.dumps(body | fields))


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture
def guard() -> FailureBreaker:
    return FailureBreaker(BreakerLimits(0.5, 10, 60.0), Health())


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    made = Sandbox(SandboxPlan((TEXTS,), 0.2, 128 * 1024 * 1024, 100_000), lambda _: None)
    yield made
    await made.close()


@pytest.fixture
def stage(sent: Sent, guard: FailureBreaker, sandbox: Sandbox, delivery: Delivery) -> Processing:
    routes = Routes([compile_route(TEXTS)])
    return Processing(
        lambda: sandbox, guard, replace(delivery, send=sent), lambda: routes, AsyncMock(return_value=True)
    )


async def test_a_poisoned_event_alone_becomes_a_failure_record(stage: Processing, sent: Sent, guard: FailureBreaker):
    await stage.process([message(0), message(1, poison=True), message(2)])
    assert [entry["detail"]["number"] for entry in sent.on("validated")] == [0, 2]
    [failure] = sent.on("failures")
    assert (failure["stage"], failure["error"], failure["route"]) == ("transform", "MappingTimeout", "only")
    assert failure["originalEvent"]["number"] == 1
    assert failure["origin"] == {"topic": "genesys.raw", "partition": 0, "offset": 1}


async def test_each_event_ends_once_in_the_order_of_the_batch(stage: Processing, sent: Sent, guard: FailureBreaker):
    kinds: list[dict[str, Any]] = [{}, {"out": True}, {"good": False}, {}]
    batch = [message(number, **kinds[number % 4]) for number in range(12)]
    await stage.process([*batch, FetchedRecord("genesys.raw", 0, 12, 1_000, b"k", b"{")])
    assert [record.topic.rpartition(".")[2] for record in sent.records] == [
        *["validated", "failures", "validated"] * 3,
        "failures",
    ]


async def test_nothing_is_sent_of_a_flood_until_an_operator_resumes(
    stage: Processing, sent: Sent, guard: FailureBreaker
):
    working = asyncio.create_task(stage.process([message(number, good=False) for number in range(20)]))
    await _until_paused(guard)
    assert not sent.records
    assert not working.done()
    guard.resume()
    await working
    assert len(sent.on("failures")) == 20


async def test_the_batch_behind_a_paused_one_waits_for_it(
    stage: Processing, sent: Sent, guard: FailureBreaker, sandbox: Sandbox
):
    first = asyncio.create_task(stage.process([message(number, good=False) for number in range(20)]))
    await _until_paused(guard)
    second = asyncio.create_task(stage.process([message(20)]))
    await sandbox.apply([])  # after the second batch, as callers are served in their order
    assert not second.done()
    guard.resume()
    await asyncio.gather(first, second)
    assert [len(batch) for batch in sent.batches] == [20, 1]


async def test_batches_are_sent_in_their_order_even_when_one_takes_longer(
    stage: Processing, sent: Sent, guard: FailureBreaker
):
    slow = [message(0), message(1, poison=True)]
    await asyncio.gather(stage.process(slow), stage.process([message(2)]), stage.process([message(3)]))
    assert [entry["detail"]["number"] for entry in sent.on("validated")] == [0, 2, 3]


async def test_malformed_bytes_are_no_flood(stage: Processing, sent: Sent, guard: FailureBreaker):
    batch = [message(number) for number in range(30)]
    for event in batch:
        event.value = b"{garbage"
    await stage.process(batch)
    assert len(sent.on("failures")) == 30
    assert not guard.paused


async def _until_paused(guard: FailureBreaker) -> None:
    async with asyncio.timeout(30):
        while not guard.paused:  # noqa: ASYNC110  # the guard tells nobody
            await asyncio.sleep(0.01)
