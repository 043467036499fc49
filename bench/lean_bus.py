"""This module is an EventBridge that costs next to nothing: it takes every entry, after a while, and counts.

`python -m bench.lean_bus --latency-ms 20` prints one JSON line with its URL; GET / tells what it took, and GET /ages
how long that was on its way, since it was asked last.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import deque
from functools import partial

#: Written once by every entry, and by nothing inside one: a Detail is text, whose quotes are escaped.
ENTRY = b'"DetailType":'
SENT_AT = b"sentAt="


class Taken:
    """What came: entries and requests, and for those that say when they were sent, how long ago that was (ms)."""

    def __init__(self) -> None:
        self.entries = self.requests = 0
        self.ages: deque[int] = deque(maxlen=2_000_000)

    def take(self, body: bytes) -> int:
        """Count one PutEvents; gives its number of entries."""
        number = body.count(ENTRY)
        self.entries += number
        self.requests += 1
        now, at = int(time.time() * 1000), body.find(SENT_AT)
        while at >= 0:
            start = at + len(SENT_AT)
            self.ages.append(now - int(body[start : start + 13]))
            at = body.find(SENT_AT, start)
        return number

    def told(self) -> bytes:
        """What was taken, as JSON."""
        return json.dumps({"entries": self.entries, "requests": self.requests}).encode()

    def told_ages(self) -> bytes:
        """How old it was, as JSON; each is told once."""
        ages, self.ages = sorted(self.ages), deque(maxlen=2_000_000)
        return json.dumps({f"p{rank}_ms": ages[len(ages) * rank // 100] for rank in (50, 95, 99) if ages}).encode()


class Connection(asyncio.Protocol):
    """One kept-alive connection."""

    def __init__(self, taken: Taken, latency_s: float) -> None:
        self._taken, self._latency_s = taken, latency_s
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            length = head.find(b"content-length:")
            size = int(head[length + 15 :].split(b"\r\n", 1)[0]) if length >= 0 else 0
            if len(self._buffer) < end + 4 + size:
                return
            body, self._buffer = self._buffer[end + 4 : end + 4 + size], self._buffer[end + 4 + size :]
            self._asked(head, body)

    def _asked(self, head: bytes, body: bytes) -> None:
        if b"awsevents.putevents" not in head:
            if head.startswith(b"get /ages"):
                self._answer(self._taken.told_ages())
            elif head.startswith(b"get"):
                self._answer(self._taken.told())
            else:
                self._answer(b'{"Name":"bus","Arn":"arn:aws:events:::bus"}')
            return
        number = self._taken.take(body)
        results = ",".join([f'{{"EventId":"{self._taken.entries - one}"}}' for one in range(number)])
        answer = f'{{"FailedEntryCount":0,"Entries":[{results}]}}'.encode()
        asyncio.get_running_loop().call_later(self._latency_s, self._answer, answer)

    def _answer(self, body: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)


async def serve(latency_s: float) -> None:
    """Announce the address, and serve for ever."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(partial(Connection, Taken(), latency_s), "127.0.0.1", 0)
    print(json.dumps({"url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"}), flush=True)
    await server.serve_forever()


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(prog="python -m bench.lean_bus", description=__doc__)
    parser.add_argument("--latency-ms", type=float, default=20.0)
    asyncio.run(serve(parser.parse_args().latency_ms / 1000))


if __name__ == "__main__":
    main()
