"""Tests of changes to topics, on brokers that know no controller."""

from types import SimpleNamespace

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from clients.kafka import admin
from clients.kafka.cluster import is_unreachable
from settings import load_settings


class Brokers:
    """A client of brokers that choose a controller only when they are asked for the so-manieth time."""

    def __init__(self, after: int) -> None:
        self._after, self.asked = after, 0
        self.cluster = SimpleNamespace(controller=None)

    async def force_metadata_update(self) -> None:
        self.asked += 1
        if self.asked >= self._after:
            self.cluster.controller = SimpleNamespace(nodeId=1)


@pytest.fixture
def brokers(monkeypatch: pytest.MonkeyPatch):
    def known(after: int) -> None:
        async def start(self: AIOKafkaAdminClient) -> None:
            self._client = Brokers(after)

        async def send(self: AIOKafkaAdminClient, node: int, request: object) -> object:
            return SimpleNamespace(topic_errors=[("t", 0)])

        async def close(self: AIOKafkaAdminClient) -> None:
            pass

        for name, method in {"start": start, "_send_request_to_node": send, "close": close}.items():
            monkeypatch.setattr(AIOKafkaAdminClient, name, method)

    return known


async def test_without_a_controller_brokers_are_to_be_asked_again(brokers):
    brokers(after=2)
    with pytest.raises(admin.NoControllerError) as raised:
        await admin.create_topic(load_settings(), "t", 1, 1, {})
    assert is_unreachable(raised.value)
    assert str(raised.value) == "the brokers have no controller just now"


async def test_a_controller_that_is_just_not_known_yet_is_asked_for(brokers):
    brokers(after=1)
    await admin.create_topic(load_settings(), "t", 1, 1, {})
