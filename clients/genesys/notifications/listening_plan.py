"""This module keeps a part listening to what the settings mean: it asks for the plan, follows it, and looks again."""

from __future__ import annotations

import structlog

from clients.genesys.notifications.part_channels import PartChannels
from clients.genesys.rest.client import GenesysRest
from clients.genesys.rest.errors import GenesysError
from clients.genesys.topic_resolver import TopicResolver
from processors.genesys.topics.plan import UnusableTopic
from settings import Settings

log = structlog.get_logger(__name__)

#: Seconds after which channels are looked at that gave cause for it, and least time between two such looks.
RECHECK_S = 5.0


class ListeningPlan:
    """The topics of one part's channels, as of the latest look. `speaks`: whether it reports the refused ones."""

    def __init__(
        self, rest: GenesysRest, settings: Settings, resolver: TopicResolver, channels: PartChannels, *, speaks: bool
    ) -> None:
        self._rest, self._resolver, self._channels, self._speaks = rest, resolver, channels, speaks
        self._refresh_s = settings.genesys_queue_refresh
        self._refused: tuple[UnusableTopic, ...] = ()

    async def resolve(self) -> None:
        """Ask what the settings mean by now, and listen to it. Raises GenesysError."""
        plan = await self._resolver.resolve(self._refresh_s / 2)
        if self._speaks:  # one part does, though all know
            self._report(plan.refused)
        if plan.topics:
            self._rest.observer.healthy("plan")
        else:
            reasons = "; ".join(f"{one.topic} {one.reason}" for one in plan.refused[:3])
            self._rest.observer.trouble("plan", f"nothing to listen to: {reasons}")
        await self._channels.follow(plan)

    async def refresh(self) -> None:
        """Look every few minutes for new queues, and whether the channels hold what they are believed to.

        A refusal then is no reason to stop listening.
        """
        whole, resolved_s = True, self._rest.clock.now()
        while True:
            await self._until_next_refresh(whole)
            try:
                whole = await self._channels.verify()
                if self._rest.clock.now() - resolved_s >= self._refresh_s * 0.9:
                    resolved_s = self._rest.clock.now()
                    await self.resolve()
            except GenesysError as error:
                log.warning("genesys.topics.not_refreshed", reason=str(error))

    async def _until_next_refresh(self, whole: bool) -> None:
        if whole and not await self._rest.clock.sleep_unless(self._refresh_s, self._channels.doubted()):
            return
        await self._rest.clock.sleep(min(self._refresh_s, RECHECK_S))

    def _report(self, refused: tuple[UnusableTopic, ...]) -> None:
        for one in set(refused) - set(self._refused):
            log.error("genesys.topic.refused", topic=one.topic, reason=one.reason)
            self._rest.observer.count("topic_rejected")
        self._refused = refused
