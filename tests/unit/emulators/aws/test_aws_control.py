"""This module looks into the emulator and steers it as another process would, over HTTP."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.unit.emulators.aws.queue_urls import queue_url


@pytest.fixture
async def control(aws):
    async with httpx.AsyncClient(base_url=f"{aws.url}/_emulator") as client:
        yield client


def entry(number, **fields):
    return {"Source": "s", "DetailType": "t", "Detail": json.dumps({"n": number})} | fields


async def test_events_are_read_in_order_from_any_number_on(control, events, clock):
    for start in (0, 10):
        await events.put_events(Entries=[entry(start + number) for number in range(10)])
    read = (await control.get("/events", params={"since": 5, "limit": 10})).json()
    assert [event["detail"]["n"] for event in read["events"]] == list(range(5, 15))
    assert (read["next"], read["total"]) == (15, 20)
    assert read["events"][0] == {
        "number": 5,
        "request": 0,
        "arrivedAt": int(clock.now * 1000),
        "eventId": read["events"][0]["eventId"],
        "bus": "default",
        "source": "s",
        "detailType": "t",
        "detail": {"n": 5},
        "resources": [],
        "time": None,
    }
    assert (await control.get("/events", params={"since": 20})).json() == {
        "next": 20,
        "total": 20,
        "events": [],
    }


async def test_many_events_come_in_one_answer(aws, control, events):
    await events.put_events(Entries=[entry(0)])
    (one,) = aws.state.ledger.events
    aws.state.ledger.events.extend([one] * 2500)
    assert len((await control.get("/events")).json()["events"]) == 2501


async def test_the_summary_counts_what_has_happened(control, events):
    await events.put_events(Entries=[entry(1), entry(2, EventBusName="nowhere"), entry(3, Source="aws.x")])
    told = (await control.get("/summary")).json()
    assert told["events"]["accepted"] == 1
    assert told["events"]["lostOnUnknownBus"] == {"nowhere": 1}
    assert told["events"]["failed"] == {"NotAuthorizedForSourceException": 1}
    assert told["calls"] == {"events PutEvents ok": 1}


async def test_requests_are_logged_with_what_they_were_answered(control, events, clock):
    await events.put_events(Entries=[entry(1), entry(2, Source="aws.x")])
    told = (await control.get("/requests")).json()
    assert told["inFlightPeak"] == 1
    assert told["requests"] == [
        {
            "number": 0,
            "arrivedAt": int(clock.now * 1000),
            "inFlight": 1,
            "entries": 2,
            "bytes": 24,
            "accepted": 1,
            "lost": 0,
            "status": 200,
            "codes": {"NotAuthorizedForSourceException": 1},
            "refused": None,
            "fault": None,
            "accessKey": "test-key",
        }
    ]


async def test_faults_are_put_read_and_taken_away(control, events):
    put = await control.put("/faults", json={"entries": [{"code": "ThrottlingException"}]})
    assert put.json()["entries"][0]["code"] == "ThrottlingException"
    assert (await events.put_events(Entries=[entry(1)]))["FailedEntryCount"] == 1
    assert (await control.delete("/faults")).json()["entries"] == []
    assert (await events.put_events(Entries=[entry(1)]))["FailedEntryCount"] == 0


async def test_buses_queues_and_schemas_are_added(aws, control, events, sqs, clients):
    await control.post("/buses", json={"name": "added"})
    made = (await control.post("/queues", json={"name": "added.fifo"})).json()
    await control.post("/schemas", json={"registry": "r", "name": "s", "content": {"type": "object"}})
    assert (await events.describe_event_bus(Name="added"))["Name"] == "added"
    assert (await sqs.get_queue_url(QueueName="added.fifo"))["QueueUrl"] == made["url"]
    schemas = await clients("schemas", aws.url)
    described = await schemas.describe_schema(RegistryName="r", SchemaName="s")
    assert json.loads(described["Content"]) == {"type": "object"}


async def test_messages_and_metrics_are_shown(aws, control, sqs, cloudwatch):
    await sqs.send_message(QueueUrl=queue_url(aws, "failures"), MessageBody="one")
    await sqs.send_message(QueueUrl=queue_url(aws, "failures"), MessageBody="two")
    await sqs.receive_message(QueueUrl=queue_url(aws, "failures"))
    await cloudwatch.put_metric_data(Namespace="N", MetricData=[{"MetricName": "m", "Value": 1}])
    messages = (await control.get("/queues/failures/messages")).json()["messages"]
    assert [(message["body"], message["state"]) for message in messages] == [
        ("one", "inFlight"),
        ("two", "visible"),
    ]
    assert (await control.get("/metrics")).json()["metrics"][0]["name"] == "m"


async def test_reset_forgets_what_happened_and_keeps_what_is_there(aws, control, events, sqs):
    await events.put_events(Entries=[entry(1, EventBusName="orders")])
    await sqs.send_message(QueueUrl=queue_url(aws, "failures"), MessageBody="x")
    told = (await control.post("/reset")).json()
    assert (told["events"]["accepted"], told["events"]["requests"], told["calls"]) == (0, 0, {})
    assert told["queues"]["failures"] == {"sent": 0, "held": 0}
    assert told["buses"] == ["default", "orders"]


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", "/nonsense", b"", 404),
        ("GET", "/queues/nowhere/messages", b"", 404),
        ("GET", "/events?since=x", b"", 400),
        ("PUT", "/faults", b"{", 400),
        ("PUT", "/faults", b'{"entries": [{"share": 2}]}', 400),
        ("POST", "/buses", b"{}", 400),
        ("POST", "/queues", b'{"name": "no spaces"}', 400),
        ("POST", "/schemas", b'{"registry": "r", "name": "s", "content": {}, "type": "XML"}', 400),
        ("POST", "/nonsense", b"", 404),
    ],
)
async def test_a_wrong_request_is_told_why(control, method, path, content, status):
    answer = await control.request(method, path, content=content)
    assert answer.status_code == status
    assert answer.json()["error"]
