"""This module tests the life of channels with a clock of its own."""

from __future__ import annotations

import pytest

from emulators.genesys.access.errors import ApiError
from emulators.genesys.access.tokens import AccessToken
from emulators.genesys.notifications.channels import ChannelLimits, Channels
from emulators.genesys.notifications.frames import Frame
from emulators.genesys.notifications.topics import Topic

TOKEN = AccessToken("secret", "client", 1e12)


class RecordingSocket:
    """A socket that only remembers how it was ended."""

    def __init__(self) -> None:
        self.ends: list[str] = []

    def offer(self, frame: Frame) -> None:
        raise AssertionError("nothing is sent here")

    def close(self, code: int, because: str) -> None:
        self.ends.append(f"close {code}")

    def drop(self, because: str) -> None:
        self.ends.append("drop")

    def expire(self) -> None:
        self.ends.append("expire")

    def look_after(self, now: float) -> None:
        raise AssertionError("nobody looks here")


class Time:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def channels(time: Time) -> Channels:
    return Channels(ChannelLimits(channels=3, topics=5, life_seconds=60), time)


def topics(*names: str) -> list[Topic]:
    return [Topic(name, (name,), ()) for name in names]


def test_one_channel_too_many_evicts_the_longest_unused(channels: Channels) -> None:
    first, second, third = (channels.create(TOKEN) for _ in range(3))
    channels.find(first.id)
    channels.create(TOKEN)
    assert [channels.find(one.id) is not None for one in (first, second, third)] == [True, False, True]


def test_connected_channels_are_evicted_last(channels: Channels) -> None:
    made = [channels.create(TOKEN) for _ in range(3)]
    sockets = [RecordingSocket() for _ in made]
    for channel, socket in zip(made[:2], sockets, strict=False):
        channels.attach(channel, socket)
    newest = [channels.create(TOKEN), channels.create(TOKEN)]
    assert channels.find(made[2].id) is None
    assert sockets[0].ends == sockets[1].ends == []
    for channel in newest:
        channels.attach(channel, RecordingSocket())
    channels.create(TOKEN)
    assert sockets[0].ends == ["expire"]


def test_another_client_has_channels_of_its_own(channels: Channels) -> None:
    mine = [channels.create(TOKEN) for _ in range(3)]
    channels.create(AccessToken("other", "other client", 1e12))
    assert all(channels.find(one.id) for one in mine)


def test_life_ends_and_subscribing_extends_it(channels: Channels, time: Time) -> None:
    kept, left = channels.create(TOKEN), channels.create(TOKEN)
    socket = RecordingSocket()
    channels.attach(left, socket)
    time.now += 50
    channels.subscribe(kept, topics("a"))
    time.now += 20
    assert (channels.find(kept.id) is kept, channels.find(left.id)) == (True, None)
    assert socket.ends == ["expire"]


def test_topics_are_added_replaced_and_limited(channels: Channels) -> None:
    channel = channels.create(TOKEN)
    channels.subscribe(channel, topics("a", "b"))
    channels.subscribe(channel, topics("b", "c"))
    assert list(channel.topics) == ["a", "b", "c"]
    with pytest.raises(ApiError) as refused:
        channels.subscribe(channel, topics("d", "e", "f"))
    assert refused.value.status == 400
    assert list(channel.topics) == ["a", "b", "c"]
    channels.subscribe(channel, topics("x"), replace=True)
    assert channel.names == {"x"}


def test_a_second_socket_disconnects_the_first(channels: Channels) -> None:
    channel = channels.create(TOKEN)
    first, second = RecordingSocket(), RecordingSocket()
    channels.attach(channel, first)
    channels.attach(channel, second)
    channels.detach(channel, first)
    assert (first.ends, second.ends) == (["close 1000"], [])
    assert channel.socket is second


def test_channels_end_with_their_token(channels: Channels) -> None:
    channel = channels.create(TOKEN)
    channels.remove_of_tokens(lambda value: True)
    assert channels.find(channel.id) is channel
    channels.remove_of_tokens(lambda value: False)
    assert channels.find(channel.id) is None
