"""Whole demos with faults: the worker's ledger against the emulators' own, also after replay, redrive and backfill."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import orjson
import pytest
from confluent_kafka import Producer

from processors.metrics.counts import empty
from streams.demo.accounts import Account, DemoLedger
from streams.demo.stack import Options, Stack
from tests import forked, http
from tests.kafka.pipeline import free_ports, read_topic, wait_until

ROOT = Path(__file__).resolve().parents[2]
EVENTS = 300

#: What the worker and the books from outside both count.
COMPARED = ("ingested", "published", "filtered", "failed")


@pytest.fixture(params=["stream", "notifications"])
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    [port] = free_ports(1)
    with Stack(Options(EVENTS, request.param, faults=True, rate=0.0, port=port)) as made:
        yield made


def ask(stack: Stack, path: str) -> dict[str, Any]:
    try:
        answer = http.get(f"{stack.web}{path}")
    except httpx.TransportError:  # the worker starts
        return {}
    return dict(answer.json()) if answer.status_code == 200 else {}


def settled(stack: Stack, counter: str = "raw", least: int = 1) -> dict[str, Any]:
    """The report once nothing is in flight, Kafka agrees, and a counter has come so far."""

    def report() -> dict[str, Any] | None:
        found = ask(stack, "/api/report/")
        rests = found and found["inFlight"] == 0 and found["waiting"] == 0 and found[counter] >= least
        return found if rests else None

    wait_until("everything to end", report)
    found = wait_until(
        "the law to be held against Kafka", lambda: found if (found := report()) and found["balanced"] else None
    )
    assert found["missing"] == 0
    assert found["raw"] == sum(found[name] for name in ("published", "filtered", "failed", "repeated", "expired"))
    return found


def outside(stack: Stack, ask: Callable[[DemoLedger], Awaitable[Any]]) -> Any:
    """What the books say that are kept from outside."""

    async def read() -> Any:
        async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
            kafka = stack.environment["KAFKA_BOOTSTRAP_SERVERS"]
            books = DemoLedger(stack.genesys, stack.aws, stack.web, kafka, client, stack.options.source)
            try:
                return await ask(books)
            finally:
                await books.close()

    return asyncio.run(read())


def account(stack: Stack) -> Account:
    return cast(Account, outside(stack, lambda books: books.account()))


def run(stack: Stack, *arguments: str) -> dict[str, Any]:
    ended = forked.run([*arguments, "--json"], {**stack.environment, "PYTHONPATH": str(ROOT)})
    assert ended.code == 0, ended.err
    return dict(json.loads(ended.out))


def brings_nothing_else(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Whether `raw` got what commands brought, and beyond that only repetitions: the source's sockets are cut on."""
    brought = sum(after[name] - before[name] for name in ("replayed", "backfilled"))
    return bool(0 <= after["raw"] - before["raw"] - brought <= after["repeated"] - before["repeated"])


def bring_counts_again(stack: Stack) -> None:
    """Write every delta once more, as the tables' next owner reads those that the last one had not committed."""
    kafka, topic = stack.environment["KAFKA_BOOTSTRAP_SERVERS"], "genesys.metrics"
    deltas = [one for one in read_topic(kafka, topic) if "counts" in orjson.loads(one.value() or b"{}")]
    assert deltas
    producer = Producer({"bootstrap.servers": kafka})
    for one in deltas:
        producer.produce(topic, one.value(), one.key())
    last = {**empty(), "by": "another worker", "number": 1, "counts": {"unchanged": 1}}
    producer.produce(topic, orjson.dumps(last), deltas[0].key())
    assert producer.flush(60) == 0


def test_the_law_holds_over_faults_and_what_commands_bring(stack: Stack) -> None:
    def all_are_in() -> bool:
        stack.check()
        is_there = ask(stack, "/api/report/").get("ingested", 0) >= EVENTS
        return is_there and bool(outside(stack, lambda books: books.all_sent(EVENTS)))

    wait_until("the events, and what is fetched for gaps", all_are_in)
    first = settled(stack)
    found = account(stack)
    assert found.lost == 0
    assert {name: first[name] for name in COMPARED} == {name: getattr(found, name) for name in COMPARED}

    replayed = run(stack, "replay", "--from", "raw", "--into", "raw")
    second = settled(stack, "replayed", replayed["written"])
    assert second["replayed"] == replayed["written"]
    assert brings_nothing_else(first, second)
    if stack.options.source == "stream":  # a socket that is cut may bring something again
        assert second["ingested"] == first["ingested"]
    assert account(stack).published == first["published"], "the same events, with the same ids"

    if second["failed"]:
        redriven = run(stack, "redrive", "--yes")
        third = settled(stack, "failures", second["failures"] + redriven["redriven"])
        assert third["redriven"] == redriven["redriven"] > 0
        assert third["failed"] == second["failed"], "what is wrong fails again: each is one open failure"
        assert third["failures"] == second["failures"] + redriven["redriven"]
        assert brings_nothing_else(second, third)

    if stack.options.source == "notifications":
        filled = run(stack, "backfill", "--since", "1h")
        after = settled(stack, "backfilled", filled["written"])
        assert after["backfilled"] == filled["written"] > 0
        assert brings_nothing_else(second, after)

    before = ask(stack, "/api/report/")
    bring_counts_again(stack)
    again = settled(stack, "unchanged", before["unchanged"] + 1)
    if stack.options.source == "stream":
        assert again == {**before, "unchanged": before["unchanged"] + 1}, "no delta is added twice"
