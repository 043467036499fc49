"""This module decides on requests for topics: permitted, rejected, or refused as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from emulators.genesys.access.errors import ApiError, missing_permissions
from emulators.genesys.access.permissions import Permissions
from emulators.genesys.notifications.topics import Topic, TopicError, parse_topic


@dataclass(frozen=True, slots=True)
class Decision:
    """One topic asked for: `topic` when it may be had, otherwise why not."""

    id: str
    topic: Topic | None
    missing: tuple[str, ...] = ()
    reason: str = ""

    def as_json(self) -> dict[str, object]:
        """A `ChannelTopic` of the SDK: `{id, state, rejectionReason?, missingPermissions?}`."""
        if self.topic is not None:
            return {"id": self.id, "state": "Permitted"}
        body: dict[str, object] = {"id": self.id, "state": "Rejected", "rejectionReason": self.reason}
        return body | {"missingPermissions": list(self.missing)} if self.missing else body


def decide(idents: Iterable[str], permissions: Permissions) -> list[Decision]:
    """One decision for each topic id, in order."""
    return [_decide(ident, permissions) for ident in idents]


def permitted(decisions: Sequence[Decision]) -> list[Topic]:
    return [one.topic for one in decisions if one.topic is not None]


def refuse_if_any_is(decisions: Sequence[Decision]) -> None:
    """Without `ignoreErrors` one bad topic spoils the request: `ApiError` 403 for permissions, else 400."""
    if missing := sorted({name for one in decisions for name in one.missing}):
        raise missing_permissions(missing)
    for one in decisions:
        if one.topic is None:
            raise ApiError(400, "Invalid topic {topic}: {reason}", params={"topic": one.id, "reason": one.reason})


def topic_ids(body: object) -> list[str]:
    """From `[{"id": "v2.…"}]`; raises `ApiError` 400."""
    if not isinstance(body, list):
        raise ApiError(400, "The request body must be an array of topics.")
    idents = [one.get("id") if isinstance(one, dict) else None for one in body]
    if not all(isinstance(ident, str) and ident for ident in idents):
        raise ApiError(400, "Every topic must be an object with an id.", code="invalid.value")
    return [str(ident) for ident in idents]


def _decide(ident: str, permissions: Permissions) -> Decision:
    try:
        topic = parse_topic(ident)
    except TopicError as error:
        return Decision(ident, None, reason=str(error))
    if missing := permissions.missing(topic.permissions):
        return Decision(ident, None, tuple(missing), "missing permissions")
    return Decision(ident, topic)
