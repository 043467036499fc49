"""This module takes failure records, of the topic or the queue, back to the topics they come from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal, TypeVar

from clients.aws.sqs_receiver import QueueReceiver, ReceivedMessage
from clients.kafka.ranges import Range, Reader
from clients.kafka.writer import Outgoing, Writer
from processors.event import headers
from processors.replay.clusters import cluster_of
from processors.replay.redrive import (
    Place,
    Redrive,
    RedriveTargets,
    Unrecoverable,
    place_of,
    rebuilt,
    redrive,
)
from processors.replay.redriven import Note, told
from settings import Settings
from streams.replay.aftermath import Aftermath
from streams.replay.failure import Failure, from_message, from_record, is_meant
from streams.replay.originals import Originals
from streams.replay.pace import Pace
from streams.replay.redrive_progress import RedrivePlan, RedriveProgress
from streams.replay.redriven import Redriven

OnProgress = Callable[[int], None]
Meant = TypeVar("Meant")

#: How the records of one event are ordered: a whole one is above one that is not, then by time, partition, offset.
Rank = tuple[bool, int, int, int]

#: Reasons to skip a record, beside those of processors/replay/redrive.py.
NOT_A_RECORD = "it is not a failure record"
AGAIN = "another record of its event is redriven by this run"

#: What became of one record. `repeated`: another record of its event was redriven by this run, `known`: by an
#: earlier one; all three are done with.
Verdict = Literal["redriven", "repeated", "known", "skipped", "refused"]
DONE = ("redriven", "repeated", "known")

#: Failures written between two notes of what was: after a crash so many may come again.
AT_ONCE = 100


class Redriving:
    """One redrive; without a writer it is a rehearsal: everything but the writing.

    With an `aftermath` it waits for what becomes of each batch, and stops when an event fails again.
    """

    def __init__(
        self,
        plan: RedrivePlan,
        settings: Settings,
        originals: Originals,
        redriven: Redriven,
        writer: Writer | None,
        stop: asyncio.Event,
        aftermath: Aftermath | None = None,
    ) -> None:
        self.plan = plan
        self.progress = RedriveProgress()
        self._settings = settings
        self._named = RedriveTargets(
            settings.topic("raw"), settings.topic("validated"), settings.kafka_max_message_bytes
        )
        self._originals = originals
        self._redriven = redriven
        self._writer = writer
        self._stop = stop
        self._aftermath = aftermath
        self._pace = Pace(plan.rate if writer is not None else None, stop)
        self._taken: set[Place] = set()
        self._newest: dict[Place, Rank] = {}

    async def _survey(self, reader: Reader, what: Range) -> None:
        """See which record of each event is the newest one: that one goes back, for somebody may have corrected it."""
        whole = Range(what.topic, dict(what.next), what.end)
        async for chunk in reader.chunks(whole):
            for failure in map(from_record, chunk):
                if failure.record is not None and is_meant(self.plan.selection, failure):
                    self._keep_newest(failure)
            if self._stop.is_set():
                return

    def _keep_newest(self, failure: Failure) -> None:
        place, rank = self._rank(failure)
        if place is not None and rank > self._newest.get(place, rank[:0]):
            self._newest[place] = rank

    async def from_topic(self, reader: Reader, what: Range, on_progress: OnProgress) -> RedriveProgress:
        """Go through a range of the failures topic; `what.next` is right at any time."""
        progress = self.progress
        await self._survey(reader, what)
        if self._stop.is_set():
            progress.stopped = "stopped"
            return progress
        async for chunk in reader.chunks(what, self._pace.chunk(AT_ONCE)):
            read = [(record.offset, from_record(record)) for record in chunk]
            meant = self._limited([(offset, one) for offset, one in read if is_meant(self.plan.selection, one)])
            verdicts = await self._take([one for _, one in meant])
            if "refused" in verdicts:
                what.next[chunk[0].partition] = meant[verdicts.index("refused")][0]
                return progress
            if progress.limited:
                what.next[chunk[0].partition] = meant[-1][0] + 1
                return progress
            on_progress(what.size - what.left)
            await self._look_after(verdicts)
            await self._pace.after(len(meant))
            if progress.stopped:
                what.leave(chunk)
                return progress
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
                    await self._look_after(["redriven"])
                await self._pace.after(len(done))
            if self._stop.is_set():
                self.progress.stopped = "stopped"
            return self.progress
        finally:
            await queue.release(list(kept.values()))

    async def _look_after(self, verdicts: Sequence[Verdict]) -> None:
        """See what becomes of what was just written; an event that fails again stops the run."""
        if self._aftermath is None or "redriven" not in verdicts:
            return
        again, progress = await self._aftermath.failed_again(self._stop), self.progress
        if isinstance(again, str):
            progress.stopped = progress.stopped or again
            return
        progress.failed_again = (progress.failed_again or 0) + again
        if again:
            words = f"{again} of what was redriven failed again (`failures list` shows them)"
            progress.stopped = progress.stopped or words

    async def _take_messages(self, messages: Sequence[ReceivedMessage]) -> list[ReceivedMessage]:
        """Redrive those that are meant; gives those that the queue need not keep."""
        read = [(one, from_message(one)) for one in messages]
        meant = self._limited([(one, failure) for one, failure in read if is_meant(self.plan.selection, failure)])
        verdicts = await self._take([failure for _, failure in meant])
        return [one for (one, _), verdict in zip(meant, verdicts, strict=True) if verdict in DONE]

    def _limited(self, meant: list[tuple[Meant, Failure]]) -> list[tuple[Meant, Failure]]:
        """The records up to the limit, for which those do not count whose event went, or goes, without them."""
        limit, here = self.plan.limit, set[Place]()
        left = 0 if limit is None else limit - self.progress.counted
        for number, (_, failure) in enumerate(meant if limit is not None else ()):
            place, rank = self._rank(failure)
            if place is not None and (place in here or self._is_done(failure, place, rank)):
                continue
            here |= {place} if place is not None else set()
            left -= 1
            if left == 0:
                self.progress.limited = True
                return meant[: number + 1]
        return meant

    def _is_done(self, failure: Failure, place: Place, rank: Rank) -> bool:
        return place in self._taken or self._known(failure, place) is not None or self._is_older(place, rank)

    def _is_older(self, place: Place, rank: Rank) -> bool:
        return rank < self._newest.get(place, rank)

    def _rank(self, failure: Failure) -> tuple[Place | None, Rank]:
        """Where the event goes back to, and how the record stands to others of it."""
        if failure.record is None:
            return None, (False, 0, 0, 0)
        place, whole = place_of(failure.record, failure.meta, self._named)
        return place, (whole, failure.at_ms, *(failure.spot or (0, 0)))

    def _known(self, failure: Failure, place: Place | None) -> Note | None:
        written_ms = None if failure.spot is None else failure.at_ms
        return None if place is None else self._redriven.notes.knows(place, failure.failed_ms, written_ms)

    async def _take(self, failures: Sequence[Failure]) -> list[Verdict]:
        """Write what they become, wait for the brokers, note it, and count up to the first that they refused."""
        built = [await self._build(failure) for failure in failures]
        verdicts = [_verdict(one) for one in built]
        sendable = [index for index, one in enumerate(built) if isinstance(one, Redrive)]
        if self._writer is not None and sendable:
            outgoing = [self._outgoing(one) for one in built if isinstance(one, Redrive)]
            for index, reason in zip(sendable, await self._writer.write(outgoing), strict=True):
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
            progress.reasons[told(one)] += 1
        else:
            progress.repeated += one == AGAIN
            progress.reasons[one] += 1

    async def _build(self, failure: Failure) -> Redrive | Note | str:
        """What the failure becomes, or why nothing: a note of an earlier run, or a reason."""
        if failure.record is None:
            return NOT_A_RECORD
        run = self.plan.run
        place, rank = self._rank(failure)
        note = self._known(failure, place)
        if note is not None:
            return note
        if place is not None and self._is_older(place, rank):
            return AGAIN
        built = redrive(failure.record, failure.meta, failure.key, run, self._named)
        if isinstance(built, Unrecoverable):
            found = await self._originals.find(built)
            if found is None or not found.value:
                return f"{built.reason}, and {self._named.raw} does not hold it"
            # The route is the failure's: on `raw` it is one that an earlier redrive was for.
            meta = replace(headers.read(dict(found.headers)), route=failure.meta.route)
            built = rebuilt(failure.record, found.value, meta, found.key, run, self._named)
        if built.place in self._taken:
            return AGAIN
        self._taken.add(built.place)
        return self._known(failure, built.place) or built

    def _outgoing(self, one: Redrive) -> Outgoing:
        return Outgoing(self._settings.topic(one.topic), one.key, one.value, one.headers)


def _verdict(built: Redrive | Note | str) -> Verdict:
    if isinstance(built, Redrive):
        return "redriven"
    return "known" if isinstance(built, Note) else "repeated" if built == AGAIN else "skipped"
