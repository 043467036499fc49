"""Tests of one socket's life, against a scripted WebSocket server on loopback."""

import asyncio
import http
import logging

import pytest
from pydantic import SecretStr
from websockets.asyncio.server import serve

from clients.genesys.notifications.connection import SocketEnd, read_socket
from processors.event.lines import OversizedLine

GONE = b'{"result":"404"}'


@pytest.fixture
async def dial():
    """Serve with the given handler and read the socket; gives the end and the frames."""
    servers = []

    async def run(handler, *, silence=5.0, max_bytes=1_000, **options):
        server = await serve(handler, "127.0.0.1", 0, **options)
        servers.append(server)
        port = server.sockets[0].getsockname()[1]
        frames = []

        async def received(line):
            frames.append(line)
            return line != GONE

        end = await read_socket(
            SecretStr(f"ws://127.0.0.1:{port}/channels/streaming-0-secret"),
            silence=silence,
            max_bytes=max_bytes,
            opened=lambda _: frames.append("opened"),
            received=received,
        )
        return end, frames

    yield run
    for server in servers:
        server.close()
        await server.wait_closed()


async def test_frames_are_given_as_bytes_until_the_close(dial):
    async def handler(socket):
        await socket.send('{"text":"é"}')
        await socket.send(b"\x00\xff")
        await socket.close(1001, "idle timeout")

    assert await dial(handler) == (
        SocketEnd("cut", "closed (1001)"),
        ["opened", '{"text":"é"}'.encode(), b"\x00\xff"],
    )


async def test_a_lost_connection_is_a_cut(dial):
    async def handler(socket):
        await socket.send("x")
        socket.transport.abort()

    end, frames = await dial(handler)
    assert end == SocketEnd("cut", "closed (no close frame)")
    assert frames[0] == "opened"


async def test_a_ten_megabyte_frame_is_told_and_the_socket_stays_up(dial):
    async def handler(socket):
        await socket.send("x" * 10_000_000)
        await socket.send("after")
        await socket.close()

    _, frames = await dial(handler)
    assert isinstance(frames[1], OversizedLine)
    assert frames[1].size == 10_000_000
    assert frames[2] == b"after"


async def test_a_frame_that_memory_cannot_bear_ends_the_socket(dial):
    async def handler(socket):
        await socket.send("x" * 17_000_000)
        await socket.wait_closed()

    end, frames = await dial(handler)
    assert (end.kind, frames) == ("cut", ["opened"])


async def test_the_404_result_means_that_the_channel_is_gone(dial):
    async def handler(socket):
        await socket.send(GONE.decode())
        await socket.wait_closed()

    end, _ = await dial(handler)
    assert end.kind == "gone"


async def test_silence_is_answered_by_a_ping_and_a_pong_keeps_the_socket(dial):
    pings = []

    async def handler(socket):
        async for message in socket:
            pings.append(message)
            if len(pings) == 3:
                await socket.close()
            await socket.send('{"topicName":"channel.metadata","eventBody":{"message":"pong"}}')

    end, frames = await dial(handler, silence=1.0)
    assert end.kind == "cut"
    assert pings == ['{"message":"ping"}'] * 3
    assert len(frames) == 3


async def test_no_pong_means_dead(dial):
    async def handler(socket):
        await socket.wait_closed()

    end, _ = await dial(handler, silence=0.1)
    assert end == SocketEnd("silent", "no frame for 0.1 s")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, "gone"),
        (401, "gone"),
        (403, "gone"),
        (410, "gone"),
        (429, "refused"),
        (500, "refused"),
        (503, "refused"),
    ],
)
async def test_refused_upgrades(dial, status, kind):
    def refuse(connection, request):
        return connection.respond(http.HTTPStatus(status), "no\n")

    async def handler(socket):
        await socket.wait_closed()

    assert await dial(handler, process_request=refuse) == (SocketEnd(kind, f"answers {status}"), [])


async def test_a_host_that_is_not_there_is_a_refusal():
    async def received(line):
        return True

    end = await read_socket(
        SecretStr("ws://127.0.0.1:1/channels/streaming-0-secret"),
        silence=1,
        max_bytes=10,
        opened=lambda _: None,
        received=received,
    )
    assert end.kind == "refused"
    assert "0-secret" not in end.reason


async def test_the_channel_stays_out_of_the_logs_at_every_level(dial, caplog):
    caplog.set_level(logging.DEBUG)

    async def handler(socket):
        await socket.send("personal data")
        await socket.close()

    await dial(handler, logger=logging.getLogger("server.side").getChild("quiet"))
    seen = "\n".join(record.getMessage() for record in caplog.records if record.name != "server.side.quiet")
    assert "0-secret" not in seen
    assert "personal data" not in seen


async def test_a_slow_consumer_pauses_the_socket_and_is_not_taken_for_silence():
    sent = []

    async def handler(socket):
        for number in range(400):
            await socket.send("x" * 200_000)
            sent.append(number)
        await socket.close()

    async with serve(handler, "127.0.0.1", 0, compression=None) as server:
        taken, gate, waiting = [], asyncio.Event(), asyncio.Event()

        async def received(line):
            waiting.set()
            await gate.wait()
            taken.append(line)
            return True

        reading = asyncio.create_task(
            read_socket(
                SecretStr(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/channels/x"),
                silence=0.3,
                max_bytes=1_000_000,
                opened=lambda _: None,
                received=received,
            )
        )
        await waiting.wait()
        await asyncio.sleep(0.5)  # longer than the silence that would mean dead
        assert len(sent) < 300, "the server could send without being read"
        gate.set()
        assert (await reading).kind == "cut"
        assert len(taken) == 400
