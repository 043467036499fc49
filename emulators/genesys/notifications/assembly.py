"""This module puts the notification side together: directory, simulator, channels, feed, analytics."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from emulators.genesys.access.permissions import Permissions
from emulators.genesys.access.tokens import Tokens
from emulators.genesys.contact_centre.analytics_api import Querying
from emulators.genesys.contact_centre.conversations import Simulator
from emulators.genesys.contact_centre.directory import Directory, Queue
from emulators.genesys.contact_centre.listing import Listing
from emulators.genesys.faults import ActiveFaults
from emulators.genesys.notifications.api import Notifying
from emulators.genesys.notifications.channels import ChannelLimits, Channels
from emulators.genesys.notifications.feed import Feed
from emulators.genesys.notifications.frames import Frame, notice_frame
from emulators.genesys.notifications.partner_bus import PartnerBus
from emulators.genesys.notifications.sockets import SocketContext, SocketTally
from emulators.genesys.notifications.upgrades import Upgrades


class Notifications:
    """Everything that is heard over sockets, and the REST paths that belong to it.

    `rate` is new conversations a second; see GenesysEmulator for the rest.
    """

    def __init__(
        self,
        active: ActiveFaults,
        tokens: Tokens,
        permissions: Permissions,
        clock: Callable[[], float],
        socket_url: Callable[[], str],
        *,
        rate: float,
        pace: float,
        heartbeat_seconds: float,
        event_queue: str | None,
        limits: ChannelLimits,
        count: int | None,
        seed: int,
    ) -> None:
        self.directory = Directory()
        self.tally = SocketTally(clock)
        self.channels = Channels(limits, clock)
        queues, users = list(self.directory.queues.values()), list(self.directory.users.values())
        self.simulator = Simulator(queues, users, rate, seed, pace)
        self.partner_bus = PartnerBus(event_queue, self.tally) if event_queue else None
        self.feed = Feed(self.simulator, self.channels, active, self.tally, clock, count, seed, self.partner_bus)
        context = SocketContext(self.channels, active, self.tally, heartbeat_seconds)
        self._upgrades = Upgrades(context, tokens.good)
        self._tokens = tokens
        self._parts = (
            Notifying(self.channels, permissions, socket_url),
            Listing(self.directory, permissions),
            Querying(self.simulator, permissions),
            self._upgrades,
        )

    def routes(self) -> list[web.RouteDef]:
        return [route for part in self._parts for route in part.routes()]

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.feed.run(self._tokens.good))
            if self.partner_bus is not None:
                group.create_task(self.partner_bus.run())

    def cut(self, because: str) -> int:
        """Drop every socket now; answers how many."""
        return self._upgrades.close_all(because)

    def forget(self) -> int:
        """Every channel brings nothing any more and is told nothing; answers how many there are."""
        for channel in self.channels:
            self.channels.forget(channel)
        return sum(1 for _ in self.channels)

    def notify(self, kind: str) -> int:
        """A notice to every open socket, and what it says; answers to how many."""
        sockets = [(channel, channel.socket) for channel in self.channels if channel.socket is not None]
        for channel, socket in sockets:
            socket.offer(notice_frame(kind, channel.id))
            if kind == "no_longer_subscribed":
                self.channels.forget(channel)
        if kind == "token_revoked":
            self._tokens.revoke_all()
        return len(sockets)

    def add_queue(self, name: str) -> Queue:
        """A queue that did not exist: conversations enter it from now on."""
        queue = self.directory.add_queue(name)
        if queue not in self.simulator.queues:
            self.simulator.queues.append(queue)
        return queue

    def emit_frame(self, data: str | bytes) -> int:
        """Any frame to every open socket; answers to how many."""
        return self.feed.emit(Frame(data, "noise"))

    def emit_notification(self, topic: str, body: dict[str, object]) -> int:
        """An event to the sockets that subscribed to its topic; answers to how many."""
        return self.feed.publish(topic, lambda: body)

    def channels_as_json(self) -> list[dict[str, object]]:
        return [
            {
                "id": channel.id,
                "clientId": channel.token.client_id,
                "connected": channel.socket is not None,
                "topics": list(channel.topics),
                "expiresAt": channel.expires_at,
                "lastUsed": channel.last_used,
            }
            for channel in self.channels
        ]

    def conversations_as_json(self) -> dict[str, object]:
        """The truth: ids of all conversations, of those with an event sent, of those with an event missed."""
        known = self.simulator.conversations
        return {"known": list(known), "sent": list(self.tally.sent), "missed": list(self.tally.missed)}

    def as_json(self) -> dict[str, object]:
        """For the summary."""
        sockets = sum(channel.socket is not None for channel in self.channels)
        return {
            "frames": dict(self.tally.frames),
            "ended": self.feed.ended and not (self.partner_bus is not None and self.partner_bus.waiting),
            "lastEventMs": self.feed.last_ms,
            "missedMs": list(self.tally.missed_ms),
            "conversations": len(self.simulator.conversations),
            "conversationsSent": len(self.tally.sent),
            "conversationsMissed": len(self.tally.missed),
            "sockets": sockets,
            "ends": dict(self.tally.ends),
            "channels": {
                "open": sum(1 for _ in self.channels),
                "created": self.channels.created,
                "evicted": self.channels.evicted,
                "expired": self.channels.expired,
            },
        }
