"""This module is a Genesys Cloud that costs next to nothing: it sends notifications that were made before, all at once.

`python -m bench.lean_genesys --notifications 60000` prints one JSON line with its URL, the bytes of a notification, and
how many there are. POST /send lets so many of them go, to the one channel. What they hold is made by the emulator.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from aiohttp import web

from emulators.genesys.contact_centre.conversations import Simulator
from emulators.genesys.contact_centre.directory import Directory
from emulators.genesys.notifications.frames import event_frame
from emulators.genesys.notifications.payloads import notifications

CHANNEL = {"id": "channel", "expires": "2099-01-01T00:00:00.000Z"}


def frames(directory: Directory) -> Iterator[str]:
    """Notifications of the queues' conversations, as a contact centre with 100 new ones a second makes them."""
    simulator = Simulator([*directory.queues.values()], [*directory.users.values()], rate=100.0)
    for now_ms in range(1_800_000_000_000, 1_900_000_000_000, 100):
        for moment in simulator.advance(now_ms):
            for happened in moment:
                for topic, build in notifications(happened):
                    if topic.startswith("v2.routing.queues."):
                        data = event_frame(topic, build()).data
                        yield data if isinstance(data, str) else data.decode()


class LeanGenesys:
    """One OAuth client, one channel, and what goes over it."""

    def __init__(self, number: int) -> None:
        self.directory = Directory()
        self.waiting = [*islice(frames(self.directory), number)]
        self.url = ""
        self._reader: asyncio.Future[web.WebSocketResponse] = asyncio.get_running_loop().create_future()
        self._topics: list[Any] = []

    def application(self) -> web.Application:
        """What a notification source asks for; all else is not there."""
        application = web.Application()
        channel = "/api/v2/notifications/channels/channel"
        subscriptions = f"{channel}/subscriptions"
        application.add_routes([
            web.post("/oauth/token", _answering({"access_token": "t", "token_type": "bearer", "expires_in": 86_400})),
            web.get("/api/v2/notifications/availabletopics", _answering({"entities": []})),
            web.get("/api/v2/routing/queues", self._queues),
            web.get("/api/v2/notifications/channels", _answering({"entities": [CHANNEL]})),
            web.post("/api/v2/notifications/channels", self._channel),
            web.head(channel, _answering({})),
            web.get(subscriptions, self._subscribed),
            web.put(subscriptions, self._subscribe),
            web.get("/socket", self._socket),
            web.post("/send", self._send),
        ])  # fmt: skip
        return application

    async def _queues(self, request: web.Request) -> web.Response:
        return web.json_response(
            {"entities": [one.as_json() for one in self.directory.queues.values()], "pageCount": 1}
        )

    async def _channel(self, request: web.Request) -> web.Response:
        return web.json_response(CHANNEL | {"connectUri": f"{self.url.replace('http', 'ws')}/socket"})

    async def _subscribe(self, request: web.Request) -> web.Response:
        self._topics = await request.json()
        return await self._subscribed(request)

    async def _subscribed(self, request: web.Request) -> web.Response:
        return web.json_response({"entities": [{"id": one["id"], "state": "Permitted"} for one in self._topics]})

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        self._reader.set_result(socket)
        async for _ in socket:  # pings
            await socket.send_json({"topicName": "channel.metadata", "eventBody": {"message": "pong"}})
        return socket

    async def _send(self, request: web.Request) -> web.Response:
        """`{number}`: so many more, as fast as they are read; answers when they are on their way."""
        number = int((await request.json())["number"])
        reader = await self._reader  # when the worker has dialled
        going, self.waiting = self.waiting[:number], self.waiting[number:]
        for frame in going:
            await reader.send_str(frame)
        return web.json_response({"sent": len(going)})


def _answering(body: dict[str, Any]) -> Any:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response(body)

    return answer


async def serve(number: int) -> None:
    """Announce the address, and serve for ever."""
    genesys = LeanGenesys(number)
    runner = web.AppRunner(genesys.application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    genesys.url = "http://{}:{}".format(*runner.addresses[0][:2])
    size = sum(map(len, genesys.waiting)) // len(genesys.waiting)
    print(json.dumps({"url": genesys.url, "bytes": size, "notifications": len(genesys.waiting)}), flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(prog="python -m bench.lean_genesys", description=__doc__)
    parser.add_argument("--notifications", type=int, default=60_000)
    asyncio.run(serve(parser.parse_args().notifications))


if __name__ == "__main__":
    main()
