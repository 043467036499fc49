"""This module knows the notification topics: their templates, what they need, and how combined ones read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from emulators.genesys.access.permissions import CONVERSATION_VIEW, DETAIL_VIEW, QUEUE_VIEW, USER_VIEW
from emulators.genesys.contact_centre.details import DETAIL_EVENTS
from emulators.genesys.notifications.payloads import MEDIA_SUFFIX

LONGEST = 200
"""Characters of a topic id, combined or not."""
UUID_PATTERN = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


class TopicError(ValueError):
    """A topic id that is none."""


@dataclass(frozen=True, slots=True)
class Family:
    """All topics of one template, such as `v2.users.{id}.presence`."""

    template: str
    permissions: tuple[str, ...]
    description: str

    def as_json(self, expand: Sequence[str]) -> dict[str, object]:
        """As `availabletopics` lists it: the id, and those further fields that `expand` names."""
        further: dict[str, object] = {
            "description": self.description,
            "enforced": True,
            "visibility": "Public",
            "transports": ["All"],
            "schema": {"type": "object", "properties": {"eventBody": {"type": "object"}}},
            "publicApiTemplateUriPaths": [],
            "requiresPermissions": list(self.permissions),
            "permissionDetails": [{"type": "requiresDivisionPermissions", "permissions": list(self.permissions)}],
            "topicParameters": ["id"],
        }
        return {"id": self.template} | {name: value for name, value in further.items() if name in expand}


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic id as it was subscribed, the names under which its events arrive, what it needs."""

    id: str
    names: tuple[str, ...]
    permissions: tuple[str, ...]


def _families() -> tuple[Family, ...]:
    queue, user = "v2.routing.queues.{id}", "v2.users.{id}"
    seen = (QUEUE_VIEW, CONVERSATION_VIEW)
    media = tuple(MEDIA_SUFFIX.values())
    return (
        *(
            Family(f"v2.detail.events.conversation.{{id}}.{event}", (DETAIL_VIEW,), f"Detail event {event}")
            for event in DETAIL_EVENTS
        ),
        Family(f"{queue}.conversations", seen, "Conversations of a queue, whole on every change"),
        *(Family(f"{queue}.conversations.{one}", seen, f"The {one} of a queue") for one in media),
        Family(f"{user}.conversations", (CONVERSATION_VIEW, USER_VIEW), "Conversations of a user"),
        *(
            Family(f"{user}.conversations.{one}", (CONVERSATION_VIEW, USER_VIEW), f"The {one} of a user")
            for one in media
        ),
        Family("v2.conversations.{id}.transcription", (CONVERSATION_VIEW,), "What is said in a conversation"),
        Family(f"{user}.presence", (USER_VIEW,), "Presence of a user"),
        Family(f"{user}.routingStatus", (USER_VIEW,), "Routing status of a user"),
    )


FAMILIES = _families()
_PATTERNS = tuple(
    (re.compile(re.escape(family.template).replace(r"\{id\}", UUID_PATTERN)), family) for family in FAMILIES
)


def parse_topic(ident: str) -> Topic:
    """`v2.users.<id>?presence&routingStatus` is one topic with two names; raises `TopicError`."""
    if len(ident) > LONGEST:
        raise TopicError(f"a topic id has at most {LONGEST} characters, this one has {len(ident)}")
    base, combined, suffixes = ident.partition("?")
    names = tuple(f"{base}.{suffix}" for suffix in suffixes.split("&")) if combined else (ident,)
    needed = [permission for name in names for permission in _family(name).permissions]
    return Topic(ident, names, tuple(dict.fromkeys(needed)))


def _family(name: str) -> Family:
    for pattern, family in _PATTERNS:
        if pattern.fullmatch(name):
            return family
    raise TopicError(f"unknown topic: {name}")
