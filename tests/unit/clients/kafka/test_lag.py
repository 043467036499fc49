"""Tests of the group's lag on the embedded broker: what is told is what was committed and written."""

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, UnknownTopicOrPartitionError

from clients.kafka import lag
from clients.kafka.lag import LagReader
from emulators.kafka import EmbeddedKafka
from settings import Settings
from tests.outside_commit import commit

BEGAN_MS = 1_700_000_000_000


@pytest.fixture(scope="module")
def kafka():
    with EmbeddedKafka() as broker:
        yield broker


@pytest.fixture
async def settings(kafka, monkeypatch):
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka.bootstrap_servers)
    return Settings()


async def write(kafka, topic, number):
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers)
    await producer.start()
    for at_ms in range(number):
        await producer.send_and_wait(topic, b"x", partition=0, timestamp_ms=BEGAN_MS + at_ms)
    await producer.stop()


async def test_lag_and_the_oldest_unread_record_are_told(kafka, settings):
    await write(kafka, "lag-told", 5)
    reader = LagReader(settings, ("lag-told", "lag-not-there-yet"))
    found = {(one.topic, one.partition): one for one in await reader.measure()}
    place = found["lag-told", 0]
    assert (place.committed, place.end, place.lag, place.oldest_ms) == (0, 5, 5, BEGAN_MS)
    await commit(kafka.bootstrap_servers, settings.group, "lag-told", 3)
    place = next(one for one in await reader.measure() if (one.topic, one.partition) == ("lag-told", 0))
    assert (place.lag, place.oldest_ms) == (2, BEGAN_MS + 3)
    await commit(kafka.bootstrap_servers, settings.group, "lag-told", 5)
    place = next(one for one in await reader.measure() if (one.topic, one.partition) == ("lag-told", 0))
    assert (place.lag, place.oldest_ms) == (0, None)
    await reader.close()


async def test_nobody_who_answers_is_an_error_and_closing_twice_is_none(settings, monkeypatch):
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    reader = LagReader(Settings(), ("raw",))
    with pytest.raises(Exception, match="bootstrap"):
        await reader.measure()
    await reader.close()
    await reader.close()


async def test_a_topic_that_brokers_forget_for_a_moment_is_not_one_without_lag(kafka, settings, monkeypatch):
    await write(kafka, "lag-forgotten", 5)
    reader = LagReader(settings, ("lag-forgotten",))
    assert sum(one.lag for one in await reader.measure()) == 5
    cluster, told = reader._consumer._client.cluster, reader._consumer._client.cluster._partitions
    cluster._partitions = {}
    with pytest.raises(UnknownTopicOrPartitionError, match="lag-forgotten"):
        await reader.measure()
    assert cluster._partitions.keys() == told.keys(), "it has asked again"
    assert sum(one.lag for one in await reader.measure()) == 5
    await reader.close()


async def test_brokers_that_tell_of_no_topics_are_an_error(kafka, settings, monkeypatch):
    reader = LagReader(settings, ("lag-untold",))
    await reader.measure()
    reader._topics = ("lag-untold", "another")

    async def none(*_):
        return False

    monkeypatch.setattr(reader._consumer._client, "_metadata_update", none)
    with pytest.raises(KafkaConnectionError):
        await reader.measure()
    await reader.close()


async def test_how_long_a_topic_keeps_records_stays_known_while_nobody_says_so(settings, monkeypatch):
    told = [{"raw": 5, "validated": 7}, {"validated": None}, {}]

    async def retention(*_):
        return told.pop(0)

    monkeypatch.setattr(lag, "retention_ms", retention)
    monkeypatch.setattr(lag, "RETENTION_S", -1.0)
    reader = LagReader(settings, ("raw", "validated"))
    for _ in range(3):
        await reader._ask_retention()
    assert reader._kept == {"raw": 5, "validated": None}
