"""This module sends requests over connections that are kept, at a fifth of what a general HTTP client costs.

An answer as AWS gives it, HTTP/1.1 with a length, is read at once, any other by h11 (any_answer.py): a request is never
sent again for the form of its answer, as its entries are on the bus then. A connection carries one request at a time.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping
from typing import cast
from urllib.parse import urlsplit

from clients.aws.events.any_answer import Answer, AnyAnswer, NoHttpError

#: Seconds after which an idle connection is not used any more: the other end may be about to close it.
IDLE_S = 12.0

#: Bytes within which the head of an answer ends.
USUAL_HEAD = 16 * 1024


class _UnusualError(Exception):
    """The answer is not in AWS's form."""


class _Connection(asyncio.Protocol):
    """One connection, and who waits for its answer."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._received = b""
        self._head: tuple[int, dict[str, str]] | None = None
        self._end = 0
        self._any: AnyAnswer | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self.idle_since = 0.0
        self.is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.is_open = cast(asyncio.Transport, transport), True
        if (found := transport.get_extra_info("socket")) is not None:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._any is not None and exc is None:
            self.data_received(b"")  # h11's sign that the answer ends here
        self._fail(exc or ConnectionResetError("the other end closed the connection"))

    def data_received(self, data: bytes) -> None:
        """Give the answer to who waits for it, when it is whole. What nobody asked for is no part of a later one."""
        if self._waiting is None:
            self.close()
            return
        try:
            answer = self._read(data)
        except NoHttpError as error:
            self._fail(error)
            self.close()
            return
        if answer is None:
            return
        waiting, self._waiting = self._waiting, None
        if answer.headers.get("connection", "").lower() == "close" or not (self._any is None or self._any.may_stay):
            self.close()
        self._any = None
        if not waiting.done():
            waiting.set_result(answer)

    async def ask(self, request: bytes, seconds: float) -> Answer:
        """The answer to a request. Raises OSError, TimeoutError or NoHttpError, and is closed then."""
        waiting: asyncio.Future[Answer] = self._loop.create_future()
        self._waiting = waiting
        late = self._loop.call_later(seconds, self._fail, TimeoutError(f"no answer within {seconds:g} s"))
        try:
            self.transport.write(request)
            return await waiting
        except BaseException:
            self.close()
            raise
        finally:
            late.cancel()

    def close(self) -> None:
        """End it at once: what is still on its way is of no use."""
        self.is_open = False
        self.transport.abort()

    def _fail(self, error: Exception) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(error)

    def _read(self, data: bytes) -> Answer | None:
        """The answer, when it is whole. Raises NoHttpError."""
        if self._any is not None:
            return self._any.feed(data)
        self._received += data
        try:
            return self._read_usual()
        except (ValueError, _UnusualError):
            received, self._received, self._any = self._received, b"", AnyAnswer()
            return self._any.feed(received)

    def _read_usual(self) -> Answer | None:
        if self._head is None:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                if len(self._received) > USUAL_HEAD:
                    raise _UnusualError
                return None
            self._head, length = _head(self._received[:end])
            self._end = end + 4 + length
        if len(self._received) < self._end:
            return None
        if len(self._received) > self._end:
            raise _UnusualError
        (status, headers), received = self._head, self._received
        self._head, self._received = None, b""
        return Answer(status, headers, received[len(received) - int(headers["content-length"]) :])


def _head(data: bytes) -> tuple[tuple[int, dict[str, str]], int]:
    """Status and headers, and the length of the body. Raises ValueError or _UnusualError for another form."""
    first, *lines = data.decode("latin-1").split("\r\n")
    status, headers = int(first[9:12]), {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    is_usual = first.startswith("HTTP/1.1 ") and 200 <= status < 600 and "transfer-encoding" not in headers
    if not is_usual or not headers.get("content-length", "").isdecimal():
        raise _UnusualError
    return (status, headers), int(headers["content-length"])


class Connections:
    """Connections to the host of a URL, as many as requests are under way; `context`: for TLS, if it is asked for."""

    def __init__(self, url: str, context: ssl.SSLContext | None, *, connect_s: float, read_s: float) -> None:
        parts = urlsplit(url)
        self._host, self._context = parts.hostname or "", context
        self._port = parts.port or (443 if context else 80)
        self._connect_s, self._read_s = connect_s, read_s
        self._path = parts.path or "/"
        self._idle: list[_Connection] = []

    async def ask(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """The answer to a POST. Raises ConnectionResetError over a connection that broke, TimeoutError when no answer
        comes in time, NoHttpError, and OSError when no connection can be made.
        """
        head = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        request = f"POST {self._path} HTTP/1.1\r\n{head}\r\n".encode() + body
        connection = self._kept() or await self._connected()
        answer = await connection.ask(request, self._read_s)
        if connection.is_open:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.append(connection)
        return answer

    def close(self) -> None:
        """Close those that are idle."""
        while self._idle:
            self._idle.pop().close()

    def _kept(self) -> _Connection | None:
        """The one that was used last, which is the least likely to be closed."""
        oldest = asyncio.get_running_loop().time() - IDLE_S
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and connection.idle_since > oldest:
                return connection
            connection.close()
        return None

    async def _connected(self) -> _Connection:
        try:
            async with asyncio.timeout(self._connect_s):
                _, connection = await asyncio.get_running_loop().create_connection(
                    _Connection, self._host, self._port, ssl=self._context
                )
        except TimeoutError:
            raise ConnectionRefusedError(f"no connection within {self._connect_s:g} s") from None
        return connection
