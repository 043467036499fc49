"""This module doubts a broker that says of an offset which was due that it is beyond the log's end.

A broker that stood still or was cut off answers as the leader that it was, and brokers whose metadata is old name it
as the leader once more (KIP-232, KIP-320: KAFKA-6262). Its log ends before what was read from its successor, so it
answers OFFSET_OUT_OF_RANGE. aiokafka 0.14 names no leader epoch by which it would be found out, believes the first
such answer (aiokafka/consumer/fetcher.py), and all that the topic holds is read from its beginning once more.

Here the leader is asked for anew, and the answer believed when nothing else was heard for `BELIEVED_S`: the topic was
made anew then, or replicas were lost. What is before the log's beginning is believed at once, as no log's moves back.

A refusal that aiokafka has no word for has the leader asked for as well, in place of the same fetch again and again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import structlog
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import Fetcher, OffsetResetStrategy
from aiokafka.errors import (
    KafkaError,
    NoError,
    NotLeaderForPartitionError,
    OffsetOutOfRangeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)

log = structlog.get_logger(__name__)

#: Seconds for which an offset must be called out of range, with none of these answers longer than `SILENT_S` after
#: the one before it: longer than any metadata of brokers is old that see each other.
BELIEVED_S = 30.0
SILENT_S = 10.0

#: Seconds before a partition of which something was doubted is asked for again.
PAUSE_S = 0.5

#: What aiokafka has a word for beside the offset that is out of range.
_KNOWN = (NoError, NotLeaderForPartitionError, TopicAuthorizationFailedError, UnknownTopicOrPartitionError)

_proc_fetch_request = Fetcher._proc_fetch_request


@dataclass(slots=True)
class _Doubt:
    """Since when an offset has been called out of range, and when it was for the last time."""

    offset: int
    since: float
    last: float


async def proc_fetch_request(self: Any, assignment: Any, node_id: int, request: Any) -> bool:
    """Fetch once from a broker (`Fetcher._proc_fetch_request`)."""
    needs_wakeup: bool = await _proc_fetch_request(_Doubting(self), assignment, node_id, request)
    return needs_wakeup


class _Doubting:
    """A fetcher, and the client of it, whose answers have NOT_LEADER_FOR_PARTITION in the place of what is doubted."""

    def __init__(self, fetcher: Any) -> None:
        self._fetcher = fetcher
        self._doubts: dict[TopicPartition, _Doubt] = fetcher.__dict__.setdefault("doubts", {})
        self.force_metadata_update = fetcher._client.force_metadata_update

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fetcher, name)

    @property
    def _client(self) -> _Doubting:  # no attribute: each fetch would leave a cycle to the garbage collector
        return self

    async def send(self, node_id: int, request: Any) -> Any:
        answer = await self._fetcher._client.send(node_id, request)
        due = {TopicPartition(topic, one[0]): one[1] for topic, ones in request.topics for one in ones}
        doubted = [place for place, code in _codes(answer) if await self._is_doubted(node_id, place, code, due[place])]
        if doubted:
            answer.topics = [
                (topic, [_moved(one) if TopicPartition(topic, one[0]) in doubted else one for one in ones])
                for topic, ones in answer.topics
            ]
            await asyncio.sleep(PAUSE_S)
        return answer

    async def _is_doubted(self, node_id: int, place: TopicPartition, code: int, offset: int) -> bool:
        error = for_code(code)
        if error is not OffsetOutOfRangeError:
            self._doubts.pop(place, None)
            if error not in _KNOWN:
                log.warning("a fetch is refused; the leader is asked for anew", place=place, error=error.__name__)
            return error not in _KNOWN
        if await self._begins_behind(node_id, place, offset):
            return False
        now, doubt = time.monotonic(), self._doubts.get(place)
        if doubt is None or doubt.offset != offset or now - doubt.last > SILENT_S:
            doubt = self._doubts[place] = _Doubt(offset, now, now)
            log.warning("a broker's log ends before what is due; the leader is asked for anew", place=place, due=offset)
        doubt.last = now
        return now - doubt.since < BELIEVED_S

    async def _begins_behind(self, node_id: int, place: TopicPartition, offset: int) -> bool:
        """Whether the log begins behind an offset: then it is gone for certain."""
        earliest = {place.topic: [(place.partition, OffsetResetStrategy.EARLIEST)]}
        try:
            found = await self._fetcher._proc_offset_request(node_id, earliest)
        except KafkaError:
            return False
        return place in found and bool(found[place][0] > offset)


def _codes(answer: Any) -> Iterator[tuple[TopicPartition, int]]:
    for topic, ones in answer.topics:
        for partition, code, *_ in ones:
            yield TopicPartition(topic, partition), code


def _moved(one: Any) -> tuple[Any, ...]:
    partition, _, *rest = one
    return (partition, NotLeaderForPartitionError.errno, *rest)
