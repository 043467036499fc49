"""Tests of the app as the owner of its parts: what belongs together changes and ends together, in its order."""

import asyncio
from types import SimpleNamespace

import orjson
import pytest
from structlog.testing import capture_logs

from processors.routes.routes import Routes
from settings import load_settings
from streams.app import create_app


@pytest.fixture
def app(new_ledger):
    made = create_app(load_settings())
    made.ledger = new_ledger()
    return made


def test_two_apps_share_nothing(app):
    other = create_app(load_settings())
    app.health.trouble("kafka", "no answer")
    app.counts.add("ingested")
    assert other.counts.drain() is None
    assert "kafka" not in other.health.troubles()


async def test_other_routes_are_taken_over_by_all_that_work_with_them(app):
    heard = []

    async def renew():
        heard.append("sandboxes")

    app.sandboxes = SimpleNamespace(renew=renew)
    app.breaker = SimpleNamespace(renew=lambda: heard.append("breaker"))
    app.deduplication = SimpleNamespace(forget_fingerprints=lambda: heard.append("deduplication"))
    routes = Routes([])
    await app.take_over(routes)
    assert app.routes_in_use() is routes
    assert sorted(heard) == ["breaker", "deduplication", "sandboxes"]


def test_what_is_odd_in_a_route_is_in_the_log(app):
    texts = SimpleNamespace(name="calls", warnings=("it has no example",))
    with capture_logs() as logs:
        app._use([SimpleNamespace(name="calls", texts=texts)])
    assert [(line["log_level"], line["on"]) for line in logs] == [("warning", "route calls: it has no example")]


async def test_who_still_counts_is_ended_before_the_last_counts_are_written(app, counts, producer):
    async def close():
        counts.add("ingested")

    app.readers = SimpleNamespace(close=close)
    await app.on_before_shutdown.send()
    assert orjson.loads(producer.taken[-1].value)["counts"] == {"ingested": 1}


async def test_a_client_of_aws_is_opened_once_however_many_ask(app):
    async with app.async_exit_stack:
        first, second = await asyncio.gather(app.aws.open("events"), app.aws.open("events"))
        assert first is second
