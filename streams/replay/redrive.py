"""This module takes failure records, of the topic or the queue, back to the topics they come from."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

from aiokafka import ConsumerRecord

from clients.aws.sqs_receiver import QueueReceiver, ReceivedMessage
from clients.kafka.ranges import CHUNK, Range, Reader
from clients.kafka.writer import Outgoing, Writer
from processors.event import headers
from processors.event.errors import MalformedEventError
from processors.event.headers import Meta
from processors.event.strict_json import JsonObject, parse_object
from processors.replay.redrive import FlowTopics, Once, Redrive, Unrecoverable, rebuilt, redrive
from processors.replay.selection import FailureSelection
from settings import Settings
from streams.replay.originals import Originals
from streams.replay.pace import Pace

OnProgress = Callable[[int], None]
Meant = TypeVar("Meant")

#: Reasons to skip a record, beside those of processors/replay/redrive.py.
NOT_A_RECORD = "it is not a failure record"
AGAIN = "its event was redriven already by this run"

#: What became of one record. `repeated`: another record of its event was redriven before; both are done with.
Verdict = Literal["redriven", "repeated", "skipped", "refused"]
DONE = ("redriven", "repeated")


@dataclass(frozen=True, slots=True)
class RedrivePlan:
    """What to redrive. `run` names the run in the header `replayed`; `rate`: events a second."""

    selection: FailureSelection
    run: str
    rate: float | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure record as it was read; `record` is None when it is none."""

    record: JsonObject | None
    meta: Meta
    key: bytes | None
    at_ms: int


@dataclass(slots=True)
class RedriveProgress:
    """How far a redrive came. `read`: records that were meant, each redriven or skipped for a reason."""

    read: int = 0
    redriven: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    targets: Counter[str] = field(default_factory=Counter)
    stopped: str = ""
    limited: bool = False

    @property
    def skipped(self) -> int:
        return self.reasons.total()


class Redriving:
    """One redrive; without a writer it is a rehearsal: everything but the writing."""

    def __init__(
        self,
        plan: RedrivePlan,
        settings: Settings,
        originals: Originals,
        writer: Writer | None,
        stop: asyncio.Event,
    ) -> None:
        self.plan = plan
        self.progress = RedriveProgress()
        self._settings = settings
        self._named = FlowTopics(settings.topic("raw"), settings.topic("validated"), settings.kafka_max_message_bytes)
        self._originals = originals
        self._writer = writer
        self._stop = stop
        self._pace = Pace(plan.rate if writer is not None else None, stop)
        self._once = Once()

    async def from_topic(self, reader: Reader, what: Range, on_progress: OnProgress) -> RedriveProgress:
        """Go through a range of the failures topic; `what.next` is right at any time."""
        progress = self.progress
        async for chunk in reader.chunks(what, self._pace.chunk(CHUNK)):
            read = [(record.offset, from_record(record)) for record in chunk]
            meant = self._limited([(offset, one) for offset, one in read if self._is_meant(one)])
            verdicts = await self._take([one for _, one in meant])
            if progress.stopped:
                what.next[chunk[0].partition] = meant[verdicts.index("refused")][0]
                return progress
            if progress.limited:
                what.next[chunk[0].partition] = meant[-1][0] + 1
                return progress
            on_progress(what.size - what.left)
            await self._pace.after(len(meant))
            if self._stop.is_set():
                progress.stopped = what.leave(chunk)
                return progress
        on_progress(what.size)
        return progress

    async def from_queue(self, queue: QueueReceiver, before_ms: int) -> RedriveProgress:
        """Receive until the queue has nothing more from before the start; what is safe in Kafka is deleted.

        What is not meant, skipped or newer is let go at the end. Raises botocore's errors.
        """
        kept: dict[str, ReceivedMessage] = {}
        try:
            while not self._stop.is_set() and not self.progress.stopped and not self.progress.limited:
                messages = await queue.receive()
                fresh = [one for one in messages if one.id not in kept]
                kept.update({one.id: one for one in messages})
                if not fresh:
                    return self.progress
                done = await self._take_messages([one for one in fresh if one.sent_ms <= before_ms])
                if self._writer is not None and done:
                    await queue.delete(done)
                    kept = {name: one for name, one in kept.items() if one not in done}
                await self._pace.after(len(done))
            if self._stop.is_set():
                self.progress.stopped = "stopped"
            return self.progress
        finally:
            await queue.release(list(kept.values()))

    async def _take_messages(self, messages: Sequence[ReceivedMessage]) -> list[ReceivedMessage]:
        """Redrive those that are meant; gives those that the queue need not keep."""
        read = [(one, from_message(one)) for one in messages]
        meant = self._limited([(one, failure) for one, failure in read if self._is_meant(failure)])
        verdicts = await self._take([failure for _, failure in meant])
        return [one for (one, _), verdict in zip(meant, verdicts, strict=True) if verdict in DONE]

    def _is_meant(self, failure: Failure) -> bool:
        # What is no record has neither stage nor error: only a selection without those can mean it.
        return self.plan.selection.takes(failure.record or {}, failure.at_ms)

    def _limited(self, meant: list[Meant]) -> list[Meant]:
        """The records up to the limit."""
        limit = self.plan.limit
        if limit is None or self.progress.read + len(meant) < limit:
            return meant
        self.progress.limited = True
        return meant[: limit - self.progress.read]

    async def _take(self, failures: Sequence[Failure]) -> list[Verdict]:
        """Write what they become, wait for the brokers, and count up to the first that they refused."""
        built = [await self._build(failure) for failure in failures]
        verdicts: list[Verdict] = [
            "redriven" if isinstance(one, Redrive) else "repeated" if one == AGAIN else "skipped" for one in built
        ]
        sendable = [index for index, one in enumerate(built) if isinstance(one, Redrive)]
        if self._writer is not None and sendable:
            outgoing = [self._outgoing(one) for one in built if isinstance(one, Redrive)]
            for index, reason in zip(sendable, await self._writer.write(outgoing), strict=True):
                if reason is not None:
                    verdicts[index] = "refused"
                    self.progress.stopped = self.progress.stopped or reason
            if "refused" in verdicts:  # what came again after it may be the same event, and goes on being needed
                first = verdicts.index("refused")
                verdicts[first:] = ["skipped" if one == "repeated" else one for one in verdicts[first:]]
                self.progress.limited = False
        for failure, one, verdict in zip(failures, built, verdicts, strict=True):
            if verdict == "refused":
                break
            self._count(failure, one)
        return verdicts

    def _count(self, failure: Failure, one: Redrive | str) -> None:
        progress, record = self.progress, failure.record or {}
        progress.read += 1
        progress.kinds[str(record.get("stage")), str(record.get("error"))] += 1
        if isinstance(one, Redrive):
            progress.redriven += 1
            progress.targets[one.topic] += 1
        else:
            progress.reasons[one] += 1

    async def _build(self, failure: Failure) -> Redrive | str:
        """What the failure becomes, or why nothing."""
        if failure.record is None:
            return NOT_A_RECORD
        run = self.plan.run
        built = redrive(failure.record, failure.meta, failure.key, run, self._named)
        if isinstance(built, Unrecoverable):
            found = await self._originals.find(built)
            if found is None or not found.value:
                return f"{built.reason}, and {self._named.raw} does not hold it"
            # The route is the failure's: on `raw` it is one that an earlier redrive was for.
            meta = replace(headers.read(dict(found.headers)), route=failure.meta.route)
            built = rebuilt(failure.record, found.value, meta, found.key, run, self._named)
        return built if self._once.is_first(built) else AGAIN

    def _outgoing(self, one: Redrive) -> Outgoing:
        return Outgoing(self._settings.topic(one.topic), one.key, one.value, one.headers)


def from_record(record: ConsumerRecord) -> Failure:
    """Read one record of the failures topic."""
    meta = headers.read(dict(record.headers))
    return Failure(_parsed(record.value), meta, record.key, record.timestamp)


def from_message(message: ReceivedMessage) -> Failure:
    """Read one message of the queue: there are no headers, and the key is found again in the event."""
    return Failure(_parsed(message.body.encode("utf-8", "replace")), headers.read({}), None, message.sent_ms)


def _parsed(value: bytes | None) -> JsonObject | None:
    try:
        record = parse_object(value or b"")
    except MalformedEventError:
        return None
    return record if "stage" in record and "originalEvent" in record else None
