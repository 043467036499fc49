"""The shortest of the faults that decide, on three brokers; `make faults` puts the pipeline to all of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kafka.cluster import KafkaCluster
from tests.kafka.faults.cases import CASES
from tests.kafka.faults.preparation import prepare
from tests.kafka.faults.runner import Result, run

EVENTS = 300

#: Of the time that the suite lets a fault of AWS or Genesys last.
SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Faults:
    """Puts workers to faults, with topics, bus and queue of their own each time."""

    cluster: KafkaCluster
    folder: Path

    def result(self, name: str) -> Result:
        prepared = prepare(CASES[name], self.cluster, EVENTS, self.folder, SHARE)
        try:
            return run(prepared, lambda _: None)
        finally:
            prepared.close()


@pytest.fixture
def faults(kafka_cluster: KafkaCluster, tmp_path: Path) -> Faults:
    return Faults(kafka_cluster, tmp_path)


def test_killed_between_accepted_and_commit(faults: Faults):
    result = faults.result("killed-accepted-uncommitted")
    assert result.ok, result
    assert result.account.duplicates > 0, "what the bus had and nobody committed must come again"


def test_killed_between_sent_and_acked(faults: Faults):
    result = faults.result("killed-sent-unacked")
    assert result.ok, result


@pytest.mark.parametrize("name", ["stopped-full-buffers", "throttled", "queue-away", "token-revoked"])
def test_nothing_is_lost(faults: Faults, name: str):
    result = faults.result(name)
    assert result.ok, result
