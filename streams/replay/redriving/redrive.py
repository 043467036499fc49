"""This module takes failure records, of the topic or the queue, back to the topics they come from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Literal

from aiokafka import ConsumerRecord

from clients.aws.sqs_receiver import QueueReceiver, ReceivedMessage
from clients.kafka.range_reader import Reader
from clients.kafka.ranges import Range
from clients.kafka.writer import Outgoing, Writer, open_writer
from processors.replay.clusters import cluster_of
from processors.replay.redrive import Redrive, RedriveTargets
from processors.replay.redrive_notes import Note, left_out
from settings import Settings
from streams.replay.failure import Failure, from_message, from_record, is_meant
from streams.replay.pace import Pace
from streams.replay.range_run import ChunkDone, OnProgress, run_range
from streams.replay.redriving.builder import REPEATED, Given, RedriveBuilder
from streams.replay.redriving.notes import RedriveNotes, open_notes, written_topics
from streams.replay.redriving.originals import Originals, open_originals
from streams.replay.redriving.outcomes import RedriveOutcomes, open_outcomes
from streams.replay.redriving.progress import RedrivePlan, RedriveProgress

#: What became of one record. `repeated`: another record of its event was redriven by this run, `known`: by an
#: earlier one; all three are done with.
Verdict = Literal["redriven", "repeated", "known", "skipped", "refused"]
DONE = ("redriven", "repeated", "known")

#: Failures written between two notes of what was: after a crash so many may come again.
AT_ONCE = 100


class Redriving:
    """One redrive; without a writer it is a rehearsal: everything but the writing.

    With an `outcomes` it waits for what becomes of each batch, and stops when an event fails again.
    """

    def __init__(
        self,
        plan: RedrivePlan,
        settings: Settings,
        originals: Originals,
        redriven: RedriveNotes,
        writer: Writer | None,
        stop: asyncio.Event,
        outcomes: RedriveOutcomes | None = None,
    ) -> None:
        self.plan = plan
        self.progress = RedriveProgress()
        self._settings = settings
        targets = RedriveTargets(settings.topic("raw"), settings.topic("validated"), settings.kafka_max_message_bytes)
        self._builder = RedriveBuilder(plan, targets, originals, redriven.notes)
        self._redriven = redriven
        self.writer = writer
        self._stop = stop
        self._outcomes = outcomes
        self._pace = Pace(plan.rate if writer is not None else None, stop)

    async def from_topic(self, reader: Reader, what: Range, on_progress: OnProgress) -> RedriveProgress:
        """Go through a range of the failures topic; `what.next` is right at any time."""
        progress = self.progress
        await self._builder.survey(reader, what, self._stop)
        reason = "stopped"
        if not self._stop.is_set():
            reason = await run_range(reader, what, self._pace, AT_ONCE, self._take_chunk, on_progress)
        progress.stopped = progress.stopped or reason
        return progress

    async def _take_chunk(self, chunk: Sequence[ConsumerRecord]) -> ChunkDone:
        read = [(record.offset, from_record(record)) for record in chunk]
        meant, verdicts = await self._take(read)
        if "refused" in verdicts:
            return ChunkDone(0, meant[verdicts.index("refused")][0])
        if self.progress.limited:
            return ChunkDone(len(meant), meant[-1][0] + 1)
        await self._look_after(verdicts)
        return ChunkDone(len(meant), chunk[-1].offset + 1 if self.progress.stopped else None)

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
                if self.writer is not None and done:
                    await queue.delete(done)
                    kept = {name: one for name, one in kept.items() if one not in done}
                    await self._look_after(["redriven"])
                await self._pace.after(len(done))
            if self._stop.is_set():
                self.progress.stopped = "stopped"
            return self.progress
        finally:
            await queue.release(list(kept.values()))

    async def _look_after(self, verdicts: Sequence[Verdict]) -> None:
        """See what becomes of what was just written; an event that fails again stops the run."""
        if self._outcomes is None or "redriven" not in verdicts:
            return
        again, progress = await self._outcomes.failed_again(self._stop), self.progress
        if isinstance(again, str):
            progress.stopped = progress.stopped or again
            return
        progress.failed_again = (progress.failed_again or 0) + again
        if again:
            words = f"{again} of what was redriven failed again (`failures list` shows them)"
            progress.stopped = progress.stopped or words

    async def _take_messages(self, messages: Sequence[ReceivedMessage]) -> list[ReceivedMessage]:
        """Redrive those that are meant; gives those that the queue need not keep."""
        meant, verdicts = await self._take([(one, from_message(one)) for one in messages])
        return [one for (one, _), verdict in zip(meant, verdicts, strict=True) if verdict in DONE]

    async def _take(
        self, read: Sequence[tuple[Given, Failure]]
    ) -> tuple[Sequence[tuple[Given, Failure]], list[Verdict]]:
        """Redrive those that are meant, up to the limit; gives these, and what became of each."""
        meant = [(given, failure) for given, failure in read if is_meant(self.plan.selection, failure)]
        left = None if self.plan.limit is None else self.plan.limit - self.progress.counted
        taken, self.progress.limited = self._builder.limited(meant, left)
        return taken, await self._redrive([failure for _, failure in taken])

    async def _redrive(self, failures: Sequence[Failure]) -> list[Verdict]:
        """Write what they become, wait for the brokers, note it, and count up to the first that they refused."""
        built = [await self._builder.build(failure) for failure in failures]
        verdicts = [_verdict(one) for one in built]
        sendable = [index for index, one in enumerate(built) if isinstance(one, Redrive)]
        if self.writer is not None and sendable:
            outgoing = [self._outgoing(one) for one in built if isinstance(one, Redrive)]
            for index, reason in zip(sendable, await self.writer.write(outgoing), strict=True):
                if reason is not None:
                    verdicts[index] = "refused"
                    self.progress.stopped = self.progress.stopped or reason
            await self._note(failures, built, verdicts)
            if "refused" in verdicts:  # what came again after it may be the same event, and goes on being needed
                first = verdicts.index("refused")
                verdicts[first:] = ["skipped" if one == "repeated" else one for one in verdicts[first:]]
                self.progress.limited = False
        for failure, one, verdict in zip(failures, built, verdicts, strict=True):
            if verdict == "refused":
                break
            self._count(failure, one)
        return verdicts

    async def _note(
        self, failures: Sequence[Failure], built: Sequence[Redrive | Note | str], verdicts: Sequence[Verdict]
    ) -> None:
        """Note all that the brokers have, also what stands behind one that they refused."""
        notes = [
            Note(one.place, self.plan.run, self.plan.at_ms, failure.failed_ms, max(self.plan.at_ms, failure.at_ms))
            for failure, one, verdict in zip(failures, built, verdicts, strict=True)
            if isinstance(one, Redrive) and verdict == "redriven"
        ]
        reason = await self._redriven.note(notes)
        self.progress.stopped = self.progress.stopped or reason or ""

    def _count(self, failure: Failure, one: Redrive | Note | str) -> None:
        progress = self.progress
        progress.read += 1
        progress.clusters[cluster_of(failure.record or {})] += 1
        if isinstance(one, Redrive):
            progress.redriven += 1
            progress.targets[one.topic] += 1
        elif isinstance(one, Note):
            progress.known += 1
            progress.reasons[left_out(one)] += 1
        else:
            progress.repeated += one == REPEATED
            progress.reasons[one] += 1

    def _outgoing(self, one: Redrive) -> Outgoing:
        return Outgoing(self._settings.topic(one.topic), one.key, one.value, one.headers)


@asynccontextmanager
async def open_redriving(
    plan: RedrivePlan,
    settings: Settings,
    known: Mapping[str, int],
    stop: asyncio.Event,
    *,
    writes: bool,
    again: bool,
    watches: bool = False,
) -> AsyncIterator[Redriving]:
    """A redrive with all that it reads and writes; one that `watches` stops at an event that fails again.

    `again` takes what was redriven before once more. Raises RangeError.
    """
    async with AsyncExitStack() as stack:
        originals = await stack.enter_async_context(open_originals(settings, known))
        into = written_topics(settings, known)
        writer = await stack.enter_async_context(open_writer(settings, into)) if writes else None
        redriven = await stack.enter_async_context(open_notes(settings, known, writer, again=again))
        outcomes = None
        if watches and writes:
            outcomes = await stack.enter_async_context(open_outcomes(settings, known, plan.run))
        yield Redriving(plan, settings, originals, redriven, writer, stop, outcomes)


def _verdict(built: Redrive | Note | str) -> Verdict:
    if isinstance(built, Redrive):
        return "redriven"
    return "known" if isinstance(built, Note) else "repeated" if built == REPEATED else "skipped"
