"""This module says which permissions the OAuth client's roles give it."""

from __future__ import annotations

from collections.abc import Iterable

from emulators.genesys.access.errors import missing_permissions

QUEUE_VIEW = "routing:queue:view"
USER_VIEW = "directory:user:view"
CONVERSATION_VIEW = "conversation:communication:view"
DETAIL_VIEW = "analytics:conversationDetail:view"
ALL_PERMISSIONS = frozenset({QUEUE_VIEW, USER_VIEW, CONVERSATION_VIEW, DETAIL_VIEW})


class Permissions:
    """The permissions granted; they can be changed while the emulator runs."""

    def __init__(self, granted: Iterable[str] = ALL_PERMISSIONS) -> None:
        self.granted = frozenset(granted)

    def missing(self, needed: Iterable[str]) -> list[str]:
        return sorted(set(needed) - self.granted)

    def require(self, *needed: str) -> None:
        """Raises `ApiError` 403 that names what is missing."""
        if missing := self.missing(needed):
            raise missing_permissions(missing)
