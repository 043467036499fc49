"""This module names an event in a few words, for lists that people read."""

from __future__ import annotations

from typing import Any

from processors.event.identity import ANY_ID, interaction_id, unwrapped


def kind_of(event: Any) -> str:
    """Its topic with `{id}` in the place of ids, or its type."""
    if not isinstance(event, dict):
        return "not an event"
    body = unwrapped(event)
    topic = body.get("topicName")
    if isinstance(topic, str):
        return ANY_ID.sub("{id}", topic.replace(interaction_id(body) or " ", "{id}"))
    words = [str(body[name]) for name in ("resourceType", "eventType") if isinstance(body.get(name), str)]
    return " ".join(words) or "event"
