"""This module runs `replay` as a process on the embedded broker."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import signal
import uuid
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.outside_commit import commit

ROOT = Path(__file__).resolve().parent.parent.parent
PRIORITY_QUEUE = {"queue": {"name": "Priority Support"}}


@pytest.fixture
async def raw(producer, prefix, call):
    """Six records: three calls, one of low priority, one without, one that is no event."""
    topic = f"{prefix}raw"
    values = [call(number) for number in range(3)]
    values += [call(3, priority="low"), call(4, priority=None, routing=PRIORITY_QUEUE), b"not json"]
    for number, value in enumerate(values):
        headers = [("event-id", str(uuid.UUID(int=100 + number)).encode()), ("received-at", b"1700000000000")]
        await producer.send_and_wait(topic, value, key=f"k{number}".encode(), headers=headers)
    return topic


async def test_replays_into_raw_with_same_key_value_and_ids_and_ends(run, read, raw):
    before = await read(raw)

    result = await run("replay", "--into", "raw", "--json")

    assert result.code == 0, result.err
    assert {name: result.json[name] for name in ("read", "written", "mapped", "filtered", "failed")} == {
        "read": 6,
        "written": 6,
        "mapped": 0,
        "filtered": 0,
        "failed": 0,
    }
    after = await read(raw)
    places = {(record.partition, record.offset) for record in before}
    again = [record for record in after if (record.partition, record.offset) not in places]
    kept = {(r.partition, r.key, r.value, *r.headers) for r in before}
    assert {(r.partition, r.key, r.value, *r.headers[:-1]) for r in again} == kept
    assert {r.headers[-1] for r in again} == {("replayed", result.json["run"].encode())}


async def test_moves_no_offsets_of_the_live_group(run, raw, broker, env):
    group = f"{env['KAFKA_TOPIC_PREFIX']}eventbridge"
    await commit(broker, group, raw, 1)

    result = await run("replay", "--into", "raw", "--json")

    assert result.code == 0, result.err
    consumer = AIOKafkaConsumer(bootstrap_servers=broker, group_id=group, enable_auto_commit=False)
    await consumer.start()
    assert await consumer.committed(TopicPartition(raw, 0)) == 1
    await consumer.stop()


async def test_a_second_replay_names_its_own_run_once(run, read, raw):
    await run("replay", "--into", "raw", "--limit", "1", "--json")
    second = await run("replay", "--into", "raw", "--json")

    named = [[value for name, value in record.headers if name == "replayed"] for record in await read(raw)]
    assert max(len(runs) for runs in named) == 1
    assert named.count([second.json["run"].encode()]) == 7


async def test_dry_run_counts_what_the_routes_make_and_writes_nothing(run, read, raw):
    result = await run("replay", "--dry-run", "--json")

    assert result.code == 0, result.err
    told = result.json
    assert (told["read"], told["mapped"], told["filtered"], told["failed"]) == (6, 3, 1, 2)
    assert told["written"] == 0
    assert told["routes"]["interaction"]["mapped"] == 3
    assert sum(told["errors"].values()) == 2
    assert len(await read(raw)) == 6


async def test_dry_run_for_people_shows_routes_and_failures(run, raw):
    result = await run("replay", "--dry-run")

    assert result.code == 0, result.err
    assert "6 read: 3 mapped, 1 filtered, 2 failed" in result.out
    assert "SchemaViolation" in result.out or "validate/" in result.out


async def test_dry_run_tells_what_other_routes_would_change(run, raw, tmp_path):
    routes = tmp_path / "routes"
    shutil.copytree(ROOT / "schemas" / "interaction", routes / "interaction")
    mapping = routes / "interaction" / "mapping.jsonata"
    mapping.write_text(mapping.read_text().replace('"type": payload.type', '"type": $uppercase(payload.type)'))

    html = tmp_path / "changes.html"
    arguments = ("--dry-run", "--route", "interaction", "--routes-dir", str(routes), "--examples", "1")
    result = await run("replay", *arguments, "--fail-on", "failing", "--html", str(html), "--json")

    assert result.code == 0, result.err
    assert (result.json["changed"], result.json["unchanged"]) == (3, 1)
    [field] = result.json["fields"]
    assert (field["route"], field["field"], field["events"]) == ("interaction", "detail.type", 3)
    assert len(result.json["differences"]) == 1
    assert "detail.type" in html.read_text()
    nowhere = tmp_path / "nowhere.html"
    nowhere.symlink_to(tmp_path / "gone" / "changes.html")
    unwritten = await run("replay", *arguments, "--html", str(nowhere), "--json")
    assert (unwritten.code, unwritten.json["changed"]) == (1, result.json["changed"])
    assert "nowhere.html cannot be written: No such file or directory" in unwritten.err
    assert (await run("replay", *arguments, "--fail-on", "changed")).code == 4
    assert result.json["changes"] == {"interaction": {"mapped differently": 3}}
    first = result.json["differences"][0]
    assert first["differences"] == [{"path": "detail.type", "before": "voice", "after": "VOICE"}]
    assert first["origin"].startswith(f"{raw}/")


@pytest.mark.parametrize(
    ("arguments", "read_count"),
    [
        (["--key", "k1"], 1),
        (["--key", "nobody"], 0),
        (["--limit", "4"], 4),
        (["--since", "1h"], 6),
        (["--since", "2h", "--until", "1h"], 0),
        (["--until", "1h"], 0),
        (["--to-offset", "0"], 0),
        (["--route", "interaction"], 4),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
async def test_selects(run, raw, arguments, read_count):
    result = await run("replay", "--dry-run", "--json", *arguments)

    assert result.code == 0, result.err
    assert result.json["read"] == read_count


async def test_offsets_that_are_not_there_are_told_and_end_with_3(run, producer, prefix, call):
    for number in range(3):
        await producer.send_and_wait(f"{prefix}raw", call(number), key=b"k", partition=2)

    result = await run("replay", "--from-offset", "2:1", "--to-offset", "2:9", "--dry-run", "--json")

    assert result.code == 3, result.err
    assert result.json["read"] == 2
    assert result.json["missing"] == [{"partition": 2, "from": 3, "to": 9, "count": 6, "why": "beyond the end"}]
    assert "partition 2: offsets 3 to 8 (6) are not there: they are beyond the end" in result.err


async def test_records_of_any_shape_are_written_or_counted(run, producer, prefix, read):
    shapes = [
        (None, b"a", []),
        (b"k", None, [("x", None)]),
        (b"", b"", [("x", b"")]),
        (b"k", b"\xff", [("x", b"\xff")]),
    ]
    for key, value, headers in shapes:
        await producer.send_and_wait(f"{prefix}raw", value, key=key, headers=headers, partition=1)

    assert await read(f"{prefix}copy") == []  # the broker makes what is asked for
    result = await run("replay", "--into", f"{prefix}copy", "--json")

    assert (result.code, result.json["written"]) == (0, 4), result.err
    assert {(one.key, one.value) for one in await read(f"{prefix}copy")} == {(key, value) for key, value, _ in shapes}


async def test_reads_one_partition_between_offsets(run, producer, prefix, read, call):
    for number in range(10):
        await producer.send_and_wait(f"{prefix}raw", call(number), key=b"k", partition=2)

    assert await read(f"{prefix}copy") == []
    result = await run(
        "replay",
        "--partition",
        "2",
        "--from-offset",
        "3",
        "--to-offset",
        "7",
        "--into",
        f"{prefix}copy",
        "--json",
    )

    assert result.code == 0, result.err
    assert [record.value for record in await read(f"{prefix}copy")] == [call(number) for number in range(3, 7)]


async def test_stops_in_order_and_names_the_command_that_goes_on(start, run, producer, prefix, read, call):
    from_topic, into = f"{prefix}raw", f"{prefix}copy"
    for number in range(40):
        await producer.send_and_wait(from_topic, call(number), key=str(number % 5).encode())
    assert await read(into) == []
    process = await start("replay", "--into", into, "--rate", "4", "--json")
    async with asyncio.timeout(60):
        while len(await read(into)) < 3:
            assert process.returncode is None
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()

    assert process.returncode == 1, err
    told = orjson.loads(out)
    assert 3 <= told["written"] < 40
    assert len(await read(into)) == told["written"]
    assert told["resume"] in err.decode()

    resumed = await run(*shlex.split(told["resume"])[1:], "--rate", "1000", "--json")
    assert resumed.code == 0, resumed.err
    assert resumed.json["written"] == 40 - told["written"]
    assert sorted(record.value for record in await read(into)) == sorted(call(number) for number in range(40))


@pytest.mark.parametrize("options", [True, False], ids=["the same command", "--resume alone"])
async def test_a_replay_that_was_killed_goes_on_where_it_was(start, run, producer, prefix, read, call, options):
    from_topic, into = f"{prefix}raw", f"{prefix}copy"
    for number in range(24):
        await producer.send_and_wait(from_topic, call(number), key=str(number % 5).encode())
    typed = ("--into", into, "--rate", "8")
    assert await read(into) == []
    process = await start("replay", *typed)
    async with asyncio.timeout(60):
        while len(await read(into)) < 3:
            assert process.returncode is None
        process.kill()
        await process.wait()
    before = len(await read(into))

    result = await run("replay", *(typed if options else ()), "--resume", "--json")

    assert result.code == 0, result.err
    assert (result.json["read"], result.json["written"]) == (24, 24)
    after = await read(into)
    assert {record.value for record in after} == {call(number) for number in range(24)}
    assert len(after) <= 24 + 2  # those in flight: at this rate two at a time
    assert before < 24
    assert {dict(record.headers)["replayed"] for record in after} == {result.json["run"].encode()}
    assert (await run("replay", "--resume")).code == 2


async def test_an_empty_topic_is_no_error(run, producer, prefix):
    await producer.client.set_topics([f"{prefix}raw"])

    result = await run("replay", "--into", "raw")

    assert result.code == 0, result.err
    assert "nothing to read" in result.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--from", "nowhere"], "there is no topic nowhere"),
        (["--partition", "9"], "has no partition 9"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
async def test_what_is_not_there_is_one_line(run, raw, arguments, says):
    result = await run("replay", *arguments, "--dry-run")

    assert result.code == 2
    assert says in result.err
    assert len(result.err.strip().splitlines()) == 1
    assert result.out == ""


async def test_into_a_topic_that_is_not_there_is_refused_and_makes_none(run, raw, prefix):
    for _ in range(2):  # the first one made none
        result = await run("replay", "--into", f"{prefix}copied", "--json")
        assert (result.code, result.out) == (2, "")
        assert f"there is no topic {prefix}copied: create it first" in result.err
