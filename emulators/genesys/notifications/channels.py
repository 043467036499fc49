"""This module keeps the notification channels: their topics, their life, and which gives way to a new one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Protocol

from emulators.genesys.access.errors import ApiError
from emulators.genesys.access.tokens import AccessToken
from emulators.genesys.notifications.frames import Frame
from emulators.genesys.notifications.topics import Topic

NORMAL_CLOSE = 1000


class Line(Protocol):
    """The socket of a channel, as far as others have to do with it."""

    def offer(self, frame: Frame) -> None:
        """Send soon, in order."""

    def close(self, code: int, because: str) -> None:
        """End it with a close frame."""

    def drop(self, because: str) -> None:
        """End it without one."""

    def expire(self) -> None:
        """Say that the channel is gone, then close."""

    def look_after(self, now: float) -> None:
        """Do what is due at loop time `now`."""


@dataclass(frozen=True, slots=True)
class ChannelLimits:
    """The limits of the Notifications API (Genesys blog, 2022-07-29); life in seconds."""

    channels: int = 20
    topics: int = 1_000
    life_seconds: float = 86_400.0


@dataclass(slots=True, eq=False)
class Channel:
    """One channel; times are epoch seconds. Subscriptions belong to it, not to its socket."""

    id: str
    token: AccessToken
    expires_at: float
    last_used: float
    topics: dict[str, Topic] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    socket: Line | None = None

    def hold(self, topics: Iterable[Topic]) -> None:
        self.topics = {topic.id: topic for topic in topics}
        self.names = frozenset(name for topic in self.topics.values() for name in topic.names)


class Channels:
    """All channels of all OAuth clients."""

    def __init__(self, limits: ChannelLimits, clock: Callable[[], float]) -> None:
        self.limits = limits
        self.created = 0
        self.evicted = 0
        self.expired = 0
        self._clock = clock
        self._channels: dict[str, Channel] = {}

    def __iter__(self) -> Iterator[Channel]:
        return iter(self._channels.values())

    def create(self, token: AccessToken) -> Channel:
        """A new channel; the 21st of a client evicts one: the longest unused, unconnected ones first."""
        now = self._clock()
        mine = [one for one in self._channels.values() if one.token.client_id == token.client_id]
        if len(mine) >= self.limits.channels:
            self.evicted += 1
            self._remove(min(mine, key=lambda one: (one.socket is not None, one.last_used)))
        channel = Channel(f"streaming-0-{token_urlsafe(16)}", token, now + self.limits.life_seconds, now)
        self._channels[channel.id] = channel
        self.created += 1
        return channel

    def find(self, ident: str) -> Channel | None:
        """The channel, unless it is gone; asking counts as using it."""
        self.expire_due()
        channel = self._channels.get(ident)
        if channel is not None:
            channel.last_used = self._clock()
        return channel

    def of_client(self, client_id: str) -> list[Channel]:
        self.expire_due()
        return [one for one in self._channels.values() if one.token.client_id == client_id]

    def subscribe(self, channel: Channel, topics: Iterable[Topic], *, replace: bool = False) -> None:
        """Add topics or hold only these; both extend the channel's life. `ApiError` 400 above the limit."""
        held = {} if replace else dict(channel.topics)
        held |= {topic.id: topic for topic in topics}
        if len(held) > self.limits.topics:
            raise ApiError(
                400,
                "The number of topics ({count}) exceeds the maximum of {limit} per channel.",
                params={"count": str(len(held)), "limit": str(self.limits.topics)},
            )
        channel.hold(held.values())
        channel.expires_at = self._clock() + self.limits.life_seconds

    def forget(self, channel: Channel) -> None:
        """Bring nothing more to a channel, which lives on and is told nothing."""
        channel.hold(())

    def attach(self, channel: Channel, socket: Line) -> None:
        """A channel has one socket: a second one disconnects the first."""
        if channel.socket is not None:
            channel.socket.close(NORMAL_CLOSE, "another connection to this channel")
        channel.socket = socket
        channel.last_used = self._clock()

    def detach(self, channel: Channel, socket: Line) -> None:
        """The socket is gone; another one that took its place stays."""
        if channel.socket is socket:
            channel.socket = None
            channel.last_used = self._clock()

    def expire_due(self) -> None:
        """Remove the channels whose life is over."""
        now = self._clock()
        for channel in [one for one in self._channels.values() if one.expires_at <= now]:
            self.expired += 1
            self._remove(channel)

    def remove_of_tokens(self, good: Callable[[str], bool]) -> None:
        """Remove the channels whose token is no longer good."""
        for channel in [one for one in self._channels.values() if not good(one.token.value)]:
            self._remove(channel)

    def _remove(self, channel: Channel) -> None:
        del self._channels[channel.id]
        if channel.socket is not None:
            channel.socket.expire()
