"""This module tests the HTTP stream with a reader: nothing is lost by any cut, faults come as asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest

from emulators.genesys import AnswerFault, Faults, GenesysEmulator
from emulators.genesys.event_stream.events import MALFORMED_TIMES

Read = Callable[..., Any]


def delivered(genesys: GenesysEmulator) -> set[str]:
    return {str(one) for mark in ("match", "filtered", "invalid", "emitted") for one in genesys.ledger.ids(mark)}


async def read_all(genesys: GenesysEmulator, reader: Any, count: int) -> None:
    await reader.read(lambda: len({str(one) for one in reader.ids()}) >= count)


@pytest.mark.parametrize("rate", [0.0, 2_000.0], ids=["as fast as read", "at a rate"])
async def test_every_event_arrives_once_and_in_the_ledger(rate: float, read_stream: Read) -> None:
    async with GenesysEmulator(rate=rate, count=500) as genesys, read_stream(genesys) as reader:
        await read_all(genesys, reader, 500)
        assert reader.connections == 1
        assert len(reader.ids()) == 500
        assert {str(one) for one in reader.ids()} == delivered(genesys)
        assert genesys.streaming.as_json()["finished"] is True


async def test_ledger_knows_the_kinds(read_stream: Read) -> None:
    async with GenesysEmulator(rate=0, count=300) as genesys, read_stream(genesys) as reader:
        await read_all(genesys, reader, 300)
        for event in reader.events():
            sound = isinstance(event["id"], str) and len(event["id"]) == 36 and "priority" in event["payload"]
            wrong = not sound or event["createdTime"] in MALFORMED_TIMES
            assert (event["id"] in genesys.ledger.ids("invalid")) is wrong


@pytest.mark.parametrize("half_line", [False, True], ids=["between lines", "in a line"])
async def test_cuts_lose_nothing_and_repeat_nothing(half_line: bool, read_stream: Read) -> None:
    faults = Faults(cut_every_events=30, half_line=half_line)
    async with GenesysEmulator(rate=0, count=300, faults=faults) as genesys, read_stream(genesys) as reader:
        await read_all(genesys, reader, 300)
        assert len(reader.ids()) == 300
        assert reader.connections >= 10
        assert any(reader.tails) is half_line
        for tail in filter(None, reader.tails):
            with pytest.raises(orjson.JSONDecodeError):
                orjson.loads(tail)


async def test_cut_by_age(read_stream: Read) -> None:
    faults = Faults(cut_every_seconds=0.05)
    async with GenesysEmulator(rate=500, count=100, faults=faults) as genesys, read_stream(genesys) as reader:
        for _ in range(2):
            await reader.connection()  # returns because it was cut, there is no other end
        assert genesys.streaming.context.outcomes["cut by age"] == 2
        genesys.faults = Faults()
        await read_all(genesys, reader, 100)
        assert len(reader.ids()) == 100


async def test_events_wait_while_nobody_reads(read_stream: Read, eventually: Callable[..., Any]) -> None:
    async with GenesysEmulator(rate=5_000, count=200) as genesys, read_stream(genesys) as reader:
        await eventually(lambda: genesys.streaming.as_json()["waiting"] == 200)
        assert not delivered(genesys)
        await read_all(genesys, reader, 200)
        assert len(reader.ids()) == 200


async def test_an_idle_stream_stays_open_with_blank_lines(read_stream: Read) -> None:
    async with (
        GenesysEmulator(rate=0, count=1, keep_alive_seconds=0.01) as genesys,
        read_stream(genesys) as reader,
        reader.client.stream("GET", reader.path) as response,
    ):
        data = b""
        async with asyncio.timeout(60):
            async for chunk in response.aiter_raw():
                data += chunk
                if data.endswith(b"\n\n\n\n"):
                    break
        assert len(data.strip().splitlines()) == 1


async def test_cut_now_ends_the_connection_and_the_reader_goes_on(
    read_stream: Read, eventually: Callable[..., Any]
) -> None:
    async with GenesysEmulator(rate=300, count=120) as genesys, read_stream(genesys) as reader:
        task = asyncio.create_task(read_all(genesys, reader, 120))
        await eventually(lambda: len(reader.lines) > 10)
        assert genesys.cut() == 1
        await task
        assert len(reader.ids()) == 120
        assert reader.connections == 2


async def test_a_second_reader_disconnects_the_first(read_stream: Read, eventually: Callable[..., Any]) -> None:
    async with GenesysEmulator(rate=0, count=5) as genesys, read_stream(genesys) as reader:
        first = asyncio.create_task(reader.connection())
        await eventually(lambda: len(reader.lines) == 5)
        async with reader.client.stream("GET", reader.path) as second:
            await first
            assert second.status_code == 200
            genesys.streaming.emit_line(b"for the second")
            async for data in second.aiter_raw():
                if data.strip():
                    break
        assert data == b"for the second\n"
        assert len(reader.lines) == 5


async def test_a_reader_that_does_not_read_stops_production(read_stream: Read) -> None:
    async with GenesysEmulator(rate=0) as genesys, read_stream(genesys) as reader:
        produced = genesys.production.produced
        async with asyncio.timeout(60), reader.client.stream("GET", reader.path) as response:
            before = -1
            while before != produced.total():  # ends only because full buffers hold the producer
                before = produced.total()
                await asyncio.sleep(0.2)
            assert before > 0
            async for _ in response.aiter_raw():
                if produced.total() > before:
                    break


async def test_last_line_without_newline(read_stream: Read) -> None:
    faults = Faults(unfinished_last_line=True)
    async with GenesysEmulator(rate=0, count=7, faults=faults) as genesys, read_stream(genesys) as reader:
        await reader.connection()
        assert len(reader.lines) == 6
        assert orjson.loads(reader.tails[0])["resourceType"] == "interaction"
        assert len(delivered(genesys)) == 7


@pytest.mark.parametrize(
    ("faults", "name", "times", "looks"),
    [
        (Faults(garbage_every=10), "garbage", 5, lambda line: not_json(line)),
        (Faults(invalid_utf8_every=10), "invalid_utf8", 5, lambda line: not_utf8(line)),
        (Faults(huge_line_every=50), "huge_line", 1, lambda line: len(line) == 5_000_000),
        (Faults(deep_nesting_every=10), "deep_nesting", 5, lambda line: line.count(b"{") == 2_001),
    ],
    ids=["garbage", "invalid UTF-8", "a huge line", "deep nesting"],
)
async def test_what_faults_put_between_events(
    faults: Faults, name: str, times: int, looks: Callable[[bytes], bool], read_stream: Read
) -> None:
    async with (
        GenesysEmulator(rate=0, count=50, faults=faults, keep_alive_seconds=0.05) as genesys,
        read_stream(genesys) as reader,
    ):
        await reader.read(lambda: len(reader.lines) >= 50 + times)
        assert sum(looks(line) for line in reader.lines) == times == genesys.ledger.injected[name]
        assert {str(one) for one in reader.ids() if one in genesys_ids(genesys)} == delivered(genesys)


def genesys_ids(genesys: GenesysEmulator) -> list[object]:
    return [one for mark in ("match", "filtered", "invalid") for one in genesys.ledger.ids(mark)]


def not_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return True
    return False


def not_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return True
    return False


async def test_arrays_and_ragged_chunks_still_hold_every_event(read_stream: Read) -> None:
    faults = Faults(array_size=7, ragged_chunks=True)
    async with GenesysEmulator(rate=0, count=100, faults=faults) as genesys, read_stream(genesys) as reader:
        await read_all(genesys, reader, 100)
        assert all(line.startswith(b"[") for line in reader.lines)
        assert {len(orjson.loads(line)) for line in reader.lines} <= set(range(1, 8))
        assert len(reader.ids()) == 100


@pytest.mark.parametrize("status", [401, 403, 429, 500])
async def test_connecting_is_refused_on_request(status: int, read_stream: Read) -> None:
    fault = AnswerFault(path="/events", method="GET", status=status, times=1)
    async with (
        GenesysEmulator(rate=0, count=1, faults=Faults(answers=(fault,))) as genesys,
        read_stream(genesys) as reader,
    ):
        with pytest.raises(httpx.HTTPStatusError) as refused:
            await reader.connection()
        assert refused.value.response.status_code == status
        await read_all(genesys, reader, 1)


async def test_each_subscription_has_the_events_of_its_own_time(read_stream: Read) -> None:
    async with GenesysEmulator(rate=0, count=20) as genesys, read_stream(genesys) as first:
        await read_all(genesys, first, 20)
        async with read_stream(genesys) as second:
            genesys.streaming.emit_event({"id": "later"})
            await second.read(lambda: bool(second.lines))
            assert second.ids() == ["later"]
        assert genesys.ledger.ids("emitted") == ["later"]
