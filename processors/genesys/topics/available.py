"""This module is the topics that an organisation offers, and who may listen to each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from processors.event.identity import ANY_ID

_ID_OR_PLACEHOLDER = re.compile(rf"\{{[^}}]*\}}|{ANY_ID.pattern}")
_USER_KINDS = frozenset({"requiresCurrentUser", "requiresUserBeConversationParticipant"})


def generic(topic: str) -> str:
    """A topic with `{id}` for each id and placeholder, as the list of available topics is looked up by."""
    return _ID_OR_PLACEHOLDER.sub("{id}", topic)


@dataclass(frozen=True, slots=True)
class AvailableTopic:
    """One template of `GET …/notifications/availabletopics`. `permissions` as `domain:entity:action`."""

    template: str
    transports: frozenset[str]
    permissions: tuple[str, ...]
    needs_user: bool

    @classmethod
    def from_json(cls, entity: object) -> AvailableTopic | None:
        """Read one entity; None when it has no id. Every other field may be missing."""
        if not isinstance(entity, dict) or not isinstance(entity.get("id"), str):
            return None
        details = [one for one in _list(entity.get("permissionDetails")) if isinstance(one, dict)]
        permissions = [*_list(entity.get("requiresPermissions"))]
        for detail in details:
            permissions += _list(detail.get("permissions"))
        by_user = bool(details) and all(detail.get("type") in _USER_KINDS for detail in details)
        return cls(
            template=generic(entity["id"]),
            transports=frozenset(str(one).casefold() for one in _list(entity.get("transports"))),
            permissions=tuple(dict.fromkeys(str(one) for one in permissions)),
            needs_user=by_user or entity.get("requiresCurrentUser") is True,
        )

    def objection(self) -> str | None:
        """Why nobody with client credentials and a WebSocket can listen to it; None when one can."""
        if self.transports and not self.transports & {"all", "websocket"}:
            return f"is not sent over WebSockets (transports: {', '.join(sorted(self.transports))})"
        if self.needs_user:
            return "needs a signed-in user, and a client-credentials client has none"
        return None


Available = Mapping[str, AvailableTopic]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
