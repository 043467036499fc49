"""Tests of what is told to CloudWatch: nothing counted is lost, and nothing that is wrong there ends the worker."""

import pytest

from clients.aws.answers import AwsConfigurationError
from processors.metrics.counts import empty
from settings import Settings
from streams.worker.telemetry import Telemetry, WorkerSums


@pytest.fixture
def sums(counts):
    made = WorkerSums()
    counts.add("ingested", 3)
    made.listen(counts.drain())
    return made


def nobody_s():
    """The group's sums, on a worker that does not own them."""


async def test_what_cloudwatch_does_not_take_is_sent_the_next_time(sums):
    answers, sent = ["Throttling", None, None], []

    async def put(client, namespace, data):
        sent.append((client, {one["MetricName"]: one["Value"] for one in data}))
        return answers.pop(0)

    async def aws(service):
        return service

    telemetry = Telemetry(Settings(), sums, nobody_s, aws, lambda: {"LagSeconds": 7}, put)
    for _ in range(3):
        await telemetry.report_to_cloudwatch()
    assert [values["EventsIngested"] for _, values in sent] == [3, 3, 0], "and zeros when nothing is new"
    assert all((client, values["LagSeconds"]) == ("cloudwatch", 7) for client, values in sent)


async def test_without_a_region_the_worker_goes_on_and_says_what_to_set(sums, capsys):
    async def aws(service):
        raise AwsConfigurationError("no AWS region: set AWS_REGION")

    await Telemetry(Settings(), sums, nobody_s, aws).report_to_cloudwatch()
    assert sums.unsent["counts"] == {"ingested": 3}
    assert "set AWS_REGION, or set CLOUDWATCH_ENABLED=false" in capsys.readouterr().out


@pytest.mark.parametrize(("group", "lines"), [(empty(), 1), (None, 0)], ids=["the owner", "another"])
async def test_the_group_s_numbers_are_logged_by_the_owner_of_the_tables_alone(sums, capsys, group, lines):
    await Telemetry(Settings(), sums, lambda: group, None).report_to_log()
    assert len(capsys.readouterr().out.splitlines()) == lines
