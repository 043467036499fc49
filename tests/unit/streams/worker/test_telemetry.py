"""Tests of what is told to CloudWatch: nothing counted is lost, and nothing that is wrong there ends the worker."""

import pytest

from clients.aws.client import AwsConfigurationError
from processors.metrics.counts import Counts
from streams.worker import telemetry


@pytest.fixture
def sums(monkeypatch):
    made = telemetry.WorkerSums()
    monkeypatch.setattr(telemetry, "worker_sums", made)
    counts = Counts()
    counts.add("ingested", 3)
    made.listen(counts.drain())
    return made


async def test_what_cloudwatch_does_not_take_is_sent_the_next_time(sums, monkeypatch):
    answers, sent = ["Throttling", None], []

    async def put(client, namespace, sending):
        sent.append(sending["counts"]["ingested"])
        return answers.pop(0)

    async def client():
        return None

    monkeypatch.setattr(telemetry, "put_metrics", put)
    monkeypatch.setattr(telemetry, "_client", client)
    for _ in range(3):
        await telemetry.send_metrics()
    assert sent == [3, 3], "and nothing when nothing is new"


async def test_without_a_region_the_worker_goes_on_and_says_what_to_set(sums, monkeypatch, capsys):
    async def client():
        raise AwsConfigurationError("no AWS region: set AWS_REGION")

    monkeypatch.setattr(telemetry, "_client", client)
    await telemetry.send_metrics()
    assert sums.unsent["counts"] == {"ingested": 3}
    assert "set AWS_REGION, or set CLOUDWATCH_ENABLED=false" in capsys.readouterr().out
