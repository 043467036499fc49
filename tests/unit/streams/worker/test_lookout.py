"""Tests of what is looked at again while a worker runs: buses that go and come, a queue, partitions."""

import pytest

from clients.aws.client import open_client
from clients.aws.events.bus_lane import at_once
from clients.aws.sqs_sender import Queue
from emulators.aws import Faults, RequestFault
from processors.routes.routes import Routes
from settings import load_settings
from streams.delivery.publishing import PART, Buses
from streams.topology import companion_of, needed_topics, short_changelogs
from streams.worker.exporter import PutEventsMetrics
from streams.worker.lookout import PARTITIONS, QUEUE, QUEUE_S, Lookout


@pytest.fixture
def settings(aws):
    return load_settings(
        aws_endpoint_url=aws.url, aws_region="eu-west-1", eventbus_name="orders",
        dlq_queue_url=f"{aws.url}/123456789012/failures",
    )  # fmt: skip


class OneQueue:
    """A dead-letter queue that is open already."""

    def __init__(self, queue):
        self.queue = queue

    async def open(self):
        return self.queue


class Kafka:
    """What the brokers have, and how often the consumer was to ask for it."""

    def __init__(self, settings):
        self.known, self.followed = dict.fromkeys(needed_topics(settings), 6), 0

    async def partitions(self, topics):
        return {name: self.known[name] for name in topics}

    async def follow_partitions(self):
        self.followed += 1


@pytest.fixture
async def lookout(settings, health, counts):
    async with open_client(settings, "events") as events, open_client(settings, "sqs") as sqs:

        async def client():
            return events

        buses = Buses(settings, health, counts, client, PutEventsMetrics(), at_once)
        queue = OneQueue(Queue(sqs, settings.dlq_queue_url, on_trouble=health.observer("sqs")))
        made = Lookout(settings, health, lambda: Routes([]), buses, queue, Kafka(settings))
        made.buses, made.kafka = buses, made._kafka
        yield made


async def test_a_bus_that_is_gone_holds_until_it_is_there_again(aws, lookout, health):
    await lookout.look_at_buses()
    assert health.troubles() == {}
    aws.state.buses._buses.pop("orders")
    await lookout.look_at_buses()
    assert "event bus orders: does not exist (create it" in health.troubles()[PART]["reason"]
    assert (await lookout.buses.open()).is_gone("orders")
    aws.state.buses.add("orders")
    await lookout.look_at_buses()
    assert health.troubles() == {}


async def test_a_bus_that_may_not_be_described_is_taken_on_trust(aws, lookout, health):
    aws.faults = Faults(requests=(RequestFault(kind="answer", code="AccessDeniedException"),))
    await lookout.look_at_buses()
    assert health.troubles() == {}


async def test_a_bus_that_could_not_be_looked_at_at_the_start_waits_for_a_look(aws, lookout, health):
    lookout.buses.unseen = {"orders": "AWS did not answer"}
    aws.faults = Faults(requests=(RequestFault(kind="unavailable", operation="DescribeEventBus"),))
    await lookout.look_at_buses()
    assert "ServiceUnavailable" in health.troubles()[PART]["reason"]
    aws.faults = Faults()
    await lookout.look_at_buses()
    assert health.troubles() == {}


async def test_an_outage_of_the_look_alone_stops_nothing(aws, lookout, health):
    await lookout.look_at_buses()
    aws.faults = Faults(requests=(RequestFault(kind="unavailable", operation="DescribeEventBus"),))
    await lookout.look_at_buses()
    assert health.troubles() == {}


async def test_a_queue_that_is_gone_is_told_though_nothing_is_sent(aws, lookout, health):
    now = 0.0
    lookout._clock = lambda: now
    await lookout.look_at_queue()
    assert health.troubles() == {}
    aws.state.queues.delete(aws.state.queues["failures"])
    await lookout.look_at_queue()
    assert health.troubles() == {}, "one that was there is looked at once a minute"
    now = QUEUE_S
    await lookout.look_at_queue()
    assert "does not exist" in health.troubles()[QUEUE]["reason"]
    aws.state.queues.add("failures")
    await lookout.look_at_queue()
    assert health.troubles() == {}


async def test_a_topic_with_more_partitions_than_its_changelog_is_told(settings, lookout, health):
    known = lookout.kafka.known
    await lookout.look_at_partitions()
    assert health.troubles() == {}
    lookout.kafka.followed = 0
    known[settings.topic("raw")] = 8
    await lookout.look_at_partitions()
    reason = health.troubles()[PARTITIONS]["reason"]
    assert "restart the workers" in reason
    assert "recent-changelog to 8" in reason
    assert lookout.kafka.followed == 0, "the group would share out what it cannot read"
    known.update(short_changelogs(settings, known))
    await lookout.look_at_partitions()
    assert health.troubles() == {}


async def test_a_topic_without_a_changelog_is_followed_once(settings, lookout, health):
    known = lookout.kafka.known
    await lookout.look_at_partitions()
    assert lookout.kafka.followed == 1, "the group may have shared out what there was before the first look"
    known[settings.topic("validated")] = 8
    await lookout.look_at_partitions()
    await lookout.look_at_partitions()
    assert (health.troubles(), lookout.kafka.followed) == ({}, 2)


def test_only_changelogs_with_fewer_partitions_than_their_companions_are_short(settings):
    known = dict.fromkeys(needed_topics(settings), 6)
    assert short_changelogs(settings, known) == {}
    known[settings.topic("raw")] = 8
    [(name, number)] = short_changelogs(settings, known).items()
    assert (companion_of(settings, name), number) == (settings.topic("raw"), 8)
    del known[name]
    assert short_changelogs(settings, known) == {}
