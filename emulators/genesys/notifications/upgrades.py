"""This module lets WebSocket clients in: `/channels/{id}`, where the channel id is the secret."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from emulators.genesys.access.errors import ApiError
from emulators.genesys.notifications.sockets import Socket, SocketContext


class Upgrades:
    """The streaming host; no Authorization header is asked for, as in Genesys Cloud."""

    def __init__(self, context: SocketContext, good_token: Callable[[str], bool]) -> None:
        self._context = context
        self._good_token = good_token

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/channels/{id}", self.upgrade, allow_head=False)]

    async def upgrade(self, request: web.Request) -> web.StreamResponse:
        """101, or 404 when the channel is gone, or 401 when its token is no longer good."""
        if status := self._context.active.faults.upgrade_status:
            self._context.active.struck[f"upgrade {status}"] += 1
            raise ApiError(status, "Asked for by a fault")
        channel = self._context.channels.find(request.match_info["id"])
        if channel is None:
            raise ApiError(404, "The channel was not found.")
        if not self._good_token(channel.token.value):
            raise ApiError(401, "The token of the channel is no longer valid.")
        return await Socket(self._context, channel, request).serve()

    def close_all(self, because: str) -> int:
        """Drop every socket now; answers how many there were."""
        sockets = [channel.socket for channel in self._context.channels if channel.socket is not None]
        for socket in sockets:
            socket.drop(because)
        return len(sockets)
