"""The shortest of the faults that decide, on three brokers; `make faults` puts the pipeline to all of them."""

from __future__ import annotations

import pytest

from tests.kafka.cluster import KafkaCluster
from tests.kafka.faults.runner import Result
from tests.kafka.faults.suite import CaseRunner, side_by_side

EVENTS = 300
LANES = 2

#: Of the time that the suite lets a fault of AWS or Genesys last.
SHARE = 0.3

CASES = (
    "killed-accepted-uncommitted",
    "killed-sent-unacked",
    "throttled",
    "token-revoked",
)


@pytest.fixture(scope="module")
def results(kafka_cluster: KafkaCluster, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """What each case came to: they run side by side, each with topics, workers, bus and queue of its own."""
    folder = tmp_path_factory.mktemp("faults")
    lanes = [CaseRunner(kafka_cluster, EVENTS, folder, lambda *_: None, SHARE, measured=False) for _ in range(LANES)]
    return {result.case: result for result in side_by_side(lanes, CASES)}


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_lost(results: dict[str, Result], case: str):
    result = results[case]
    assert result.ok, result
    assert result.account.events == EVENTS


def test_what_the_bus_had_and_nobody_committed_came_again(results: dict[str, Result]):
    assert results["killed-accepted-uncommitted"].account.duplicates > 0
