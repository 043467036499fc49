import base64
import json
import signal
import subprocess
import sys
import time
import uuid

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaError, NotCoordinatorForGroupError
from aiokafka.helpers import create_ssl_context

from clients.kafka import offset_fetch
from tests.kafka import distribution
from tests.kafka.broker import BrokerError, free_ports
from tests.kafka.cluster import KafkaCluster
from tests.outside_commit import commit


async def round_trip(bootstrap_servers, topic, **security):
    """Write three records with acks=all, read them back in a group, and give their values."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap_servers, acks="all", enable_idempotence=True, **security)
    async with producer:
        for value in (b"one", b"two", b"three"):
            await producer.send_and_wait(topic, value, key=b"same")
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap_servers, group_id=topic, auto_offset_reset="earliest", **security
    )
    async with consumer:
        return [(await consumer.getone()).value for _ in range(3)]


def unsecured_token(subject):
    """A JWS with alg none, as Kafka's handler for tests takes it."""
    now = int(time.time())
    parts = ({"alg": "none"}, {"sub": subject, "iat": now, "exp": now + 600})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, ""])


class UnsecuredTokens(AbstractTokenProvider):
    async def token(self):
        return unsecured_token("worker")


async def test_one_broker_takes_and_gives_back(kafka):
    topic = f"one-broker-{time.time_ns()}"
    kafka.create_topics(topic)
    assert await round_trip(kafka.bootstrap_servers, topic) == [b"one", b"two", b"three"]


async def test_three_brokers_take_and_give_back(kafka_cluster):
    kafka_cluster.create_topics("three-brokers")
    assert await round_trip(kafka_cluster.bootstrap_servers, "three-brokers") == [b"one", b"two", b"three"]


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
async def test_acks_all_goes_on_without_one_broker_of_three_and_nothing_is_missing(kafka_cluster, kill):
    topic = f"one-away-{kill}"
    kafka_cluster.create_topics(topic)
    producer = AIOKafkaProducer(bootstrap_servers=kafka_cluster.bootstrap_servers, acks="all", enable_idempotence=True)
    async with producer:
        before = [await producer.send_and_wait(topic, b"before", partition=p) for p in range(4)]
        kafka_cluster.stop_broker(1, kill=kill)
        after = [await producer.send_and_wait(topic, b"after", partition=p) for p in range(4)]
    kafka_cluster.start_broker(1)
    kafka_cluster.wait_ready()
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka_cluster.bootstrap_servers, auto_offset_reset="earliest")
    async with consumer:
        read = [await consumer.getone() for _ in range(8)]
    written = {(record.partition, record.offset) for record in before + after}
    assert {(record.partition, record.offset) for record in read} == written


async def test_a_hanging_follower_delays_acks_all_only_until_it_is_left_out(kafka_cluster):
    kafka_cluster.create_topics("hang", partitions=1)
    follower = (kafka_cluster.leader("hang", 0) + 1) % 3
    producer = AIOKafkaProducer(bootstrap_servers=kafka_cluster.bootstrap_servers, acks="all")
    async with producer:
        await producer.send_and_wait("hang", b"before")
        kafka_cluster.freeze_broker(follower)
        try:
            assert (await producer.send_and_wait("hang", b"meanwhile")).offset == 1
        finally:
            kafka_cluster.thaw_broker(follower)
    kafka_cluster.wait_ready()


async def test_another_broker_is_no_group_without_commits(kafka_cluster):
    """As a broker that loads the group after another one has gone: aiokafka by itself reads its answer over."""
    topic, group = (f"{name}-{uuid.uuid4().hex[:8]}" for name in ("committed", "group"))
    servers, place = kafka_cluster.bootstrap_servers, TopicPartition(topic, 0)
    kafka_cluster.create_topics(topic)
    await commit(servers, group, topic, 5)
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        coordinator = consumer._coordinator
        await coordinator.ensure_coordinator_known()
        assert (await offset_fetch.do_fetch(coordinator, [place]))[place].offset == 5
        coordinator.coordinator_id = coordinator.coordinator_id % 3 + 1
        assert await offset_fetch._do_fetch(coordinator, [place]) == {}, "mended upstream: the patch can go"
        with pytest.raises(NotCoordinatorForGroupError):
            await offset_fetch.do_fetch(coordinator, [place])
        await coordinator.ensure_coordinator_known()  # it looks for the right one
        assert (await offset_fetch.do_fetch(coordinator, [place]))[place].offset == 5
    finally:
        await consumer.stop()


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_a_user_logs_in_over_tls(secured_kafka, mechanism):
    topic = f"login-{mechanism}"
    secured_kafka.create_topics(topic)
    values = await round_trip(
        secured_kafka.sasl_ssl_bootstrap,
        topic,
        security_protocol="SASL_SSL",
        sasl_mechanism=mechanism,
        sasl_plain_username=secured_kafka.username,
        sasl_plain_password=secured_kafka.password,
        ssl_context=create_ssl_context(cafile=str(secured_kafka.ca_file)),
    )
    assert values == [b"one", b"two", b"three"]


async def test_a_token_logs_in_over_tls(secured_kafka):
    secured_kafka.create_topics("login-token")
    values = await round_trip(
        secured_kafka.sasl_ssl_bootstrap,
        "login-token",
        security_protocol="SASL_SSL",
        sasl_mechanism="OAUTHBEARER",
        sasl_oauth_token_provider=UnsecuredTokens(),
        ssl_context=create_ssl_context(cafile=str(secured_kafka.ca_file)),
    )
    assert values == [b"one", b"two", b"three"]


async def test_a_client_certificate_is_enough(secured_kafka):
    secured_kafka.create_topics("login-certificate")
    files = secured_kafka.certificates
    context = create_ssl_context(
        cafile=str(files.authority_file),
        certfile=str(files.client_certificate_file),
        keyfile=str(files.client_key_file),
    )
    values = await round_trip(
        secured_kafka.ssl_bootstrap, "login-certificate", security_protocol="SSL", ssl_context=context
    )
    assert values == [b"one", b"two", b"three"]


async def test_a_wrong_password_is_refused(secured_kafka):
    producer = AIOKafkaProducer(
        bootstrap_servers=secured_kafka.sasl_ssl_bootstrap,
        security_protocol="SASL_SSL",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_plain_username=secured_kafka.username,
        sasl_plain_password="wrong",
        ssl_context=create_ssl_context(cafile=str(secured_kafka.ca_file)),
    )
    with pytest.raises(KafkaError):
        await producer.start()
    await producer.stop()


def test_a_broker_that_cannot_start_says_why(kafka):
    refused = KafkaCluster(properties={"log.retention.ms": "a week"})
    with pytest.raises(BrokerError, match=r"log\.retention\.ms"):
        refused.__enter__()


def test_a_missing_java_is_one_line_with_a_way_out(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(distribution.KafkaUnavailableError, match="KAFKA_BOOTSTRAP_SERVERS"):
        distribution.java()


def test_a_missing_maven_is_reported_only_when_the_jars_are_missing_too(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("KAFKA_JARS_DIR", str(tmp_path / "jars"))
    with pytest.raises(distribution.KafkaUnavailableError, match="Maven"):
        distribution.jars()
    (tmp_path / "jars").mkdir()
    (tmp_path / "jars" / "kafka_2.13-4.1.1.jar").touch()
    assert distribution.jars() == tmp_path / "jars"


def test_the_command_serves_until_it_is_interrupted(kafka):
    port = free_ports(1)[0]
    command = [sys.executable, "-m", "tests.kafka", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(30) == 0
    assert f"answers on 127.0.0.1:{port}" in first
    assert f"KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:{port}" in rest
