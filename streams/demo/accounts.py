"""This module keeps the demo's books from outside the worker: what Genesys sent against where each event ended.

What Genesys sent is the emulator's word, what is on the bus the AWS emulator's, and what failed is read from the
failures topic. Only the filtered ones, which leave no trace but their count, are taken from the worker's report.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

#: Seconds in which what has left Genesys is in Kafka, or is read again, and what has ended shows on its side.
SETTLE_S = 20.0

#: Seconds after an event that nobody heard in which the worker tells of the gap.
GAP_TOLD_S = 30.0


@dataclass(frozen=True, slots=True)
class Account:
    """Events by where they are; `lost` ones are nowhere. `seconds`: from the first taken in to the last one's end.

    `gave_up`: the demo did not wait for all of them to end.
    """

    ingested: int
    filtered: int
    published: int
    failed: int
    duplicates: int
    lost: int
    seconds: float
    gave_up: bool = False

    @property
    def ended(self) -> int:
        """Events that came to their end."""
        return self.filtered + self.published + self.failed


@dataclass(slots=True)
class DemoLedger:
    """Reads each side as it grows."""

    genesys: str
    aws: str
    web: str
    bootstrap_servers: str
    client: httpx.AsyncClient
    source: str = "stream"
    topics: tuple[str, ...] = ("genesys.raw", "genesys.failures")
    clock: Callable[[], float] = time.time
    _bus: list[tuple[str, Any]] = field(default_factory=list)
    _records: dict[str, dict[str, Any]] = field(default_factory=dict)
    _consumer: AIOKafkaConsumer | None = None
    _marks: deque[tuple[float, tuple[int, ...]]] = field(default_factory=deque)
    _first_ms: int = 0
    _last_ms: int = 0

    async def report(self) -> dict[str, Any] | None:
        """The worker's own report; None while it is not ready."""
        return await self._ask("report")

    async def live(self) -> dict[str, Any] | None:
        """All that the worker shows at once; None while it is not ready."""
        return await self._ask("live")

    async def failures(self) -> list[dict[str, Any]] | None:
        """What failed lately; None when the worker does not tell it."""
        answer = await self._ask("failures", range="1h", limit="5")
        return None if answer is None else list(answer["failures"])

    async def _ask(self, page: str, **query: str) -> dict[str, Any] | None:
        try:
            answer = await self.client.get(f"{self.web}/api/{page}/", params=query)
        except httpx.TransportError:
            return None
        return dict(answer.json()) if answer.status_code == 200 else None

    async def all_sent(self, events: int) -> bool:
        """Whether the Genesys emulator has sent all it was asked for, and every gap in it is filled.

        A gap after the last event hides none: sockets are cut as long as the demo runs, so there is always one. What
        nobody heard lies in a gap that the worker tells of in a while, unless another socket brought it.
        """
        summary = (await self.client.get(f"{self.genesys}/_emulator/summary")).json()
        if self.source == "stream":
            return bool(sum(summary["stream"]["delivered"].values()) >= events)
        answer = await self.client.get(f"{self.web}/api/tables/gaps/")
        if answer.status_code != 200:
            return False
        gaps = answer.json()["rows"]
        missed = [ms for ms in summary["notifications"]["missedMs"] if ms > 1000 * (self.clock() - GAP_TOLD_S)]
        last_ms = max(summary["notifications"]["lastEventMs"], *missed, 0)
        is_open = any(gap["state"] == "open" and gap["start_ms"] <= last_ms for gap in gaps)
        is_told = all(any(gap["start_ms"] <= ms <= gap["end_ms"] for gap in gaps) for ms in missed)
        return bool(summary["notifications"]["ended"]) and is_told and not is_open

    async def ask_for_more(self, count: int) -> None:
        """Let the Genesys emulator send so many events beyond those it was asked for."""
        (await self.client.post(f"{self.genesys}/_emulator/more", json={"count": count})).raise_for_status()

    async def account(self) -> Account:
        """Where every event is just now."""
        await self._read_bus()
        await self._read_topics()
        report = await self.report()
        filtered = report["filtered"] if report else 0
        raw, failures = self._records["genesys.raw"], self._records["genesys.failures"]
        published = len({event_id for event_id, _ in self._bus})
        return Account(
            ingested=len(raw) + sum(1 for event_id in failures if event_id.startswith("@")),
            filtered=filtered,
            published=published,
            failed=len(failures),
            duplicates=len(self._bus) - published,
            lost=await self._lost(filtered),
            seconds=max(0.0, (self._last_ms - self._first_ms) / 1000) if self._first_ms else 0.0,
        )

    async def lost_by_now(self, now_s: float, oldest_s: float) -> int:
        """Events that are nowhere, though they were sent before the oldest one that is on its way (`oldest_s` ago).

        What is on its way is nowhere as well: only what is older than all of it can be known to be lost.
        """
        sent = await self._sent()
        self._marks.append((now_s, tuple(len(ids) for ids in sent)))
        due = [sizes for at, sizes in self._marks if at <= now_s - oldest_s - SETTLE_S]
        if not due:
            return 0
        while len(self._marks) > 1 and self._marks[1][1] in due:
            self._marks.popleft()
        report = await self.report()
        if report is None:
            return 0
        await self._read_bus()
        await self._read_topics()
        return self._nowhere([ids[:size] for ids, size in zip(sent, due[-1], strict=True)], report["filtered"])

    async def _lost(self, filtered: int) -> int:
        return self._nowhere(await self._sent(), filtered)

    async def _sent(self) -> list[list[Any]]:
        """What Genesys sent, in order: of a stream what matches, what is invalid and what is to be filtered; else the
        conversations, and what of them is in `raw`: snapshots repeat each other, so that Genesys' word is by
        conversation, the pipeline's by event.
        """
        if self.source == "stream":
            ledger = (await self.client.get(f"{self.genesys}/_emulator/ledger")).json()
            return [list(ledger[name]) for name in ("match", "invalid", "filtered")]
        truth = (await self.client.get(f"{self.genesys}/_emulator/conversations")).json()
        return [list(truth["sent"]), list(self._records.get("genesys.raw", ()))]

    def _nowhere(self, sent: Sequence[Sequence[Any]], filtered: int) -> int:
        raw, failures = self._records["genesys.raw"], self._records["genesys.failures"]
        if self.source == "stream":
            ended = {interaction for _, interaction in self._bus} | set(failures.values())
            nowhere = sum(1 for ids in sent[:2] for id in ids if _name(id) not in ended)
            return nowhere + max(0, len(sent[2]) - filtered)
        unheard = {_name(id) for id in sent[0]} - set(raw.values())
        ended = {event_id for event_id, _ in self._bus} | set(failures)
        return len(unheard) + max(0, len(set(sent[1]) - ended) - filtered)

    async def close(self) -> None:
        """Leave Kafka."""
        if self._consumer is not None:
            await self._consumer.stop()

    async def _read_bus(self) -> None:
        answer = await self.client.get(f"{self.aws}/_emulator/events", params={"since": len(self._bus)})
        for event in answer.json()["events"]:
            detail = event["detail"]
            self._last_ms = max(self._last_ms, event["arrivedAt"])
            self._bus.append((detail["eventId"], _name(detail.get("interactionId", detail.get("conversationId")))))

    async def _read_topics(self) -> None:
        """Read to the present end of `raw` and `failures`: event id -> id that Genesys gave."""
        if self._consumer is None:
            self._records = {name: {} for name in self.topics}
            self._consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap_servers, fetch_max_wait_ms=100)
            await self._consumer.start()
            partitions = [
                TopicPartition(name, number)
                for name in self.topics
                for number in self._consumer.partitions_for_topic(name) or await self._partitions(name)
            ]
            self._consumer.assign(partitions)
            await self._consumer.seek_to_beginning()
        ends = await self._consumer.end_offsets(self._consumer.assignment())
        while any([await self._consumer.position(part) < end for part, end in ends.items()]):
            for part, records in (await self._consumer.getmany(timeout_ms=500)).items():
                for record in records:
                    self._note(part.topic, record)

    async def _partitions(self, name: str) -> set[int]:
        assert self._consumer is not None  # made before
        await self._consumer._client.add_topic(name)
        return set(self._consumer.partitions_for_topic(name) or ())

    def _note(self, topic: str, record: Any) -> None:
        self._first_ms = min(self._first_ms or record.timestamp, record.timestamp)
        self._last_ms = max(self._last_ms, record.timestamp)
        headers = dict(record.headers)
        place = f"@{record.partition}/{record.offset}"  # a line that was no event never had an id
        event_id = headers["event-id"].decode() if "event-id" in headers else place
        content = orjson.loads(record.value)
        event = content.get("originalEvent") if topic.endswith("failures") else content
        self._records[topic][event_id] = _name(_id(event) if isinstance(event, dict) else event)


def _id(event: dict[str, Any]) -> Any:
    """The interaction or conversation of an event."""
    body = event.get("eventBody")
    return body.get("conversationId", body.get("id")) if isinstance(body, dict) else event.get("id")


def _name(id: Any) -> str:
    """An id as text, as not every event has one that is."""
    return orjson.dumps(id).decode()
