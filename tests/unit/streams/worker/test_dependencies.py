"""Tests of what is looked at again while a worker runs: buses that go and come, a queue, partitions."""

import pytest

from clients.aws.client import open_client
from clients.aws.events.bus_lane import at_once
from clients.aws.sqs_sender import QueueSender
from emulators.aws import Faults, RequestFault
from processors.routes.routes import Routes
from settings import load_settings
from streams.delivery.targets.buses import PART, Buses
from streams.topology import companion_of, needed_topics, short_changelogs
from streams.worker.dependencies import PARTITIONS, QUEUE, QUEUE_S, DependencyChecks
from streams.worker.exporter import PutEventsMetrics


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
async def checks(settings, health, counts):
    async with open_client(settings, "events") as events, open_client(settings, "sqs") as sqs:

        async def client():
            return events

        buses = Buses(settings, health, counts, client, PutEventsMetrics(), at_once)
        queue = OneQueue(QueueSender(sqs, settings.dlq_queue_url, on_trouble=health.observer("sqs")))
        made = DependencyChecks(settings, health, lambda: Routes([]), buses, queue, Kafka(settings))
        made.buses, made.kafka = buses, made._kafka
        yield made


async def test_a_bus_that_is_gone_holds_until_it_is_there_again(aws, checks, health):
    await checks.check_buses()
    assert health.troubles() == {}
    aws.state.buses._buses.pop("orders")
    await checks.check_buses()
    assert "event bus orders: does not exist (create it" in health.troubles()[PART]["reason"]
    assert (await checks.buses.open()).is_gone("orders")
    aws.state.buses.add("orders")
    await checks.check_buses()
    assert health.troubles() == {}


async def test_a_bus_that_may_not_be_described_is_taken_on_trust(aws, checks, health):
    aws.faults = Faults(requests=(RequestFault(kind="answer", code="AccessDeniedException"),))
    await checks.check_buses()
    assert health.troubles() == {}


async def test_a_bus_that_could_not_be_looked_at_at_the_start_waits_for_a_look(aws, checks, health):
    checks.buses.unseen = {"orders": "AWS did not answer"}
    aws.faults = Faults(requests=(RequestFault(kind="unavailable", operation="DescribeEventBus"),))
    await checks.check_buses()
    assert "ServiceUnavailable" in health.troubles()[PART]["reason"]
    aws.faults = Faults()
    await checks.check_buses()
    assert health.troubles() == {}


async def test_an_outage_of_the_look_alone_stops_nothing(aws, checks, health):
    await checks.check_buses()
    aws.faults = Faults(requests=(RequestFault(kind="unavailable", operation="DescribeEventBus"),))
    await checks.check_buses()
    assert health.troubles() == {}


async def test_a_queue_that_is_gone_is_told_though_nothing_is_sent(aws, checks, health):
    now = 0.0
    checks._clock = lambda: now
    await checks.check_queue()
    assert health.troubles() == {}
    aws.state.queues.delete(aws.state.queues["failures"])
    await checks.check_queue()
    assert health.troubles() == {}, "one that was there is looked at once a minute"
    now = QUEUE_S
    await checks.check_queue()
    assert "does not exist" in health.troubles()[QUEUE]["reason"]
    aws.state.queues.add("failures")
    await checks.check_queue()
    assert health.troubles() == {}


async def test_a_topic_with_more_partitions_than_its_changelog_is_told(settings, checks, health):
    known = checks.kafka.known
    await checks.check_partitions()
    assert health.troubles() == {}
    checks.kafka.followed = 0
    known[settings.topic("raw")] = 8
    await checks.check_partitions()
    reason = health.troubles()[PARTITIONS]["reason"]
    assert "restart the workers" in reason
    assert "recent-changelog to 8" in reason
    assert checks.kafka.followed == 0, "the group would share out what it cannot read"
    known.update(short_changelogs(settings, known))
    await checks.check_partitions()
    assert health.troubles() == {}


async def test_a_topic_without_a_changelog_is_followed_once(settings, checks, health):
    known = checks.kafka.known
    await checks.check_partitions()
    assert checks.kafka.followed == 1, "the group may have shared out what there was before the first look"
    known[settings.topic("validated")] = 8
    await checks.check_partitions()
    await checks.check_partitions()
    assert (health.troubles(), checks.kafka.followed) == ({}, 2)


def test_only_changelogs_with_fewer_partitions_than_their_companions_are_short(settings):
    known = dict.fromkeys(needed_topics(settings), 6)
    assert short_changelogs(settings, known) == {}
    known[settings.topic("raw")] = 8
    [(name, number)] = short_changelogs(settings, known).items()
    assert (companion_of(settings, name), number) == (settings.topic("raw"), 8)
    del known[name]
    assert short_changelogs(settings, known) == {}
