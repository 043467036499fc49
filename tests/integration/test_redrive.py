"""This module runs `redrive` as a process, on the embedded broker and the AWS emulator."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime

import aioboto3
import orjson
import pytest

from processors.delivery.failure_record import encode_record, failure_record
from processors.event.errors import InvalidEventError, MalformedEventError
from processors.event.headers import Origin
from processors.routes.outcome import Failed
from tests import forked

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
MAPPED = {"source": "genesys.cloud", "detail-type": "interaction.event", "detail": {"type": "voice"}}


def event_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


@pytest.fixture
def records(prefix, call):
    """Failure records by a telling name: what is written to `failures`, as (key, value, headers)."""

    def made(number, failed, original, limit=1_000_000):
        origin = Origin(f"{prefix}raw", 1, number)
        content = failure_record(failed, original, timestamp=NOW, event_id=event_id(number), origin=origin)
        headers = {
            "event-id": event_id(number),
            "route": failed.route,
            "received-at": "1700000000000",
            "origin": str(origin),
        }
        told = [(name, value.encode()) for name, value in headers.items() if value]
        return f"key-{number}".encode(), encode_record(content, limit), told

    invalid = Failed.of(InvalidEventError("breaks its schema", code="SchemaViolation"), "interaction")
    throttled = Failed("publish", "ThrottlingException", "slow", (), "interaction", MAPPED, 5)
    return {
        "invalid": made(1, invalid, call(1)),
        "throttled": made(2, throttled, call(2)),
        "no JSON": made(3, Failed.of(MalformedEventError("not JSON", code="MalformedJSON")), b"\xff{"),
        "cut, still in raw": made(0, invalid, call(0, notes="x" * 5000), limit=1500),
        "cut, gone from raw": made(9, invalid, call(9, notes="x" * 5000), limit=1500),
    }


@pytest.fixture
async def failures(producer, prefix, records, call):
    """The records, one of them twice, and something that is no failure record."""
    whole = call(0, notes="x" * 5000)
    await producer.send_and_wait(f"{prefix}raw", whole, key=b"key-0", partition=1, headers=[("received-at", b"1")])
    for key, value, headers in [*records.values(), records["invalid"], (b"odd", b"[]", [])]:
        await producer.send_and_wait(f"{prefix}failures", value, key=key, headers=headers, partition=0)
    return f"{prefix}failures"


async def test_takes_each_failure_back_to_where_it_failed(run, read, failures, prefix, call):
    result = await run("redrive", "--json")

    assert result.code == 0, result.err
    told = result.json
    assert (told["read"], told["redriven"], told["skipped"]) == (7, 4, 3)
    assert told["into"] == {"raw": 3, "validated": 1}
    assert Counter(reason.partition(",")[0] for reason in told["reasons"]) == {
        "the original event was cut to fit": 1,
        "another record of its event is redriven by this run": 1,
        "it is not a failure record": 1,
    }
    raw = {
        record.key: record
        for record in await read(f"{prefix}raw")
        if ("replayed", told["run"].encode()) in record.headers
    }
    assert orjson.loads(raw[b"key-1"].value) == orjson.loads(call(1))
    assert raw[b"key-3"].value == b"\xff{"
    assert raw[b"key-0"].value == call(0, notes="x" * 5000)
    assert dict(raw[b"key-1"].headers) == {
        "event-id": event_id(1).encode(),
        "received-at": b"1700000000000",
        "replayed": told["run"].encode(),
    }
    [mapped] = await read(f"{prefix}validated")
    assert mapped.key == b"key-2"
    assert orjson.loads(mapped.value) == MAPPED
    assert {name: value for name, value in mapped.headers if name != "original"} == {
        "event-id": event_id(2).encode(),
        "route": b"interaction",
        "received-at": b"1700000000000",
        "origin": f"{prefix}raw/1/2".encode(),
        "replayed": told["run"].encode(),
        "straight": b"1",
    }
    assert orjson.loads(dict(mapped.headers)["original"]) == orjson.loads(call(2))


@pytest.mark.parametrize(
    ("arguments", "numbers"),
    [
        (["--stage", "publish"], (1, 1, 0)),
        (["--error", "SchemaViolation"], (4, 2, 2)),
        (["--error", "SchemaViolation", "--limit", "1"], (2, 1, 1)),
        (["--route", "nothing"], (0, 0, 0)),
        (["--until", "1h"], (0, 0, 0)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value[0], str) else None,
)
async def test_selects(run, read, failures, prefix, arguments, numbers):
    result = await run("redrive", *arguments, "--json")

    assert result.code == 0, result.err
    told = result.json
    assert (told["read"], told["redriven"], told["skipped"]) == numbers
    assert len(await read(f"{prefix}raw")) + len(await read(f"{prefix}validated")) == 1 + told["redriven"]


async def test_dry_run_writes_nothing_and_counts_by_stage_and_error(run, read, failures, prefix):
    result = await run("redrive", "--dry-run")

    assert result.code == 0, result.err
    assert "7 read, 4 would be redriven" in result.out
    assert "SchemaViolation" in result.out
    assert len(await read(f"{prefix}raw")) == 1
    assert await read(f"{prefix}validated") == []


async def test_a_second_run_does_nothing_and_says_which_run_did_it(run, read, failures, prefix):
    first = await run("redrive", "--json")
    written = len(await read(f"{prefix}raw")) + len(await read(f"{prefix}validated"))

    second = await run("redrive", "--json")
    told = await run("redrive")

    assert (second.code, second.json["redriven"], second.json["redrivenBefore"]) == (0, 0, 5)
    assert any(f"redriven by run {first.json['run']}" in reason for reason in second.json["reasons"])
    assert "--again takes it once more" in told.out
    assert len(await read(f"{prefix}raw")) + len(await read(f"{prefix}validated")) == written
    assert (await run("redrive", "--again", "--json")).json["redriven"] == 4


async def test_a_record_mended_by_hand_goes_also_when_the_older_one_was_redriven(
    run, read, failures, records, producer
):
    await run("redrive", "--stage", "validate", "--json")
    broken = orjson.loads(records["invalid"][1])
    mended = {**broken, "originalEvent": {**broken["originalEvent"], "mended": True}}
    await producer.send_and_wait(failures, orjson.dumps(mended), key=b"key-1", partition=1)

    result = await run("redrive", "--stage", "validate", "--json")

    assert result.json["redriven"] == 1, result.err
    values = [orjson.loads(record.value) for record in await read(failures.replace("failures", "raw"))]
    assert [value.get("mended", False) for value in values if value["id"].endswith("1")] == [False, True]


@pytest.mark.parametrize(
    ("arguments", "redriven"),
    [(["--event-id", event_id(2)], 1), (["--key", "key-1"], 1), (["--key", "key-9999"], 0), (["--path", "detail"], 0)],
)
async def test_selects_single_events(run, failures, arguments, redriven):
    assert (await run("redrive", *arguments, "--dry-run", "--json")).json["redriven"] == redriven


async def test_a_redrive_that_was_killed_is_run_again(start, run, read, producer, prefix, records):
    _, value, headers = records["throttled"]
    for number in range(100, 124):
        told = [(name, event_id(number).encode() if name == "event-id" else given) for name, given in headers]
        mine = value.replace(event_id(2).encode(), event_id(number).encode())
        await producer.send_and_wait(f"{prefix}failures", mine, key=b"k", headers=told, partition=0)
    process = await start("redrive", "--rate", "8")
    async with asyncio.timeout(60):
        while len(await read(f"{prefix}validated")) < 3:
            assert process.returncode is None
        process.kill()
        await process.wait()
    before = len(await read(f"{prefix}validated"))

    result = await run("redrive", "--json")

    assert result.code == 0, result.err
    assert result.json["redrivenBefore"] + result.json["redriven"] == 24
    assert 0 < result.json["redrivenBefore"] <= before < 24
    after = Counter(dict(record.headers)["event-id"] for record in await read(f"{prefix}validated"))
    assert set(after) == {event_id(number).encode() for number in range(100, 124)}
    assert after.total() <= 24 + 2  # those in flight: at this rate two at a time


async def test_failures_are_listed_and_shown_with_what_became_of_them(run, failures):
    redriven = await run("redrive", "--stage", "publish", "--json")

    listed = await run("failures", "list", "--json", "--limit", "1")
    shown = await run("failures", "show", event_id(2))
    whole = await run("failures", "show", event_id(2), "--json")

    assert (listed.json["read"], listed.json["open"], listed.json["redriven"]) == (7, 6, 1)
    assert sum(one["records"] for one in listed.json["clusters"]) == 7
    assert "ThrottlingException" in shown.out
    assert redriven.json["run"] in shown.out
    [record] = whole.json["records"]
    assert (record["record"]["eventId"], record["redriven"]["run"]) == (event_id(2), redriven.json["run"])


async def test_offsets_that_are_not_there_are_named_by_the_list_too(run, failures):
    result = await run("failures", "list", "--to-offset", "0:99", "--json")

    assert result.code == 3
    [missing] = result.json["missing"]
    assert (missing["partition"], missing["to"], missing["why"]) == (0, 99, "beyond the end")
    assert "partition 0: offsets" in result.err


async def test_an_event_that_did_not_fail_is_one_line(run, failures):
    result = await run("failures", "show", "nobody")

    assert (result.code, len(result.err.strip().splitlines())) == (1, 1)
    assert "holds no failure of event nobody" in result.err


async def test_no_failures_topic_is_one_line(run):
    result = await run("redrive", "--json")

    assert result.code == 2
    assert "there is no topic" in result.err
    assert len(result.err.strip().splitlines()) == 1


@pytest.fixture(params=["failures", "failures.fifo"])
async def queue(request, env, tmp_path):
    """An SQS queue of the emulator, and the settings that name it."""
    out, err = tmp_path / "aws.json", tmp_path / "aws.log"
    process = forked.start("emulators.aws", ["--queue", request.param], env, out, err)
    url = (await asyncio.to_thread(forked.announced, process, out, err))["url"]
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    session = aioboto3.Session("test", "test", region_name="us-east-1")
    async with session.client("sqs", endpoint_url=url) as client:
        queue_url = (await client.get_queue_url(QueueName=request.param))["QueueUrl"]
        env.update(credentials, AWS_ENDPOINT_URL=url, DLQ_QUEUE_URL=queue_url)
        yield Queue(client, queue_url)
    process.kill()
    process.wait()


class Queue:
    """What the tests do with the queue."""

    def __init__(self, client, url):
        self.client, self.url = client, url

    async def put(self, bodies):
        fifo = self.url.endswith(".fifo")
        for number, body in enumerate(bodies):
            more = {"MessageGroupId": f"g{number}", "MessageDeduplicationId": f"d{number}"} if fifo else {}
            await self.client.send_message(QueueUrl=self.url, MessageBody=body, **more)

    async def visible(self):
        name = "ApproximateNumberOfMessages"
        answer = await self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=[name])
        return int(answer["Attributes"][name])


async def test_takes_messages_out_of_the_queue_when_kafka_has_them(run, read, queue, records, prefix, producer, call):
    await queue.put([value.decode() for _, value, _ in records.values()])

    result = await run("redrive", "--from-queue", "--json")

    assert result.code == 0, result.err
    told = result.json
    assert (told["read"], told["redriven"], told["skipped"]) == (5, 3, 2)
    assert await queue.visible() == 2
    keys = {record.key for record in await read(f"{prefix}raw")}
    assert keys == {json.loads(call(1))["id"].encode(), event_id(3).encode()}
    [mapped] = await read(f"{prefix}validated")
    assert dict(mapped.headers)["event-id"] == event_id(2).encode()


async def test_messages_that_are_not_meant_stay_in_the_queue(run, read, queue, records, prefix):
    await queue.put([value.decode() for _, value, _ in records.values()])

    result = await run("redrive", "--from-queue", "--stage", "publish", "--json")

    assert result.code == 0, result.err
    assert result.json["redriven"] == 1
    assert await queue.visible() == 4


async def test_a_rehearsal_of_the_queue_leaves_it_full(run, queue, records):
    await queue.put([value.decode() for _, value, _ in records.values()])

    result = await run("redrive", "--from-queue", "--dry-run", "--json")

    assert result.code == 0, result.err
    assert result.json["redriven"] == 3
    assert await queue.visible() == 5


async def test_the_queues_copies_of_what_the_topic_gave_back_are_taken_out_of_it(run, queue, failures, records):
    await queue.put([value.decode() for _, value, _ in records.values()])
    await run("redrive", "--stage", "publish", "--json")

    result = await run("redrive", "--from-queue", "--stage", "publish", "--json")

    assert (result.json["redriven"], result.json["redrivenBefore"]) == (0, 1), result.err
    assert await queue.visible() == 4


async def test_a_missing_queue_is_one_line(run, queue):
    result = await run("redrive", "--from-queue", DLQ_QUEUE_URL=queue.url.replace("failures", "others"))

    assert result.code == 2
    assert len(result.err.strip().splitlines()) == 1
    assert "cannot be used: AWS answered" in result.err
    assert "Traceback" not in result.err


async def test_without_a_queue_set_from_queue_is_refused(run):
    result = await run("redrive", "--from-queue")

    assert result.code == 2
    assert "DLQ_QUEUE_URL is not set" in result.err
