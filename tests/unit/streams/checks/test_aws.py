"""Tests of what `check` says of buses and the queue, against an emulator that refuses in every way."""

import pytest

from emulators.aws import Faults, RequestFault
from settings import load_settings
from streams.checks.aws import check_buses, check_cloudwatch, check_queue


@pytest.fixture
def settings(aws):
    return load_settings(
        aws_endpoint_url=aws.url, aws_region="us-east-1", dlq_queue_url=f"{aws.url}/123456789012/failures"
    )


async def bus(settings, name="orders", **options):
    (found,) = await check_buses(settings, [name], **options)
    return found


async def test_a_bus_that_is_there_may_be_put_on_and_gets_nothing(aws, settings):
    found = await bus(settings, tries=True)
    assert (found.ok, found.fix) == (True, "")
    assert aws.state.ledger.events == []


async def test_a_bus_that_is_not_there_is_missing(aws, settings):
    found = await bus(settings, "nowhere")
    assert (found.ok, found.missing, found.detail) == (False, True, "does not exist")


async def test_a_bus_of_another_account_is_a_warning(aws, settings):
    found = await bus(settings, "arn:aws:events:us-east-1:999999999999:event-bus/theirs")
    assert found.ok
    assert "another account" in found.detail
    found = await bus(settings, "arn:aws:events:us-east-1:123456789012:event-bus/nowhere")
    assert found.missing


async def test_the_right_to_put_is_looked_at(aws, settings):
    aws.faults = Faults(
        requests=(RequestFault(kind="answer", operation="PutEvents", code="AccessDeniedException", status=400),)
    )
    found = await bus(settings, tries=True)
    assert (found.ok, found.fix) == (False, "allow events:PutEvents on orders")
    assert (await bus(settings)).ok


@pytest.mark.parametrize(
    ("code", "fix"),
    [
        ("ExpiredTokenException", "renew"),
        ("InvalidSignatureException", "AWS_SECRET_ACCESS_KEY"),
        ("UnrecognizedClientException", "access key"),
        ("ValidationException", "names"),
    ],
)
async def test_each_refusal_has_its_own_remedy(aws, settings, code, fix):
    aws.faults = Faults(
        requests=tuple(RequestFault(service=one, kind="answer", code=code) for one in ("events", "sqs"))
    )
    found, (queue,) = await bus(settings), await check_queue(settings)
    assert not found.ok
    assert fix in found.fix
    assert not queue.ok
    assert fix in queue.fix


async def test_a_page_is_an_outage_that_names_the_proxy(aws, settings):
    aws.faults = Faults(
        requests=tuple(RequestFault(service=one, kind="page", page="latin-1", status=403) for one in ("events", "sqs"))
    )
    found, (queue,) = await bus(settings), await check_queue(settings)
    assert (found.ok, found.unreachable, queue.ok, queue.unreachable) == (False, True, False, True)
    assert "squid" in found.detail
    assert "squid" in queue.detail


async def test_a_queue_of_short_messages_is_a_warning(aws, settings):
    aws.state.queues["failures"].attributes["MaximumMessageSize"] = "2048"
    (found,) = await check_queue(settings)
    assert found.ok
    assert "MaximumMessageSize" in found.fix


@pytest.mark.parametrize("name", ["failures", "failures.fifo"])
async def test_the_right_to_send_is_tried_by_a_message_that_no_queue_takes(aws, settings, name):
    aws.state.queues.add(name)
    settings = settings.model_copy(update={"dlq_queue_url": f"{aws.url}/123456789012/{name}"})
    (found,) = await check_queue(settings, tries=True)
    assert (found.ok, found.fix) == (True, "")
    assert aws.state.queues[name].contents() == []


@pytest.mark.parametrize(
    ("code", "fix"), [("AccessDenied", "allow sqs:SendMessage"), ("KmsAccessDenied", "kms:GenerateDataKey")]
)
async def test_a_queue_that_may_be_looked_at_and_not_sent_to_fails(aws, settings, code, fix):
    aws.faults = Faults(
        requests=(RequestFault(service="sqs", kind="answer", operation="SendMessage", code=code, status=403),)
    )
    assert (await check_queue(settings))[0].ok
    (found,) = await check_queue(settings, tries=True)
    assert not found.ok
    assert fix in found.fix


async def test_the_right_to_put_metrics_is_tried_by_a_request_without_any(aws, settings):
    (found,) = await check_cloudwatch(settings)
    assert (found.ok, found.detail) == (True, "metrics may be put")
    assert aws.state.metrics.points == []
    aws.faults = Faults(
        requests=(
            RequestFault(
                service="monitoring", kind="answer", operation="PutMetricData", code="AccessDenied", status=403
            ),
        )
    )
    (found,) = await check_cloudwatch(settings)
    assert not found.ok
    assert "allow cloudwatch:PutMetricData" in found.fix
    (found,) = await check_cloudwatch(settings.model_copy(update={"cloudwatch_enabled": False}))
    assert found.ok


async def test_a_name_that_does_not_resolve_is_told_from_a_refused_connection(settings):
    for url, words in (("http://nowhere.invalid", "does not resolve"), ("http://127.0.0.1:1", "refuses")):
        found = await bus(settings.model_copy(update={"aws_endpoint_url": url}))
        assert found.unreachable
        assert words in found.detail


async def test_an_endpoint_for_credentials_that_is_away_is_not_aws(settings, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9/")
    found = await bus(settings)
    assert found.unreachable
    assert "no AWS credentials" in found.detail
    assert "role or endpoint" in found.fix
