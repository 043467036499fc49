"""This module manages notification channels over REST: make one, subscribe its topics, ask whether it lives.

A channel's id and its connectUri are secrets: the socket asks for no other proof. Paths and limits:
Genesys' NotificationsApi; a channel lives 24 h from its last subscription.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from pydantic import SecretStr

from clients.genesys.rest.client import GenesysRest
from clients.genesys.rest.errors import GenesysRequestError, PermissionMissingError, json_object
from processors.genesys.interval import epoch_ms_of
from processors.genesys.topics.plan import TOPICS_PER_CHANNEL, separate

log = structlog.get_logger(__name__)

CHANNELS_PATH = "/api/v2/notifications/channels"
CHANNEL_LIFE = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel. `life` in seconds from its making; `token`: the one it was made with, and ends with."""

    id: str = field(repr=False)
    connect_uri: SecretStr
    life: float
    token: SecretStr = field(default=SecretStr(""))


@dataclass(frozen=True, slots=True)
class RejectedTopic:
    """A topic that Genesys does not let this OAuth client listen to."""

    topic: str
    reason: str
    permissions: tuple[str, ...]


class ChannelClient:
    """The REST side of the channels of one OAuth client."""

    def __init__(self, rest: GenesysRest) -> None:
        self._rest = rest

    async def create(self) -> Channel:
        """A new channel."""
        token = SecretStr(await self._rest.token())
        body = await self._rest.read("POST", CHANNELS_PATH, accepts=_is_channel)
        ident, uri = body["id"], body["connectUri"]
        given = body.get("expires")
        expires = given if isinstance(given, int) else epoch_ms_of(given)
        life = CHANNEL_LIFE if expires is None else expires / 1000 - self._rest.clock.wall()
        self._rest.observer.count("channel_created")
        # A clock that is wrong by hours must not make every channel look dead at once.
        return Channel(ident, SecretStr(uri), life if life > 0 else CHANNEL_LIFE, token)

    async def number(self) -> int:
        """How many channels the OAuth client has, made with whatever token (at most 20); 0 if Genesys does not say."""
        try:
            body = await self._rest.read("GET", CHANNELS_PATH, params={"includechannels": "oauthclient"})
        except GenesysRequestError:
            return 0
        entities = body.get("entities")
        return len(entities) if isinstance(entities, list) else 0

    async def exists(self, channel: Channel) -> bool:
        """Whether the channel still lives (HEAD: 404 = gone). Any other refusal is no reason to go on with it."""
        try:
            await self._rest.request("HEAD", f"{CHANNELS_PATH}/{channel.id}")
        except (GenesysRequestError, PermissionMissingError) as error:
            log.info("genesys.channel.gone", reason=str(error))
            return False
        return True

    async def held(self, channel: Channel) -> frozenset[str] | None:
        """The names under which the channel brings events, as Genesys has it; None when it does not tell.

        Raises GenesysRequestError with status 404 when the channel is gone.
        """
        try:
            body = await self._rest.read("GET", f"{CHANNELS_PATH}/{channel.id}/subscriptions")
        except PermissionMissingError:
            return None
        entities = body.get("entities")
        if not isinstance(entities, list):
            return None
        topics = (one.get("id") for one in entities if isinstance(one, dict) and _rejected(one) is None)
        return frozenset(name for topic in topics if isinstance(topic, str) for name in separate(topic))

    async def subscribe(
        self, channel: Channel, topics: Sequence[str], *, add: bool = False
    ) -> tuple[RejectedTopic, ...]:
        """Make these the channel's topics, and no others, or add them; the rejected ones are given, the rest holds.

        A combined topic is rejected for one of its parts, so its parts are then asked for one by one. Raises
        GenesysRequestError with status 404 when the channel is gone.
        """
        method = "POST" if add else "PUT"
        rejected = await self._send(method, channel, topics)
        combined = {one.topic for one in rejected if len(separate(one.topic)) > 1}
        if not combined:
            return rejected
        single = [name for topic in topics for name in (separate(topic) if topic in combined else (topic,))]
        beyond = single[TOPICS_PER_CHANNEL:]
        reason = f"its combined topic was rejected, and a channel holds {TOPICS_PER_CHANNEL} topics only"
        return await self._send(method, channel, single[:TOPICS_PER_CHANNEL]) + tuple(
            RejectedTopic(topic, reason, ()) for topic in beyond
        )

    async def clear(self, channel: Channel) -> None:
        """Leave a channel without topics; channels themselves cannot be deleted, they expire."""
        await self._rest.request("DELETE", f"{CHANNELS_PATH}/{channel.id}/subscriptions")

    async def _send(self, method: str, channel: Channel, topics: Sequence[str]) -> tuple[RejectedTopic, ...]:
        response = await self._rest.request(
            method,
            f"{CHANNELS_PATH}/{channel.id}/subscriptions",
            json=[{"id": topic} for topic in topics],
            params={"ignoreErrors": "true"},
        )
        entities = json_object(response).get("entities")  # a success without any rejects nothing
        rejected = map(_rejected, entities if isinstance(entities, list) else [])
        return tuple(one for one in rejected if one is not None)


def _rejected(entity: object) -> RejectedTopic | None:
    if not isinstance(entity, dict) or str(entity.get("state")).casefold() != "rejected":
        return None
    missing = entity.get("missingPermissions")
    permissions = tuple(str(one) for one in missing) if isinstance(missing, list) else ()
    reason = str(entity.get("rejectionReason") or "no reason given")
    return RejectedTopic(str(entity.get("id")), reason, permissions)


def _is_channel(body: dict[str, Any]) -> bool:
    ident, uri = body.get("id"), body.get("connectUri")
    return isinstance(ident, str) and isinstance(uri, str) and uri.startswith(("ws://", "wss://"))
