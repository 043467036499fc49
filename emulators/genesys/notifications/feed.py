"""This module brings what the simulator says to the channels that subscribed; nothing is kept for later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from random import Random

from emulators.genesys.contact_centre.conversations import Simulator
from emulators.genesys.faults import ActiveFaults
from emulators.genesys.notifications.channels import Channel, Channels
from emulators.genesys.notifications.frames import Frame, event_frame, noise
from emulators.genesys.notifications.partner_bus import PartnerBus
from emulators.genesys.notifications.payloads import notifications
from emulators.genesys.notifications.sockets import SocketTally

TICK_SECONDS = 0.02
HELD_SECONDS = 0.5
"""An event that is held back to come out of order comes at the latest after this time."""
Build = Callable[[], Mapping[str, object]]


class Feed:
    """One task: advance the simulator, publish, look after channels and sockets.

    Time begins with the first channel, or at once when there is a partner bus. After `count` different events
    (None = never), and the others of the last one's moment, have gone to sockets or there, the simulated contact
    centre stands still.
    """

    def __init__(
        self,
        simulator: Simulator,
        channels: Channels,
        active: ActiveFaults,
        tally: SocketTally,
        clock: Callable[[], float],
        count: int | None,
        seed: int,
        partner_bus: PartnerBus | None = None,
    ) -> None:
        self.count = count
        self._partner_bus = partner_bus
        self.published = 0
        self.last_ms = 0  # when the last event went out, epoch ms
        self._simulator = simulator
        self._channels = channels
        self._active = active
        self._tally = tally
        self._clock = clock
        self._random = Random(seed)
        self._held: dict[str, tuple[float, Frame]] = {}
        self._finished = False

    @property
    def ended(self) -> bool:
        """True when `count` events have reached sockets; those that broke off in an outbox do not count."""
        reached = self.published - self._tally.frames["lost"]
        return self._finished or (self.count is not None and reached >= self.count)

    def finish(self) -> None:
        """Publish nothing more."""
        self._finished = True

    async def run(self, good_token: Callable[[str], bool]) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self._channels.expire_due()
            self._channels.remove_of_tokens(good_token)
            if (self._channels.created or self._partner_bus is not None) and not self.ended:
                self.step(int(self._clock() * 1000))
            self._release(self._clock() - HELD_SECONDS)
            for channel in self._channels:
                if channel.socket is not None:
                    channel.socket.look_after(loop.time())

    def step(self, now_ms: int) -> None:
        """Publish everything that happens up to `now_ms`, or up to the moment with the last event.

        Of that moment all is published: what analytics knew and no channel was ever told would look like a loss.
        """
        for moment in self._simulator.advance(now_ms):
            for happened in moment:
                for topic, build in notifications(happened):
                    self.publish(topic, build, happened.conversation.id)
                    self._integrate(topic, build, happened.conversation.id, now_ms)
            if self.ended:
                return

    def publish(self, topic: str, build: Build, conversation_id: str | None = None) -> int:
        """To every channel that wants the topic; answers to how many sockets it went."""
        receivers = [channel for channel in self._channels if topic in channel.names]
        if not receivers:
            return 0
        body = build()
        frame = event_frame(topic, body, conversation_id=conversation_id)
        sockets = [channel for channel in receivers if self._deliver(channel, frame)]
        if sockets:
            self.published += 1
            self.last_ms = int(self._clock() * 1000)
            for channel in sockets:
                self._spoil(channel, topic, body)
        return len(sockets)

    def _integrate(self, topic: str, build: Build, conversation_id: str, now_ms: int) -> None:
        """To the partner bus, where the topic is one that it is set to; a standard queue gives some twice."""
        bus = self._partner_bus
        if bus is not None and bus.takes(topic):
            body = build()
            self.published += 1
            bus.offer(topic, body, conversation_id, now_ms)
            if self._chance(self._active.faults.duplicate_share):
                bus.offer(topic, body, conversation_id, now_ms)

    def emit(self, frame: Frame) -> int:
        """Any frame to every open socket, subscribed or not."""
        sockets = [channel.socket for channel in self._channels if channel.socket is not None]
        for socket in sockets:
            socket.offer(frame)
        return len(sockets)

    def _deliver(self, channel: Channel, frame: Frame) -> bool:
        """Send now, or hold back behind the channel's next event (out of order)."""
        socket = channel.socket
        if socket is None:
            self._tally.count_missed(frame, "missed")
            return False
        held = self._held.pop(channel.id, None)
        if held is None and self._chance(self._active.faults.out_of_order_share):
            self._held[channel.id] = (self._clock(), frame)
            self._active.struck["out of order"] += 1
            return True
        socket.offer(frame)
        if held is not None:
            socket.offer(held[1])
        return True

    def _release(self, held_before: float) -> None:
        """Nothing came behind which these could come: send them, or lose them with their socket."""
        sockets = {channel.id: channel.socket for channel in self._channels}
        for ident, (since, frame) in list(self._held.items()):
            if since <= held_before:
                del self._held[ident]
                if (socket := sockets.get(ident)) is not None:
                    socket.offer(frame)
                else:
                    self._tally.count_missed(frame, "lost")

    def _spoil(self, channel: Channel, topic: str, body: Mapping[str, object]) -> None:
        """What faults add behind an event of this channel."""
        faults, socket = self._active.faults, channel.socket
        if socket is None:
            return
        if self._chance(faults.duplicate_share):
            socket.offer(event_frame(topic, body, "duplicate"))
        if topic.startswith("v2.routing.queues.") and self._chance(faults.repeat_share):
            socket.offer(event_frame(topic, body, "repeat"))
        for name, frame in noise(self.published, topic, faults):
            self._active.struck[name] += 1
            socket.offer(frame)

    def _chance(self, share: float) -> bool:
        return share > 0 and self._random.random() < share
