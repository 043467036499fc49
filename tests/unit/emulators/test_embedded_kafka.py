import json
import signal
import subprocess
import sys
import textwrap

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from emulators.kafka import PARTITIONS, EmbeddedKafka, EmbeddedKafkaError


@pytest.fixture(scope="module")
def broker():
    with EmbeddedKafka() as running:
        yield running


@pytest.mark.parametrize("idempotent", [False, True], ids=["plain", "idempotent"])
async def test_what_is_produced_is_consumed_by_a_group_and_committed(broker, idempotent):
    topic = f"round-trip-{idempotent}"
    async with AIOKafkaProducer(
        bootstrap_servers=broker.bootstrap_servers, acks="all", enable_idempotence=idempotent
    ) as producer:
        for number in range(5):
            await producer.send_and_wait(topic, b"%d" % number, key=b"one", headers=[("event-id", b"e")])
    options = {
        "group_id": topic,
        "auto_offset_reset": "earliest",
        "enable_auto_commit": False,
    }
    async with AIOKafkaConsumer(topic, bootstrap_servers=broker.bootstrap_servers, **options) as consumer:
        records = [await consumer.getone() for _ in range(5)]
        await consumer.commit()
    async with AIOKafkaConsumer(bootstrap_servers=broker.bootstrap_servers, **options) as consumer:
        partition = TopicPartition(topic, records[0].partition)
        consumer.assign([partition])
        assert await consumer.position(partition) == 5
    assert [record.value for record in records] == [b"0", b"1", b"2", b"3", b"4"]
    assert records[0].headers == (("event-id", b"e"),)


async def test_a_topic_appears_on_first_use_with_the_documented_partitions(broker):
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers) as producer:
        assert len(await producer.partitions_for("fresh")) == PARTITIONS


async def test_a_partition_keeps_only_its_newest_five_megabytes(broker):
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers) as producer:
        for _ in range(8):
            await producer.send_and_wait("full", bytes(900_000), partition=0)
    async with AIOKafkaConsumer("full", bootstrap_servers=broker.bootstrap_servers) as consumer:
        partition = next(p for p in consumer.assignment() if p.partition == 0)
        first = (await consumer.beginning_offsets([partition]))[partition]
        end = (await consumer.end_offsets([partition]))[partition]
    assert (first, end) == (3, 8)


async def test_async_context_manager_ends_the_process():
    async with EmbeddedKafka() as running:
        process = psutil.Process(running._process.pid)
        assert running.environment["KAFKA_BOOTSTRAP_SERVERS"] == running.bootstrap_servers
    assert not process.is_running()
    with pytest.raises(EmbeddedKafkaError, match="not running"):
        _ = running.bootstrap_servers


def test_two_brokers_run_side_by_side(broker):
    with EmbeddedKafka() as other:
        assert other.bootstrap_servers != broker.bootstrap_servers


def test_starting_twice_is_refused(broker):
    with pytest.raises(EmbeddedKafkaError, match="already running"):
        broker.start()


def test_silence_at_start_is_an_error_and_leaves_no_process():
    silent = EmbeddedKafka(start_timeout_s=0.0)
    with pytest.raises(EmbeddedKafkaError, match="did not answer"):
        silent.start()
    assert silent._process is None


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_the_command_prints_its_address_and_ends_on_a_signal(ending):
    command = [sys.executable, "-m", "emulators.kafka"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        address = json.loads(process.stdout.readline())["bootstrap_servers"]
        process.send_signal(ending)
        assert process.wait(10) == 0
    assert address.startswith("127.0.0.1:")


def test_the_broker_ends_when_its_parent_is_killed():
    program = textwrap.dedent(
        """
        import os, signal
        from emulators.kafka import EmbeddedKafka
        print(EmbeddedKafka().start()._process.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        orphan = psutil.Process(int(parent.stdout.readline()))
        parent.wait(10)
    _gone, alive = psutil.wait_procs([orphan], timeout=60)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
