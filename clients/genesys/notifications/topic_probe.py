"""This module finds out which topics Genesys would reject, by subscribing them on a channel nobody reads."""

from __future__ import annotations

from collections.abc import Iterable

from clients.genesys.notifications.channel_api import ChannelClient, RejectedTopic
from clients.genesys.rest.client import GenesysRest
from processors.genesys.topics.plan import MAX_CHANNELS, separate


async def tried(rest: GenesysRest, shares: Iterable[tuple[str, ...]]) -> tuple[RejectedTopic, ...] | None:
    """The topics that are rejected, parts of combined ones by themselves; None when there was no room to try.

    The 21st channel of an OAuth client would evict a live one: with 20 there is no trial. The channel is left
    empty, and Genesys ends it after its 24 h, or when it needs the place.
    """
    channels = ChannelClient(rest)
    if await channels.number() >= MAX_CHANNELS:
        return None
    channel = await channels.create()
    rejected: dict[str, RejectedTopic] = {}
    for share in shares:
        if share:
            rejected.update({one.topic: one for one in await channels.subscribe(channel, share)})
    await channels.clear(channel)
    return tuple(one for one in rejected.values() if len(separate(one.topic)) == 1)
