"""An upgrade and a rollback on real Apache Kafka: a worker of an earlier commit (`UPGRADE_FROM`) beside one of this.

Not part of any other run: `UPGRADE_FROM=COMMIT python -m pytest tests/kafka/test_upgrade.py`.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.kafka.pipeline import Pipeline, Worker, wait_until

ROOT = Path(__file__).resolve().parents[2]
EARLIER = os.environ.get("UPGRADE_FROM")

pytestmark = pytest.mark.skipif(not EARLIER, reason="UPGRADE_FROM names no earlier commit")


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """The project as it was at that commit."""
    folder = tmp_path / "earlier"
    folder.mkdir()
    archive = subprocess.run(["git", "archive", str(EARLIER)], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "-x"], cwd=folder, input=archive.stdout, check=True)
    return folder


def published(worker: Worker) -> int:
    """What the tables have counted, by the worker that owns them."""
    answer = worker.get("/api/tables/totals/")
    rows = answer.json()["rows"] if answer is not None and answer.status_code == 200 else []
    return sum(row["counts"].get("published", 0) for row in rows)


def test_one_after_the_other_and_back(pipeline: Pipeline, earlier: Path):
    """Stop all, start all: nothing is lost, nothing comes twice, and the sums go on."""
    stop_at = 0
    for folder in (earlier, None, earlier, None):
        worker = pipeline.start(folder=folder)
        pipeline.feed(range(stop_at, stop_at + 200))
        stop_at += 200
        account = pipeline.settled(stop_at)
        assert (account.lost, account.duplicates) == ((), 0), (folder, account)
        wait_until("the sums to go on", lambda worker=worker: published(worker) == pipeline.on_bus())
        worker.stop()


def test_side_by_side_and_back(pipeline: Pipeline, earlier: Path):
    """A rolling upgrade: workers of both versions in one group, then only new ones, then back."""
    old = pipeline.start(folder=earlier)
    pipeline.feed(range(200))
    new = pipeline.start()
    pipeline.feed(range(200, 400))
    account = pipeline.settled(400)
    assert account.lost == (), account
    old.stop()
    pipeline.feed(range(400, 600))
    assert pipeline.settled(600).lost == ()
    back = pipeline.start(folder=earlier)
    pipeline.feed(range(600, 800))
    new.stop()
    pipeline.feed(range(800, 1000))
    account = pipeline.settled(1000)
    assert account.lost == (), account
    back.stop()
