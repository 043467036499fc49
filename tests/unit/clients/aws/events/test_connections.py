"""Tests of kept connections against servers that write what they like, byte by byte."""

import asyncio
import contextlib

import pytest

from clients.aws.events.any_answer import Answer, NoHttpError
from clients.aws.events.connections import Connections

GOOD = b"HTTP/1.1 200 OK\r\nContent-Type: x\r\nContent-Length: 5\r\n\r\nhello"
HELLO = Answer(200, {"content-type": "x", "content-length": "5"}, b"hello")
HEADERS = {"content-length": "2"}


class Server:
    """Answers each request with the next of its answers, piece by piece; b"" closes the connection."""

    def __init__(self, *answers):
        self.answers, self.requests, self.connections, self._tasks = list(answers), [], 0, []

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.client = Connections(f"http://127.0.0.1:{port}/", None, connect_s=5, read_s=30)
        return self

    async def __aexit__(self, *_):
        self.client.close()
        self._server.close()
        await asyncio.gather(*self._tasks)

    async def _serve(self, reader, writer):
        self.connections += 1
        self._tasks.append(asyncio.current_task())
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                self.requests.append(await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(2))
                for piece in self.answers.pop(0):
                    if piece == b"":
                        writer.close()
                        return
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_one_connection_serves_requests_that_follow_each_other():
    async with Server([GOOD], [GOOD]) as server:
        assert await server.client.ask(HEADERS, b"{}") == HELLO
        assert await server.client.ask(HEADERS, b"[]") == HELLO
    assert server.connections == 1
    assert server.requests[1] == b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n[]"


async def test_requests_at_the_same_time_have_a_connection_each():
    async with Server([GOOD], [GOOD], [GOOD]) as server:
        assert await asyncio.gather(*(server.client.ask(HEADERS, b"{}") for _ in range(3))) == [HELLO] * 3
    assert server.connections == 3


async def test_an_answer_may_come_in_any_pieces():
    async with Server([bytes([byte]) for byte in GOOD], [GOOD[:40], GOOD[40:]]) as server:
        assert await server.client.ask(HEADERS, b"{}") == HELLO
        assert await server.client.ask(HEADERS, b"{}") == HELLO


async def test_a_refusal_is_an_answer():
    refusal = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\nX-Amzn-RequestId:  7 \r\n\r\nno"
    async with Server([refusal]) as server:
        answer = await server.client.ask(HEADERS, b"{}")
    assert (answer.status, answer.body, answer.headers["x-amzn-requestid"]) == (503, b"no", "7")


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("pieces", "kept"),
    [
        ([CHUNKED], True),
        ([bytes([byte]) for byte in CHUNKED], True),
        ([b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD], True),
        ([GOOD.replace(b"HTTP/1.1", b"HTTP/1.0")], False),
        ([GOOD.replace(b"HTTP/1.1", b"HTTP/1.0"), b""], False),
        ([GOOD.replace(b"Content-Length: 5\r\n", b""), b""], False),
        ([GOOD + b"!"], False),
    ],
    ids=["chunked", "byte by byte", "after a 100", "1.0", "1.0 that is closed", "as long as it is open", "and more"],
)
async def test_an_answer_in_another_form_is_read_and_its_request_not_sent_again(pieces, kept):
    async with Server(pieces, [GOOD]) as server:
        answer = await server.client.ask(HEADERS, b"{}")
        assert (answer.status, answer.body) == (200, b"hello")
        assert len(server.requests) == 1
        assert await server.client.ask(HEADERS, b"{}") == HELLO
    assert server.connections == (1 if kept else 2)


async def test_an_answer_that_sends_elsewhere_is_an_answer():
    async with Server([GOOD.replace(b"200", b"302")]) as server:
        assert (await server.client.ask(HEADERS, b"{}")).status == 302


@pytest.mark.parametrize(
    "answer",
    [
        GOOD.replace(b"Content-Length: 5", b"Content-Length: -5"),
        GOOD.replace(b"200", b"abc"),
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"x" * 200_000,
    ],
    ids=["no number", "no status", "no HTTP", "no end"],
)
async def test_what_is_no_answer_closes_the_connection(answer):
    async with Server([answer], [GOOD]) as server:
        with pytest.raises(NoHttpError):
            await server.client.ask(HEADERS, b"{}")
        assert await server.client.ask(HEADERS, b"{}") == HELLO
    assert server.connections == 2


@pytest.mark.parametrize("pieces", [[b""], [GOOD[:-1], b""]], ids=["before the answer", "within it"])
async def test_a_connection_that_breaks_is_told_and_the_next_one_is_new(pieces):
    async with Server([GOOD], pieces, [GOOD]) as server:
        assert await server.client.ask(HEADERS, b"{}") == HELLO
        with pytest.raises(ConnectionResetError):
            await server.client.ask(HEADERS, b"{}")
        assert await server.client.ask(HEADERS, b"{}") == HELLO
    assert server.connections == 2


async def test_a_connection_that_was_closed_while_idle_is_not_used():
    async with Server([GOOD, b""], [GOOD]) as server:
        assert await server.client.ask(HEADERS, b"{}") == HELLO
        async with asyncio.timeout(60):
            while server.client._idle[0].is_open:  # noqa: ASYNC110  # nobody tells of it
                await asyncio.sleep(0.001)
        assert await server.client.ask(HEADERS, b"{}") == HELLO
    assert server.connections == 2


async def test_what_comes_while_nobody_asks_is_no_part_of_a_later_answer():
    async with Server([GOOD, b"HTTP/1.1 408"], [GOOD]) as server:
        assert await server.client.ask(HEADERS, b"{}") == HELLO
        async with asyncio.timeout(60):
            while server.client._idle and server.client._idle[0].is_open:  # noqa: ASYNC110  # nobody tells of it
                await asyncio.sleep(0.001)
        assert await server.client.ask(HEADERS, b"{}") == HELLO
    assert server.connections == 2


async def test_one_that_the_other_end_means_to_close_is_not_kept():
    async with Server([GOOD.replace(b"Content-Type: x", b"Connection: close")], [GOOD]) as server:
        await server.client.ask(HEADERS, b"{}")
        assert await server.client.ask(HEADERS, b"{}") == HELLO
    assert server.connections == 2


async def test_an_answer_that_is_too_late_is_nobody_s():
    async with Server([], [GOOD]) as server:
        server.client._read_s = 0.001
        with pytest.raises(TimeoutError):
            await server.client.ask(HEADERS, b"{}")
        server.client._read_s = 30
        assert await server.client.ask(HEADERS, b"{}") == HELLO
    assert server.connections == 2


async def test_a_request_that_is_cancelled_takes_its_connection_with_it():
    async with Server([], [GOOD]) as server:
        asking = asyncio.create_task(server.client.ask(HEADERS, b"{}"))
        async with asyncio.timeout(60):
            while not server.requests:  # noqa: ASYNC110  # nobody tells of it
                await asyncio.sleep(0.001)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await server.client.ask(HEADERS, b"{}") == HELLO
    assert server.connections == 2


async def test_nobody_who_listens_is_an_error():
    with pytest.raises(ConnectionRefusedError):
        await Connections("http://127.0.0.1:1/", None, connect_s=5, read_s=5).ask(HEADERS, b"{}")
