"""This module asks the organisation what there is to listen to, and turns the settings into topics."""

from __future__ import annotations

import structlog

from clients.genesys.errors import GenesysRequestError, PermissionMissingError
from clients.genesys.queues import QUEUES, USERS, QueueNames, chosen, listed
from clients.genesys.rest import GenesysRest
from clients.genesys.topics import AvailableTopic, TopicPlan, plan
from processors.event import is_uuid
from streams.settings import Settings

log = structlog.get_logger(__name__)

AVAILABLE = "/api/v2/notifications/availabletopics"
EXPAND = "transports,requiresPermissions,permissionDetails"


class TopicResolver:
    """Resolves the settings into a TopicPlan, anew each time: queues come and go."""

    def __init__(self, rest: GenesysRest, settings: Settings, names: QueueNames | None = None) -> None:
        self._rest, self._settings, self._names = rest, settings, names
        self._available: dict[str, AvailableTopic] | None = None

    async def resolve(self) -> TopicPlan:
        """Ask for queues and users as far as the templates need them.

        Raises PermissionMissingError when a list is needed that the OAuth client may not see.
        """
        settings = self._settings
        queues = await self._ids("{queue}", settings.genesys_queues, QUEUES)
        users = await self._ids("{user}", settings.genesys_users, USERS)
        if self._available is None:
            self._available = await available_topics(self._rest)
        return plan(settings.genesys_topics, queues, users, self._available, settings.genesys_shards)

    async def _ids(self, placeholder: str, wanted: tuple[str, ...], path: str) -> tuple[str, ...]:
        if not any(placeholder in template for template in self._settings.genesys_topics):
            return ()
        if all(is_uuid(text) for text in wanted):
            return chosen(wanted, {})
        known = await listed(self._rest, path)
        if self._names is not None and path == QUEUES:
            self._names.learn(known)
        return chosen(wanted, known)


async def available_topics(rest: GenesysRest) -> dict[str, AvailableTopic]:
    """What the organisation offers, by template; empty when it does not tell: nothing is checked then."""
    try:
        body = await rest.read("GET", AVAILABLE, params={"expand": EXPAND})
    except (PermissionMissingError, GenesysRequestError) as error:
        log.warning("genesys.topics.unchecked", reason=str(error))
        return {}
    entities = body.get("entities")
    topics = map(AvailableTopic.from_json, entities if isinstance(entities, list) else [])
    return {topic.template: topic for topic in topics if topic is not None}
