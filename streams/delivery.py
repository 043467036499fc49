"""This module is the one place that knows when an event may be acked; every stage goes through it.

A stage is a function over a batch: when it returns, each event of the batch is forwarded, reported or dropped,
and what it sent is on the broker. Only then is the batch noted as settled; once a second the counts are
written to the metrics topic, and once the broker has those too, the settled events are acked. So neither an
event nor its being counted is lost, whatever line the process dies on: unacked events are delivered again.

An error that leaves a stage is a bug. The process ends at once (exit 70), unacked and uncommitted, because an
error that left a Faust agent would ack its event (faust/streams.py), and a supervisor starts it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from faust import EventT, TopicT

from processors.report import Counts, Sums
from processors.retry import backoff
from streams import topics
from streams.app import app, settings
from streams.ending import die
from streams.health import health

log = structlog.get_logger(__name__)

#: The one key of all deltas, so that one worker owns all sums (streams/tables.py); JSON, as the tables' keys are,
#: because Faust's router looks for a key's owner by its serialised form.
METRICS_KEY = orjson.dumps("pipeline")

#: Seconds between two flushes of the ledger.
FLUSH_S = 1.0

#: Seconds that a stage may take over one batch, nothing being in trouble, before liveness fails.
STALL_S = 300.0

#: One event of a stream; its value is bytes.
Message = EventT[Any]

Handle = Callable[[Sequence[Message]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Record:
    """What is to be sent: topic name, key, value, headers; the partition follows from the key unless it is given."""

    topic: str
    key: bytes | None
    value: bytes
    headers: dict[str, bytes] = field(default_factory=dict)
    partition: int | None = None


def record(topic: TopicT, key: str, value: bytes, headers: dict[str, str | bytes | None]) -> Record:
    """A record for one of our topics; headers without a value are left out."""
    encoded = {
        name: text.encode() if isinstance(text, str) else text for name, text in headers.items() if text is not None
    }
    return Record(topic.get_topic_name(), key.encode("utf-8", "replace"), value, encoded)


async def send(records: Iterable[Record]) -> None:
    """Send and return only when the broker has every one; while Kafka is away, wait and try again."""
    pending, attempt = list(records), 0
    producer = await app.maybe_start_producer()
    while pending:
        results = await _attempt(producer, pending)
        refused = [(one, result) for one, result in zip(pending, results, strict=True) if result is not None]
        if not refused:
            health.well("kafka")
            return
        pending = [one for one, _ in refused]
        health.trouble("kafka", _reason(refused[0]))
        await asyncio.sleep(backoff(attempt, random.random()))
        attempt += 1


async def _attempt(producer: Any, records: Sequence[Record]) -> list[KafkaError | None]:
    results: list[KafkaError | None] = []
    futures = []
    for one in records:
        try:
            futures.append(await producer.send(one.topic, one.key, one.value, one.partition, None, one.headers))
        except KafkaError as error:  # refused before it was queued
            futures.append(error)
    for future in futures:
        try:
            results.append(future if isinstance(future, KafkaError) else (await future, None)[1])
        except KafkaError as error:
            results.append(error)
    return results


def _reason(refused: tuple[Record, KafkaError]) -> str:
    one, error = refused
    if isinstance(error, MessageSizeTooLargeError):
        return f"{one.topic} refuses {len(one.value)} bytes: raise max.message.bytes or lower KAFKA_MAX_MESSAGE_BYTES"
    return f"{one.topic} does not take events: {type(error).__name__}"


class Ledger:
    """Events taken and not yet acked, and the counts that are to be written before they are.

    Every event stays referenced here until it is acked: Faust holds them weakly, and commits past one that was
    taken, not acked and then forgotten (streams/hardening.py caps the commit at those it still sees).
    """

    def __init__(self) -> None:
        self.counts = Counts()
        self._taken: dict[int, Message] = {}
        self._settled: list[Message] = []
        self._task: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self._open: dict[int, float] = {}
        self.listeners: list[Callable[[Sums], None]] = []
        self.before_acks: list[Callable[[], None]] = []

    def dropped(self, event: Message) -> None:
        """Note that an event is left to whoever gets it next."""
        self._taken.pop(id(event), None)

    def took(self, event: Message) -> None:
        """Note that an event was taken from its stream."""
        self._taken[id(event)] = event

    def opened(self, batch: Sequence[Message]) -> None:
        """Note that a batch is being worked on; see `stalled`."""
        self._open[id(batch)] = time.monotonic()

    def settled(self, batch: Sequence[Message]) -> None:
        """Note that every event of the batch has ended; it is acked with the next flush."""
        self._open.pop(id(batch), None)
        self._settled.extend(batch)
        self.start()

    def start(self) -> None:
        """Begin to flush each second; without effect when that is so already."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._flush_forever())

    async def flush(self) -> None:
        """Write the counts, then ack what was settled before."""
        delta, settled, self._settled = self.counts.drain(), self._settled, []
        if delta is not None:
            await send([Record(topics.metrics.get_topic_name(), METRICS_KEY, orjson.dumps(delta))])
            for listener in self.listeners:
                listener(delta)
        for note in self.before_acks:
            note()
        for event in settled:
            event.ack()
            self._taken.pop(id(event), None)

    async def close(self) -> None:
        """Flush a last time and end; a flush under way is waited for, as its counts are drained already.

        Raises TimeoutError when Kafka does not take the counts within the grace: nothing is acked then.
        """
        self._closing.set()
        async with asyncio.timeout(settings.shutdown_grace):
            if self._task is not None:
                await self._task
            await self.flush()

    def stalled(self) -> str | None:
        """Why this worker should be started again; None while it makes progress or knows its trouble."""
        oldest = min(self._open.values(), default=None)
        if oldest is None or time.monotonic() - oldest < STALL_S or health.known():
            return None
        return f"a batch has been worked on for {time.monotonic() - oldest:.0f} s"

    async def _flush_forever(self) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):  # then the second is over
                await asyncio.wait_for(self._closing.wait(), FLUSH_S)
            try:
                await self.flush()
            except Exception as error:
                die("the ledger", error)


ledger = Ledger()
counts = ledger.counts


@app.on_before_shutdown.connect
async def _close_ledger(*_: Any, **__: Any) -> None:
    try:
        await ledger.close()
    except TimeoutError:
        log.warning("Kafka did not take the last counts; their events will be delivered again")


def stage(
    role: str, topic: TopicT, *, max_events: int, linger_s: float, open_batches: int = 1
) -> Callable[[Handle], Handle]:
    """Make an agent of a function over batches, when this worker has the role.

    A batch is cut at `max_events`, or `linger_s` after its first event. `open_batches`: how many may be worked
    on at the same time; with one, batches follow each other.
    """

    def wrap(handle: Handle) -> Handle:
        if role in settings.worker_roles:

            async def body(stream: Any) -> None:
                await _run(stream, handle, max_events, linger_s, open_batches)

            body.__doc__ = handle.__doc__
            app.agent(topic, name=role)(body)
        return handle

    return wrap


async def stop_worker(reason: str, exit_code: int = 2) -> None:
    """End this worker in order; by default with the exit code that says: only you can mend `reason`."""
    log.log(logging.CRITICAL if exit_code else logging.INFO, "stopping", reason=reason)
    print(f"genesys-eventbridge: {reason}", file=sys.stderr, flush=True)
    app.exit_code = exit_code
    os.kill(os.getpid(), signal.SIGTERM)


async def each(stream: Any, where: str, apply: Callable[[Message], None]) -> None:
    """Apply events one after the other inside the agent, where alone Faust lets tables be changed; then ack."""
    async for event in stream.noack().events():
        try:
            apply(event)
        except Exception as error:
            die(where, error)
        event.ack()


async def _run(stream: Any, handle: Handle, max_events: int, linger_s: float, open_batches: int) -> None:
    queue: asyncio.Queue[Message] = asyncio.Queue(max_events)
    batches = asyncio.create_task(_work(queue, handle, max_events, linger_s, open_batches))
    try:
        # noack() first: stock take() gives the stream its acks back while events are still in flight.
        async for event in stream.noack().events():
            ledger.took(event)
            await queue.put(event)
    finally:
        batches.cancel()


async def _work(
    queue: asyncio.Queue[Message], handle: Handle, max_events: int, linger_s: float, open_batches: int
) -> None:
    slots = asyncio.Semaphore(open_batches)
    running: set[asyncio.Task[None]] = set()
    try:
        while True:
            await slots.acquire()
            batch = await _next_batch(queue, max_events, linger_s)
            task = asyncio.create_task(_settle(handle, batch))
            running.add(task)
            task.add_done_callback(running.discard)
            task.add_done_callback(lambda _: slots.release())
    finally:
        for task in running:
            task.cancel()


async def _next_batch(queue: asyncio.Queue[Message], max_events: int, linger_s: float) -> list[Message]:
    batch = [await _next_current(queue)]
    with contextlib.suppress(TimeoutError):  # then the time is over
        async with asyncio.timeout(linger_s):
            while len(batch) < max_events:
                batch.append(await _next_current(queue))
    return batch


async def _next_current(queue: asyncio.Queue[Message]) -> Message:
    """The next event that is still this worker's: one from before a rebalance is delivered again, maybe to another."""
    while True:
        event = await queue.get()
        if event.message.generation_id == app.consumer_generation_id:
            return event
        ledger.dropped(event)


async def _settle(handle: Handle, batch: list[Message]) -> None:
    ledger.opened(batch)
    try:
        await handle(batch)
    except Exception as error:  # whatever it is, it is not known to be harmless
        die(getattr(handle, "__name__", "a stage"), error)
    ledger.settled(batch)
