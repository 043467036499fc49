"""This module answers the REST side of the Notifications API: channels, subscriptions, available topics."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from emulators.genesys.access.bodies import json_body
from emulators.genesys.access.errors import ApiError
from emulators.genesys.access.gate import TOKEN
from emulators.genesys.access.permissions import Permissions
from emulators.genesys.contact_centre.details import iso
from emulators.genesys.notifications.channels import Channel, Channels
from emulators.genesys.notifications.subscribing import Decision, decide, permitted, refuse_if_any_is, topic_ids
from emulators.genesys.notifications.topics import FAMILIES

PATH = "/api/v2/notifications"
SUBSCRIPTIONS = PATH + "/channels/{id}/subscriptions"


class Notifying:
    """`socket_url` is where the channels' `connectUri` points, `ws://host:port`."""

    def __init__(self, channels: Channels, permissions: Permissions, socket_url: Callable[[], str]) -> None:
        self._channels = channels
        self._permissions = permissions
        self._socket_url = socket_url

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(PATH + "/availabletopics", self.available_topics),
            web.post(PATH + "/channels", self.create),
            web.get(PATH + "/channels", self.list_mine),
            web.head(PATH + "/channels/{id}", self.exists),
            web.get(SUBSCRIPTIONS, self.subscriptions, allow_head=False),
            web.post(SUBSCRIPTIONS, self.subscribe),
            web.put(SUBSCRIPTIONS, self.replace),
            web.delete(SUBSCRIPTIONS, self.clear),
        ]

    async def available_topics(self, request: web.Request) -> web.Response:
        """Every topic template; `expand` adds fields to the ids."""
        expand = [name for value in request.query.getall("expand", []) for name in value.split(",")]
        return web.json_response({"entities": [family.as_json(expand) for family in FAMILIES]})

    async def create(self, request: web.Request) -> web.Response:
        return web.json_response(self._as_json(self._channels.create(request[TOKEN])))

    async def list_mine(self, request: web.Request) -> web.Response:
        """The channels of this token; with `includechannels=oauthclient` of all tokens, ids withheld."""
        token = request[TOKEN]
        every = request.query.get("includechannels") == "oauthclient"
        channels = self._channels.of_client(token.client_id)
        mine = [self._as_json(one) for one in channels if one.token == token]
        others = [{"expires": _expiry(one)} for one in channels if one.token != token]
        return web.json_response({"entities": mine + others if every else mine})

    async def exists(self, request: web.Request) -> web.Response:
        self._find(request)
        return web.Response()

    async def subscriptions(self, request: web.Request) -> web.Response:
        channel = self._find(request)
        return _entities([Decision(topic.id, topic) for topic in channel.topics.values()])

    async def subscribe(self, request: web.Request) -> web.Response:
        return await self._take(request, replace=False)

    async def replace(self, request: web.Request) -> web.Response:
        return await self._take(request, replace=True)

    async def clear(self, request: web.Request) -> web.Response:
        self._channels.subscribe(self._find(request), [], replace=True)
        return web.Response(status=204)

    async def _take(self, request: web.Request, *, replace: bool) -> web.Response:
        channel = self._find(request)
        decisions = decide(topic_ids(await json_body(request)), self._permissions)
        if request.query.get("ignoreErrors", "false").lower() != "true":
            refuse_if_any_is(decisions)
        self._channels.subscribe(channel, permitted(decisions), replace=replace)
        return _entities(decisions)

    def _find(self, request: web.Request) -> Channel:
        ident = request.match_info["id"]
        channel = self._channels.find(ident)
        if channel is None or channel.token.client_id != request[TOKEN].client_id:
            raise ApiError(404, "The channel was not found.", code="not.found")
        return channel

    def _as_json(self, channel: Channel) -> dict[str, object]:
        uri = f"{self._socket_url()}/channels/{channel.id}"
        return {"connectUri": uri, "id": channel.id, "expires": _expiry(channel)}


def _expiry(channel: Channel) -> str:
    return iso(int(channel.expires_at * 1000))


def _entities(decisions: list[Decision]) -> web.Response:
    return web.json_response({"entities": [one.as_json() for one in decisions]})
