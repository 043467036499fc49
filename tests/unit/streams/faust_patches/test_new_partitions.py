"""Tests of partitions that a topic was given a moment ago: the producer hears of them before anything is sent there."""

from types import SimpleNamespace

import pytest
from aiokafka.errors import UnknownTopicOrPartitionError

from streams.faust_patches.new_partitions import know


class Client:
    """aiokafka's client: it knows `known` partitions, and the brokers have one more each time that it asks."""

    def __init__(self, known, brokers):
        self.known, self.brokers, self.asked = known, list(brokers), 0
        self.cluster = SimpleNamespace()

    async def _wait_on_metadata(self, topic):
        return set(range(self.known))

    async def force_metadata_update(self):
        self.asked += 1
        self.known = self.brokers.pop(0)


async def test_a_partition_that_is_known_is_not_asked_for():
    client = Client(4, [])
    await know(client, "raw", 3)
    assert client.asked == 0


async def test_a_new_one_is_known_once_the_brokers_were_asked():
    client = Client(4, [6])
    await know(client, "raw", 5)
    assert (client.asked, client.known) == (1, 6)


async def test_one_that_the_brokers_do_not_know_yet_can_be_asked_for_again():
    client = Client(4, [4, 6])
    with pytest.raises(UnknownTopicOrPartitionError, match="raw has no partition 5 yet"):
        await know(client, "raw", 5)
    assert UnknownTopicOrPartitionError.retriable
    await know(client, "raw", 5)
