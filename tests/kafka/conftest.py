"""This module gives the tests below it real Kafka, or one line that says why there is none."""

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kafka import distribution
from tests.kafka.cluster import KafkaCluster
from tests.kafka.distribution import KafkaUnavailableError
from tests.kafka.outside import OutsideKafka
from tests.kafka.pipeline import Pipeline
from tests.kafka.shared import shared

HERE = Path(__file__).parent
# Read now: tests change the environment.
OUTSIDE = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
REQUIRED = os.environ.get("REQUIRE_KAFKA") == "1"
STARTED_HERE = {"kafka_cluster", "secured_kafka"} | (set() if OUTSIDE else {"kafka"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder; where Kafka cannot run, skip what needs it."""
    missing = None if REQUIRED else distribution.missing()
    for item in items:
        if not item.path.is_relative_to(HERE):
            continue
        item.add_marker(pytest.mark.kafka)
        if missing and STARTED_HERE.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.skip(reason=missing))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell all skips of this folder from one place, so that the summary folds them into one line.

    A failure comes with the end of each worker's log.
    """
    report = yield
    pipeline = getattr(item, "funcargs", {}).get("pipeline")
    if report.failed and isinstance(pipeline, Pipeline):
        for worker in pipeline.workers:
            report.sections.append((f"{worker.name}, exit code {worker.process.poll()}", worker.tail(12)))
    if report.skipped and isinstance(report.longrepr, tuple):
        report.longrepr = (str(HERE), None, report.longrepr[2])  # type: ignore[assignment]  # no line
    return report


@contextmanager
def _or_skip(cluster: KafkaCluster) -> Iterator[KafkaCluster]:
    reason = ""
    try:
        cluster.__enter__()
    except KafkaUnavailableError as error:
        reason = str(error)
    if reason and REQUIRED:
        pytest.fail(reason, pytrace=False)
    if reason:
        pytest.skip(reason)
    try:
        yield cluster
    finally:
        cluster.close()


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster | OutsideKafka]:
    """One broker for all processes of a run, or the Kafka that KAFKA_BOOTSTRAP_SERVERS names."""
    if OUTSIDE:
        yield OutsideKafka(OUTSIDE)
        return
    own = tmp_path_factory.getbasetemp()
    folder = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with shared(folder / "kafka", lambda: _or_skip(KafkaCluster())) as found:
        yield found


@pytest.fixture(scope="module")
def kafka_cluster() -> Iterator[KafkaCluster]:
    """Three brokers for one test file; a test that stops one starts it again."""
    with _or_skip(KafkaCluster(brokers=3)) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def secured_kafka() -> Iterator[KafkaCluster]:
    """One broker that also listens with SASL over TLS and with mutual TLS."""
    with _or_skip(KafkaCluster(security=True)) as cluster:
        yield cluster


@pytest.fixture
def pipeline(kafka: KafkaCluster | OutsideKafka, tmp_path: Path) -> Iterator[Pipeline]:
    """A whole pipeline on that Kafka, with topics of its own and no worker yet."""
    with Pipeline(kafka.bootstrap_servers, tmp_path) as pipeline:
        yield pipeline
