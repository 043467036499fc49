"""This module answers `POST /api/v2/analytics/conversations/details/query`."""

from __future__ import annotations

from aiohttp import web

from emulators.genesys.access.bodies import json_body
from emulators.genesys.access.permissions import DETAIL_VIEW, Permissions
from emulators.genesys.contact_centre.analytics import answer, parse_query
from emulators.genesys.contact_centre.conversations import Simulator


class Querying:
    """Sees the simulator's truth at once; real analytics lags some seconds behind."""

    def __init__(self, simulator: Simulator, permissions: Permissions) -> None:
        self._simulator = simulator
        self._permissions = permissions

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/api/v2/analytics/conversations/details/query", self.details)]

    async def details(self, request: web.Request) -> web.Response:
        self._permissions.require(DETAIL_VIEW)
        query = parse_query(await json_body(request))
        return web.json_response(answer(self._simulator.conversations.values(), query))
