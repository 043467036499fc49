"""This module says which notification topics the settings mean, and why some cannot be listened to.

Limits (Genesys' notification overview): 1,000 topics a channel, 20 channels an OAuth client, 200 characters a
topic; several topics of one resource can be combined into one (`v2.users.{id}?presence&routingStatus`).
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from processors.event.identity import ANY_ID
from processors.genesys.topics.available import Available, generic

TOPICS_PER_CHANNEL = 1_000
MAX_CHANNELS = 20
TOPIC_LENGTH = 200

_PLACEHOLDER = re.compile(r"\{([^}]*)\}")
_PLACES = (
    (re.compile(r"((?:^|\.)users)\.\{id\}"), r"\1.{user}"),
    (re.compile(r"((?:^|\.)queues)\.\{id\}"), r"\1.{queue}"),
    (re.compile(r"((?:^|\.)conversations?(?:\.\w+)?)\.\{id\}"), r"\1.{conversation}"),
)
_FILLED = ("queue", "user", "conversation")
_COMBINABLE = re.compile(rf"(v2\.(?:\w+\.)+{ANY_ID.pattern})\.(\w+)")


@dataclass(frozen=True, slots=True)
class UnusableTopic:
    """A topic or template that is not listened to, with the reason in words."""

    topic: str
    reason: str


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """What to subscribe (sorted, combined), what is refused, and what the permitted templates need.

    `conversation`: the templates that are subscribed for each conversation that the topics bring.
    """

    topics: tuple[str, ...]
    refused: tuple[UnusableTopic, ...] = ()
    permissions: Mapping[str, tuple[str, ...]] | None = None
    channels: int = 1
    conversation: tuple[str, ...] = ()
    made_ms: int = 0  # when the organisation was asked, epoch ms

    def shares(self) -> tuple[tuple[str, ...], ...]:
        """The topics of each channel."""
        return spread(self.topics, self.channels)


def named(template: str) -> str:
    """A template as Genesys writes it, with the placeholder that fits in place of its `{id}`."""
    for place, instead in _PLACES:
        template = place.sub(instead, template, count=1)
    return template


def of_conversation(templates: Iterable[str], conversation: str) -> tuple[str, ...]:
    """The topics of one conversation, combined and sorted."""
    return combine(template.replace("{conversation}", conversation) for template in templates)


def plan(
    templates: Sequence[str], queues: Sequence[str], users: Sequence[str], available: Available, channels: int
) -> TopicPlan:
    """Fill the templates in, leave out what cannot be, combine and sort.

    `available` may be empty, when the organisation does not tell: then nothing is checked. `channels`: the
    least; more topics than they hold need more, up to 20.
    """
    names: dict[str, None] = {}
    refused: list[UnusableTopic] = []
    permissions: dict[str, tuple[str, ...]] = {}
    conversation: list[str] = []
    for template in templates:
        for single in _with_wildcard(template, available):
            reason = objection(single, available) or _unfilled(single, queues, users)
            if reason:
                refused.append(UnusableTopic(single, reason))
                continue
            known = available.get(generic(single))
            permissions[single] = known.permissions if known else ()
            if "{conversation}" in single:
                conversation.append(single)
            else:
                names.update(dict.fromkeys(_filled(single, queues, users)))
    topics = combine(names)
    if not topics:
        reason = "is subscribed for conversations that other topics bring, and there is none"
        refused += [UnusableTopic(template, reason) for template in conversation]
    room = MAX_CHANNELS * TOPICS_PER_CHANNEL
    refused += [UnusableTopic(topic, f"{MAX_CHANNELS} channels hold {room} topics only") for topic in topics[room:]]
    needed = min(MAX_CHANNELS, max(1, channels, math.ceil(len(topics) / TOPICS_PER_CHANNEL)))
    return TopicPlan(topics[:room], tuple(refused), permissions, needed, tuple(conversation))


def channels_of(part: int, parts: int, channels: int) -> tuple[int, ...]:
    """The channels that belong to one part of several.

    From both ends in turn (part 0, the last, 1, the last but one, ...): two workers, whether Kafka gives them
    every other part or a half each, then share two channels as well as twenty.
    """
    order = [turn // 2 if turn % 2 == 0 else parts - 1 - turn // 2 for turn in range(parts)]
    return tuple(channel for channel in range(channels) if order[channel % parts] == part)


def spare_channels(part: int, parts: int, channels: int, most: int) -> tuple[int, ...]:
    """The channels beyond `channels`, `most` in all, that a part may open: dealt to those parts that have some."""
    listening = [one for one in range(parts) if channels_of(one, parts, channels)]
    return tuple(range(channels, most))[listening.index(part) :: len(listening)] if part in listening else ()


def objection(template: str, available: Available) -> str | None:
    """Why a template cannot be listened to, in words that follow its name; None when it can."""
    unknown = [name for name in _PLACEHOLDER.findall(template) if name not in _FILLED]
    if unknown:
        return f"{{{unknown[0]}}} cannot be filled in: write {{queue}}, {{user}} or {{conversation}}, or the id itself"
    if "*" in template:
        return "no wildcard is known to Genesys, and the topics it could mean are not listed"
    if len(_PLACEHOLDER.sub("0" * 36, template)) > TOPIC_LENGTH:
        return f"is longer than {TOPIC_LENGTH} characters"
    if not available:
        return None
    known = available.get(generic(template))
    return "is not among the organisation's available topics" if known is None else known.objection()


def combine(topics: Iterable[str]) -> tuple[str, ...]:
    """Topics of one resource become one, as long as it fits into 200 characters; sorted.

    Only names of one word are combined: how Genesys reads combined names with dots is not documented.
    """
    resources: dict[str, list[str]] = {}
    result: list[str] = []
    for topic in sorted(set(topics)):
        match = _COMBINABLE.fullmatch(topic)
        if match is None:
            result.append(topic)
        else:
            resources.setdefault(match.group(1), []).append(match.group(2))
    for resource, words in resources.items():
        result += _packed(resource, words)
    return tuple(sorted(result))


def separate(topic: str) -> tuple[str, ...]:
    """The names under which a topic's events arrive: the parts of a combined one."""
    resource, combined, words = topic.partition("?")
    return tuple(f"{resource}.{word}" for word in words.split("&")) if combined else (topic,)


def spread(topics: Sequence[str], channels: int) -> tuple[tuple[str, ...], ...]:
    """Share topics among channels, evenly, at most 1,000 each, and so that a new topic moves few others.

    Each topic goes by its hash; what a full channel cannot take goes to the emptiest one.
    """
    shares: list[list[str]] = [[] for _ in range(channels)]
    for topic in sorted(topics, key=lambda text: (zlib.crc32(text.encode()), text)):
        share = shares[zlib.crc32(topic.encode()) % channels]
        if len(share) >= TOPICS_PER_CHANNEL:
            share = min(shares, key=len)
        share.append(topic)
    return tuple(tuple(sorted(share)) for share in shares)


def _unfilled(template: str, queues: Sequence[str], users: Sequence[str]) -> str:
    """Why a template gives no topic; empty when it gives some."""
    for placeholder, ids, setting in (("{queue}", queues, "GENESYS_QUEUES"), ("{user}", users, "GENESYS_USERS")):
        if placeholder in template and not ids:
            return f"means nothing yet: {setting} names no {placeholder.strip('{}')} that there is"
    return ""


def _filled(template: str, queues: Sequence[str], users: Sequence[str]) -> list[str]:
    filled = list(separate(template))
    for placeholder, ids in (("{queue}", queues), ("{user}", users)):
        if placeholder in template:
            filled = [topic.replace(placeholder, ident) for topic in filled for ident in ids]
    return filled


def _with_wildcard(template: str, available: Available) -> list[str]:
    """The topics of `v2.detail.events.conversation.<id>.*`, one for each name the organisation lists."""
    if not template.endswith(".*") or not available:
        return list(separate(template))
    stem = template.removesuffix("*")
    prefix = generic(stem)
    words = sorted(known.removeprefix(prefix) for known in available if known.startswith(prefix))
    return [stem + word for word in words] or [template]


def _packed(resource: str, words: Sequence[str]) -> list[str]:
    packed: list[str] = []
    group: list[str] = []
    for word in words:
        if group and len(f"{resource}?{'&'.join([*group, word])}") > TOPIC_LENGTH:
            packed.append(_joined(resource, group))
            group = []
        group.append(word)
    return [*packed, _joined(resource, group)]


def _joined(resource: str, words: Sequence[str]) -> str:
    return f"{resource}.{words[0]}" if len(words) == 1 else f"{resource}?{'&'.join(words)}"
