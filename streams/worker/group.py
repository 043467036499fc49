"""This module knows the whole group: what its workers say of themselves, and how far Kafka says that it is behind.

Every worker tells of itself on the metrics topic. Who owns the tables hears them all, asks Kafka, and answers for the
group; nothing of it is kept, because a new owner knows it all again after some seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol

import orjson
import structlog
from aiokafka.errors import KafkaError

from processors.metrics.group import GONE_MS, WorkerRow, reasons, with_worker
from processors.metrics.history import MAX_WORDS, short_iso
from processors.metrics.lag import PartitionLag, PartitionPosition, expiring, partition_lags, total
from processors.metrics.report import KafkaWord
from processors.replay.actions import Action, pause_in_words

log = structlog.get_logger(__name__)

#: Seconds between two things that a worker says of itself, and between two looks of the owner at Kafka.
ANNOUNCE_S, REFRESH_S = 5.0, 2.0

#: Milliseconds between two lags that the owner keeps in the history.
SAMPLE_MS = 10_000

#: Milliseconds for which what Kafka told stands, and after which counts that have not moved rest.
STALE_MS, REST_MS = 10_000, 3_000

#: Milliseconds that a new owner waits for the workers before it says that nobody reads a partition.
HEARING_MS = 15_000


class LagSource(Protocol):
    """What asks Kafka (clients/kafka/lag.py)."""

    async def measure(self) -> Iterable[PartitionPosition]: ...
    async def close(self) -> None: ...


class Group:
    """What is known of the group where the tables are; nothing elsewhere.

    `tell` brings a record to the metrics topic; `itself` is what this worker says; `is_owner`: whether the tables are
    here; `topics`: the full names of `raw` and `validated`, and of all that somebody must read; `raw_counted`:
    how many events of `raw` the tables have counted; `paused`: stages that operators paused.
    """

    def __init__(
        self,
        tell: Callable[[bytes], Awaitable[None]],
        itself: Callable[[], dict[str, Any]],
        kafka: LagSource,
        is_owner: Callable[[], bool],
        topics: tuple[str, ...],
        raw_counted: Callable[[], int],
        paused: Callable[[], Mapping[str, Action]] = dict,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._tell, self._itself, self._kafka, self._is_owner = tell, itself, kafka, is_owner
        self._topics, self._raw_counted, self._paused, self._clock = topics, raw_counted, paused, clock
        self.lags: list[PartitionLag] = []
        self._rows: list[WorkerRow] = []
        self._measured_ms = self._counted_ms = self._owner_since_ms = self._sampled_ms = self._counted_then = 0
        self._missed: set[str] = set()
        self._has_begun, self._marking = False, set[asyncio.Task[None]]()

    async def mark(self, kind: str, what: str) -> None:
        """Keep in the history that something happened (processors/metrics/history.py)."""
        await self._tell(orjson.dumps({"mark": {"kind": kind, "what": what[:MAX_WORDS]}}))

    async def mark_if_owner(self, kind: str, what: str) -> None:
        """The same, of what every worker of the group sees: it is told once."""
        if self._is_owner():
            await self.mark(kind, what)

    def mark_later(self, kind: str, what: str, *, once: bool = False) -> None:
        """The same without waiting until Kafka has it; `once`: told by the owner alone."""
        task = asyncio.create_task((self.mark_if_owner if once else self.mark)(kind, what))
        self._marking.add(task)
        task.add_done_callback(self._marking.discard)

    async def assigned(self, *_: Any, **__: Any) -> None:
        """Keep in the history that this worker has begun, or that the group has shared its partitions out anew."""
        if self._has_begun:
            self.mark_later("rebalance", "partitions were assigned anew", once=True)
        else:
            self.mark_later("worker-started", f"{self._itself()['name']} has begun")
        self._has_begun = True

    async def announce(self) -> None:
        """Say that this worker is there, and how it is."""
        await self._announce(ended=False)

    async def take_leave(self) -> None:
        """Say that this worker has ended, so that nobody misses it."""
        await self.mark("worker-ended", f"{self._itself()['name']} ended in order")
        await self._announce(ended=True)

    async def _announce(self, *, ended: bool) -> None:
        await self._tell(orjson.dumps({"worker": {**self._itself(), "ended": ended}}))

    def note_worker(self, row: Mapping[str, Any], said_ms: int) -> None:
        """Note what a worker said."""
        self._rows = with_worker(self._rows, WorkerRow(row, said_ms))

    def counted(self, at_ms: int) -> None:
        """Note that a worker's counts have come."""
        self._counted_ms = max(self._counted_ms, at_ms)

    async def refresh(self) -> None:
        """Ask Kafka, where the tables are."""
        if not self._is_owner():
            if self._owner_since_ms:
                self.lags, self._rows = [], []
                self._measured_ms = self._owner_since_ms = 0
                await self._kafka.close()
            return
        if not self._owner_since_ms:  # counts that were sent to the one before may be still to come
            self._owner_since_ms = self._counted_ms = self._now_ms()
        counted = self._raw_counted()
        try:
            measured = await self._kafka.measure()
        except (KafkaError, OSError) as error:  # OSError takes in the time-outs; health tells of Kafka, and what
            log.debug("the lag cannot be read from Kafka", error=repr(error))  # is known goes stale
            return
        self._measured_ms, self._counted_then = self._now_ms(), counted
        self.lags = partition_lags(measured, self.lags, self._measured_ms)
        await self._keep_history()

    async def _keep_history(self) -> None:
        """The lag every ten seconds, and workers that have fallen silent."""
        if self._measured_ms - self._sampled_ms >= SAMPLE_MS:
            self._sampled_ms = self._measured_ms
            await self._tell(orjson.dumps({"lag": sum(one.lag for one in self.lags)}))
        missed = {one.name for one in self._rows if one.is_gone(self._now_ms())}
        for name in missed - self._missed:
            await self.mark("worker-ended", f"{name} has said nothing for {GONE_MS // 1000} s")
        self._missed = missed

    async def close(self) -> None:
        """Leave Kafka."""
        await self._kafka.close()

    def word(self) -> KafkaWord | None:
        """What Kafka says of events that have no end; None when it has not been heard lately."""
        if self._now_ms() - self._measured_ms > STALE_MS:
            return None
        raw, validated = self._topics[:2]
        rests = self._counted_ms < self._measured_ms - REST_MS
        return KafkaWord(self._counted_then, total(self.lags, raw), total(self.lags, validated), rests)

    def expiring(self) -> str | None:
        """What Kafka will delete before it is processed; known where the tables are."""
        found = expiring(self.lags, self._now_ms())
        return None if found is None else ": ".join(found)

    def lag(self) -> dict[str, Any]:
        """`{"asOf": time | null, "partitions": [row, …]}`."""
        return {
            "asOf": short_iso(self._measured_ms) if self._measured_ms else None,
            "partitions": [one.as_json(self._measured_ms) for one in self.lags],
        }

    def status(self) -> dict[str, Any]:
        """`{"works": …, "reasons": […], "paused": [{stage, by, since, why}], "workers": [row, …]}`."""
        now_ms = self._now_ms()
        needed: dict[str, set[int]] = {}
        if self._owner_since_ms and now_ms - self._owner_since_ms > HEARING_MS:
            for one in self.lags:
                if one.topic in self._topics:
                    needed.setdefault(one.topic, set()).add(one.partition)
        found = reasons(self._rows, needed, now_ms)
        if now_ms - self._measured_ms > STALE_MS:
            found.append("it is not known how far the group is behind: Kafka has not answered lately")
        paused = self._paused()
        found += [f"{stage} is {pause_in_words(pause)}" for stage, pause in paused.items()]
        return {
            "works": not found,
            "reasons": found,
            "paused": [
                {"stage": name, "by": one.who, "since": one.at, "why": one.detail} for name, one in paused.items()
            ],
            "workers": [one.as_json(now_ms) for one in self._rows],
        }

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)
