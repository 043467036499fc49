"""This module holds PutEvents of the emulator to the limits and answers that AWS documents."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import httpx
import pytest
from botocore.exceptions import ClientError

from emulators.aws import AWSEmulator
from emulators.aws.events.details import depth, is_sound
from emulators.aws.events.put_events import entry_size

SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/events/aws4_request, Signature=0",
    "X-Amz-Target": "AWSEvents.PutEvents",
}


def entry(detail="{}", **fields):
    return {"Source": "genesys.cloud", "DetailType": "interaction.event", "Detail": detail} | fields


async def test_answers_have_the_index_of_their_entries(aws, events):
    good, bad = entry('{"n": 1}', EventBusName="orders"), entry("nonsense")
    answer = await events.put_events(Entries=[good, bad, good])
    assert answer["FailedEntryCount"] == 1
    assert [sorted(item) for item in answer["Entries"]] == [
        ["EventId"],
        ["ErrorCode", "ErrorMessage"],
        ["EventId"],
    ]
    stored = aws.state.ledger.events
    assert [event.event_id for event in stored] == [answer["Entries"][n]["EventId"] for n in (0, 2)]
    assert [(event.number, event.bus, event.detail) for event in stored] == [
        (0, "orders", '{"n": 1}'),
        (1, "orders", '{"n": 1}'),
    ]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (entry(Source=""), "InvalidArgument"),
        (entry(DetailType=""), "InvalidArgument"),
        (entry(""), "InvalidArgument"),
        (entry(DetailType="d" * 129), "InvalidArgument"),
        (entry("{'a': 1}"), "MalformedDetail"),
        (entry("[1]"), "MalformedDetail"),
        (entry('"text"'), "MalformedDetail"),
        (entry('{"n": NaN}'), "MalformedDetail"),
        (entry('{"a":' * 1001 + "1" + "}" * 1001), "MalformedDetail"),
        (entry('{"n": 9223372036854775808}'), "MalformedDetail"),
        (entry('{"n": [{"deep": -9223372036854775809}]}'), "MalformedDetail"),
        (entry('{"n": 123456789012345678901234567890}'), "MalformedDetail"),
        (entry(Source="aws.ec2"), "NotAuthorizedForSourceException"),
    ],
)
async def test_a_bad_entry_fails_alone_with_its_code(aws, events, bad, code):
    answer = await events.put_events(Entries=[entry(), bad])
    assert [item.get("ErrorCode") for item in answer["Entries"]] == [None, code]
    assert aws.state.ledger.failed == {code: 1}
    assert len(aws.state.ledger.events) == 1


@pytest.mark.parametrize(
    "detail",
    [
        '{"a":' * 1000 + "1" + "}" * 1000,
        json.dumps({"text": "[{" * 2000}),
        '{"n": 9223372036854775807, "m": -9223372036854775808}',
        '{"n": 1e300, "digits": "99999999999999999999999"}',
    ],
    ids=["1000 levels", "brackets in text", "the largest integers", "large floats"],
)
async def test_a_detail_at_the_edge_is_taken(events, detail):
    answer = await events.put_events(Entries=[entry(detail)])
    assert answer["FailedEntryCount"] == 0


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [entry()] * 11,
        [entry(Source="")],
        [entry(EventBusName="no spaces")],
        [entry(EventBusName="b" * 1601)],
    ],
    ids=["none", "eleven", "no complete entry", "illegal bus name", "long bus name"],
)
async def test_a_request_beyond_the_model_is_refused_whole(aws, clients, entries):
    events = await clients("events", aws.url, parameter_validation=False)
    with pytest.raises(ClientError, match="ValidationException"):
        await events.put_events(Entries=entries)
    assert aws.state.ledger.events == []
    assert aws.state.ledger.refused == {"ValidationException": 1}


@pytest.mark.parametrize(("extra", "fits"), [(-1, True), (0, False)])
async def test_the_entries_of_a_request_stay_below_the_limit_together(aws, events, extra, fits):
    small = entry("{}")
    padding = 1_000_000 + extra - 2 * entry_size(small) - len('"":""')
    large = entry(json.dumps({"": "x" * padding}, separators=(",", ":")))
    assert entry_size(small) + entry_size(large) == 1_000_000 + extra
    if fits:
        assert (await events.put_events(Entries=[small, large]))["FailedEntryCount"] == 0
    else:
        with pytest.raises(ClientError, match=r"ValidationException.*Total size of the entries"):
            await events.put_events(Entries=[small, large])
    assert aws.state.ledger.requests[0].bytes == 1_000_000 + extra


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({}, 32),
        ({"Time": 1}, 46),
        ({"Resources": ["abc", "ü"]}, 37),
        ({"EventBusName": "x" * 100, "TraceHeader": "y" * 100}, 32),
        ({"Detail": '{"a":"€"}'}, 41),
    ],
)
def test_sizes_are_counted_as_aws_counts_them(fields, size):
    assert entry_size(entry() | fields) == size


async def test_an_unknown_bus_answers_success_and_loses_the_event(aws, events):
    answer = await events.put_events(Entries=[entry(EventBusName="nowhere")])
    assert answer["FailedEntryCount"] == 0
    assert answer["Entries"][0]["EventId"]
    assert aws.state.ledger.events == []
    assert aws.state.ledger.lost == {"nowhere": 1}


async def test_a_bus_is_found_by_its_arn_in_its_own_account_only(aws, events):
    arn = "arn:aws:events:eu-west-1:{}:event-bus/orders"
    await events.put_events(
        Entries=[
            entry(EventBusName=arn.format("123456789012")),
            entry(EventBusName=arn.format("210987654321")),
        ]
    )
    assert aws.state.ledger.accepted == {"orders": 1}
    assert aws.state.ledger.lost == {arn.format("210987654321"): 1}


async def test_all_fields_are_kept(aws, events):
    moment = datetime(2026, 11, 23, 10, tzinfo=UTC)
    await events.put_events(Entries=[entry('{"a": "ü"}', Time=moment, Resources=["/one", "/two"])])
    kept = aws.state.ledger.events[0]
    assert (kept.source, kept.detail_type, kept.bus) == ("genesys.cloud", "interaction.event", "default")
    assert (kept.time, kept.resources) == (moment.timestamp(), ("/one", "/two"))
    assert kept.as_json()["detail"] == {"a": "ü"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "SerializationException"),
        (b"[]", "SerializationException"),
        (b'{"Entries": {}}', "SerializationException"),
        (b'{"Entries": [1]}', "SerializationException"),
        (b'{"Entries": [{"Detail": {}}]}', "SerializationException"),
        (b'{"Entries": [{"Time": true}]}', "SerializationException"),
        (b'{"Entries": [{"Resources": "one"}]}', "SerializationException"),
        (b"{}", "ValidationException"),
    ],
)
async def test_a_body_of_wrong_types_is_refused(aws, body, code):
    async with httpx.AsyncClient() as client:
        answer = await client.post(aws.url, content=body, headers=SIGNED)
    assert (answer.status_code, answer.json()["__type"]) == (400, code)


async def test_a_null_resource_looks_like_trouble_of_aws(aws):
    body = json.dumps({"Entries": [entry(Resources=[None])]})
    async with httpx.AsyncClient() as client:
        answer = await client.post(aws.url, content=body, headers=SIGNED)
    assert answer.json()["Entries"][0]["ErrorCode"] == "InternalFailure"


async def test_a_huge_body_gets_a_bare_413(aws):
    async with httpx.AsyncClient() as client:
        answer = await client.post(aws.url, content=b" " * (9 * 1024 * 1024), headers=SIGNED)
    assert (answer.status_code, answer.content) == (413, b"")


async def test_an_unsigned_request_is_refused(aws):
    async with httpx.AsyncClient() as client:
        answer = await client.post(aws.url, content=b"{}", headers={"X-Amz-Target": "AWSEvents.PutEvents"})
    assert answer.json()["__type"] == "MissingAuthenticationTokenException"


async def test_the_limit_is_configurable(clients):
    async with AWSEmulator(limit_bytes=100) as aws:
        events = await clients("events", aws.url)
        with pytest.raises(ClientError, match="ValidationException"):
            await events.put_events(Entries=[entry(json.dumps({"a": "x" * 100}))])


def test_depth_ignores_brackets_in_text():
    assert depth('{"a": "[[[", "b\\"{": [{}]}') == 3


def test_text_after_the_object_is_malformed():
    assert not is_sound("{} {}")
