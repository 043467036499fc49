"""This module asks the organisation what there is to listen to, and turns the settings into topics."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import structlog

from clients.genesys.queues import QUEUES, USERS, QueueNames, listed
from clients.genesys.rest.client import GenesysRest
from clients.genesys.rest.errors import GenesysError
from processors.event.identity import is_uuid
from processors.genesys.topics.available import AvailableTopic
from processors.genesys.topics.names import chosen, unmatched
from processors.genesys.topics.plan import TopicPlan, UnusableTopic, named, plan
from settings import Settings

log = structlog.get_logger(__name__)

AVAILABLE = "/api/v2/notifications/availabletopics"
EXPAND = "transports,requiresPermissions,permissionDetails"


class TopicResolver:
    """Resolves the settings into a TopicPlan, anew each time: queues come and go. `names`: learnt on the way."""

    def __init__(self, rest: GenesysRest, settings: Settings, names: QueueNames | None = None) -> None:
        self._rest, self._settings = rest, settings
        self.names = names or QueueNames(rest)
        self._templates = tuple(map(named, settings.genesys_topics))
        self._available: dict[str, AvailableTopic] = {}
        self._plan: TopicPlan | None = None
        self._asking = asyncio.Lock()

    async def resolve(self, within: float = 0.0) -> TopicPlan:
        """Ask for queues and users as far as the templates need them; what was found `within` s is given again.

        Raises PermissionMissingError when a list is needed that the OAuth client may not see.
        """
        async with self._asking:
            now_ms = self._rest.clock.wall_ms()
            if self._plan is None or now_ms - self._plan.made_ms >= within * 1000:
                self._plan = replace(await self._ask(), made_ms=now_ms)
            return self._plan

    async def _ask(self) -> TopicPlan:
        settings = self._settings
        queues = await self._known("{queue}", settings.genesys_queues, QUEUES)
        users = await self._known("{user}", settings.genesys_users, USERS)
        self.names.learn(queues)
        if not self._available:
            self._available = await available_topics(self._rest)
        queue_ids, user_ids = chosen(settings.genesys_queues, queues), chosen(settings.genesys_users, users)
        made = plan(self._templates, queue_ids, user_ids, self._available, settings.genesys_shards)
        refused = [
            UnusableTopic(f"{setting}={text}", f"names no {what} that there is")
            for setting, what, wanted, known in (
                ("GENESYS_QUEUES", "queue", settings.genesys_queues, queues),
                ("GENESYS_USERS", "user", settings.genesys_users, users),
            )
            for text in (unmatched(wanted, known) if known else ())
        ]
        return replace(made, refused=(*made.refused, *refused))

    async def _known(self, placeholder: str, wanted: tuple[str, ...], path: str) -> dict[str, str]:
        """Names by id of what a placeholder can stand for; empty when no name is to be looked up."""
        used = any(placeholder in template for template in self._templates)
        return await listed(self._rest, path) if used and not all(map(is_uuid, wanted)) else {}


async def available_topics(rest: GenesysRest) -> dict[str, AvailableTopic]:
    """What the organisation offers, by template; empty when it does not tell: nothing is checked then."""
    try:
        body = await rest.read("GET", AVAILABLE, params={"expand": EXPAND})
    except GenesysError as error:
        log.warning("genesys.topics.unchecked", reason=str(error))
        return {}
    entities = body.get("entities")
    topics = map(AvailableTopic.from_json, entities if isinstance(entities, list) else [])
    return {topic.template: topic for topic in topics if topic is not None}
