"""This module plans what is to change about topics: those that are missing, more partitions, another retention."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from processors.event.strict_json import JsonObject

Kind = Literal["create", "partitions", "retention"]


@dataclass(frozen=True, slots=True)
class TopicChange:
    """One change of one topic. Partitions are numbers, retention milliseconds; `now` is None where it is not there."""

    topic: str
    kind: Kind
    now: int | None
    then: int

    def as_json(self) -> JsonObject:
        return {"topic": self.topic, "change": self.kind, "now": self.now, "then": self.then}


@dataclass(frozen=True, slots=True)
class TopicState:
    """What Kafka says: the partitions of each topic, and what of its retention (ms) is known."""

    partitions: Mapping[str, int]
    retention_ms: Mapping[str, int | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TopicWish:
    """What is to be: `needed` topics, those that a changelog has as many partitions as, and what was asked for.

    `created`: the partitions of a topic that is made; a changelog's are those of its companion.
    """

    needed: tuple[str, ...]
    companions: Mapping[str, str]
    created: int
    partitions: Mapping[str, int] = field(default_factory=dict)
    retention_ms: Mapping[str, int] = field(default_factory=dict)


def planned(state: TopicState, wish: TopicWish) -> list[TopicChange]:
    """The changes in the order in which they are to be made. Raises ValueError for what Kafka cannot do."""
    after = dict(state.partitions)
    changes = [*_topics(after, wish), *_changelogs(after, wish)]
    for topic, then in wish.retention_ms.items():
        now = state.retention_ms.get(topic)
        if now != then:
            changes.append(TopicChange(topic, "retention", now, then))
    return changes


def _topics(after: dict[str, int], wish: TopicWish) -> Iterator[TopicChange]:
    for topic in wish.needed:
        if topic in wish.companions:
            continue
        now, then = after.get(topic), wish.partitions.get(topic)
        if now is not None and then is not None and then < now:
            raise ValueError(f"{topic} has {now} partitions, and Kafka takes none away: {then} cannot be")
        after[topic] = then or now or wish.created
        if now is None:
            yield TopicChange(topic, "create", None, after[topic])
        elif after[topic] > now:
            yield TopicChange(topic, "partitions", now, after[topic])


def _changelogs(after: dict[str, int], wish: TopicWish) -> Iterator[TopicChange]:
    for topic, companion in wish.companions.items():
        now, then = after.get(topic), after[companion]
        if now is None:
            yield TopicChange(topic, "create", None, then)
        elif now < then:
            yield TopicChange(topic, "partitions", now, then)
