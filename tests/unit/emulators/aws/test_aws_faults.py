"""This module asks the emulator for every kind of fault and looks at it through real clients."""

from __future__ import annotations

import asyncio

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from emulators.aws import AWSEmulator, EntryFault, FaultError, Faults, RequestFault
from emulators.faults import from_json
from tests.unit.emulators.aws.queue_urls import queue_url


def entries(*details):
    return [{"Source": "s", "DetailType": "t", "Detail": detail} for detail in details or ("{}",)]


def codes(answer):
    return [item.get("ErrorCode") for item in answer["Entries"]]


async def test_entries_with_a_text_fail_so_often_and_then_pass(aws, events):
    aws.faults = Faults(entries=(EntryFault(contains="poison", code="InternalFailure", times=2),))
    batch = entries('{"a": 1}', '{"a": "poison"}')
    answers = [codes(await events.put_events(Entries=batch)) for _ in range(3)]
    assert answers == [[None, "InternalFailure"], [None, "InternalFailure"], [None, None]]
    assert aws.state.active.struck == {"events entry InternalFailure": 2}


@pytest.mark.parametrize("code", ["ThrottlingException", "RedactionFailure", "NobodyKnowsThisCode"])
async def test_any_code_can_be_had_for_ever(aws, events, code):
    aws.faults = Faults(entries=(EntryFault(code=code),))
    for _ in range(2):
        assert codes(await events.put_events(Entries=entries())) == [code]


async def test_a_share_strikes_the_same_entries_for_the_same_seed(aws, events):
    async def strikes(seed):
        aws.faults = Faults(seed=seed, entries=(EntryFault(share=0.3),))
        answers = [codes(await events.put_events(Entries=entries(*["{}"] * 10))) for _ in range(20)]
        return [code is not None for answer in answers for code in answer]

    first, again, other = await strikes(1), await strikes(1), await strikes(2)
    assert first == again != other
    assert 30 < sum(first) < 90


@pytest.mark.parametrize(
    ("service", "kind", "status", "code"),
    [
        ("events", "throttle", 400, "ThrottlingException"),
        ("events", "internal", 500, "InternalException"),
        ("events", "unavailable", 503, "ServiceUnavailable"),
        ("events", "expired", 400, "ExpiredTokenException"),
        ("sqs", "throttle", 400, "RequestThrottled"),
        ("sqs", "internal", 500, "InternalFailure"),
        ("sqs", "expired", 400, "ExpiredTokenException"),
        ("monitoring", "throttle", 400, "Throttling"),
        ("monitoring", "internal", 500, "InternalServiceError"),
        ("monitoring", "expired", 403, "ExpiredToken"),
    ],
)
async def test_requests_are_refused_in_the_words_of_their_service(
    aws, events, sqs, cloudwatch, service, kind, status, code
):
    calls = {
        "events": lambda: events.put_events(Entries=entries()),
        "sqs": lambda: sqs.send_message(QueueUrl=queue_url(aws, "failures"), MessageBody="x"),
        "monitoring": lambda: cloudwatch.put_metric_data(Namespace="N", MetricData=[{"MetricName": "m", "Value": 1}]),
    }
    aws.faults = Faults(requests=(RequestFault(service=service, kind=kind, times=1),))
    with pytest.raises(ClientError) as caught:
        await calls[service]()
    error = caught.value.response
    assert (error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"]) == (status, code)
    assert aws.state.ledger.events == []
    for call in calls.values():
        await call()


async def test_a_named_status_and_code_can_be_had(aws, events):
    aws.faults = Faults(requests=(RequestFault(kind="answer", status=403, code="AccessDeniedException"),))
    with pytest.raises(ClientError, match="AccessDeniedException"):
        await events.put_events(Entries=entries())


async def test_a_fault_of_one_operation_leaves_the_others_alone(aws, events):
    aws.faults = Faults(requests=(RequestFault(kind="internal", operation="PutEvents"),))
    assert (await events.describe_event_bus())["Name"] == "default"
    with pytest.raises(events.exceptions.InternalException):
        await events.put_events(Entries=entries())


async def test_a_period_of_trouble_ends_by_itself(aws, events, clock):
    aws.faults = Faults(requests=(RequestFault(kind="unavailable", seconds=60),))
    clock.now += 60
    with pytest.raises(ClientError, match="ServiceUnavailable"):
        await events.put_events(Entries=entries())
    clock.now += 1
    assert codes(await events.put_events(Entries=entries())) == [None]


async def test_renewed_credentials_are_past_the_expiry(aws, events, clients):
    aws.faults = Faults(requests=(RequestFault(kind="expired", access_key="test-key"),))
    with pytest.raises(ClientError, match="ExpiredTokenException"):
        await events.put_events(Entries=entries())
    renewed = await clients("events", aws.url, aws_access_key_id="renewed", aws_secret_access_key="secret")
    assert codes(await renewed.put_events(Entries=entries())) == [None]


@pytest.mark.parametrize(("kind", "stored"), [("drop", 1), ("drop_early", 0)])
async def test_a_dropped_connection_leaves_the_client_without_an_answer(aws, events, kind, stored):
    aws.faults = Faults(requests=(RequestFault(kind=kind, times=1),))
    with pytest.raises(ConnectionClosedError):
        await events.put_events(Entries=entries())
    assert len(aws.state.ledger.events) == stored
    await events.put_events(Entries=entries())
    assert len(aws.state.ledger.events) == stored + 1
    assert [(record.fault, record.status) for record in aws.state.ledger.requests] == [(kind, 0), (None, 200)]
    assert aws.state.ledger.in_flight == 0


@pytest.mark.parametrize(("kind", "stored"), [("hang", 0), ("hang_stored", 1)])
async def test_a_hanging_request_lasts_until_the_client_goes(aws, clients, until, kind, stored):
    events = await clients("events", aws.url, read_timeout=0.2)
    aws.faults = Faults(requests=(RequestFault(kind=kind, times=1),))
    with pytest.raises(ReadTimeoutError):
        await events.put_events(Entries=entries())
    assert len(aws.state.ledger.events) == stored
    await until(lambda: aws.state.ledger.in_flight == 0)


async def test_hanging_requests_do_not_hold_up_the_end(clients, until):
    async with AWSEmulator(faults=Faults(requests=(RequestFault(kind="hang"),))) as aws:
        events = await clients("events", aws.url)
        hanging = asyncio.create_task(events.put_events(Entries=entries()))
        await until(lambda: aws.state.ledger.in_flight == 1)
    with pytest.raises((ClientError, ConnectionClosedError)):
        await asyncio.wait_for(hanging, 60)


async def test_slow_answers_are_counted_in_flight(aws, events):
    aws.faults = Faults(requests=(RequestFault(kind="slow", latency_ms=50),))
    await asyncio.gather(*(events.put_events(Entries=entries()) for _ in range(4)))
    assert aws.state.ledger.in_flight_peak == 4
    assert len(aws.state.ledger.events) == 4


async def test_messages_of_a_batch_fail_with_the_fault_of_the_service(aws, sqs):
    aws.faults = Faults(entries=(EntryFault(service="sqs", code="InternalError", contains="two"),))
    answer = await sqs.send_message_batch(
        QueueUrl=queue_url(aws, "failures"),
        Entries=[{"Id": "1", "MessageBody": "one"}, {"Id": "2", "MessageBody": "two"}],
    )
    assert [item["Id"] for item in answer["Successful"]] == ["1"]
    assert [(item["Id"], item["Code"], item["SenderFault"]) for item in answer["Failed"]] == [
        ("2", "InternalError", False)
    ]


def test_faults_are_read_from_json():
    assert from_json(b'{"requests": [{"kind": "hang"}]}', Faults).requests == (RequestFault(kind="hang"),)


@pytest.mark.parametrize("text", ["nonsense=1", "{", '{"entries": [{"x": 1}]}', '{"entries": [{"share": 2}]}', "[1]"])
def test_wrong_faults_are_refused(text):
    with pytest.raises(FaultError):
        from_json(text.encode(), Faults)
