"""This module runs every stage: it alone knows how Faust acks.

A stage is a function over a batch: when it returns, each event of the batch is forwarded, reported or dropped,
and what it sent is on the broker (streams/delivery/send.py). Only then is the batch noted as settled in the ledger,
which acks it when its counts are written too (streams/delivery/ledger.py). Unacked events are delivered again.

An error that leaves a stage is a bug. The process ends at once (exit 70), unacked and uncommitted, because an
error that left a Faust agent would ack its event (faust/streams.py), and a supervisor starts it again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

import structlog
from faust import TopicT

from streams.app import app, settings
from streams.delivery.buffer import BoundedBuffer
from streams.delivery.ledger import Message, ledger
from streams.exit import die

log = structlog.get_logger(__name__)


Handle = Callable[[Sequence[Message]], Awaitable[None]]


def stage(
    role: str, topic: TopicT, *, max_events: int, linger_s: float, waits_for: Collection[str], open_batches: int = 1
) -> Callable[[Handle], Handle]:
    """Make an agent of a function over batches, when this worker has the role.

    A batch is cut at `max_events`, or `linger_s` after its first event. `open_batches`: how many may be worked
    on at the same time; with one, batches follow each other. `waits_for`: the parts of health that a batch waits
    for while they are in trouble; one that stands still without is a bug (streams/worker/watchdog.py).
    """

    def wrap(handle: Handle) -> Handle:
        if role in settings.worker_roles:

            async def body(stream: Any) -> None:
                await _run(stream, handle, max_events, linger_s, open_batches, waits_for)

            body.__doc__ = handle.__doc__
            app.agent(topic, name=role)(body)
        return handle

    return wrap


async def each(stream: Any, where: str, apply: Callable[[Message], None]) -> None:
    """Apply events one after the other inside the agent, where alone Faust lets tables be changed; then ack."""
    async for event in stream.noack().events():
        try:
            apply(event)
        except Exception as error:
            die(where, error)
        event.ack()


async def _run(
    stream: Any,
    handle: Handle,
    max_events: int,
    linger_s: float,
    open_batches: int,
    waits_for: Collection[str] = (),
) -> None:
    queue = BoundedBuffer(max_events)
    batches = asyncio.create_task(_work(queue, handle, max_events, linger_s, open_batches, waits_for))
    batches.add_done_callback(_ended)
    try:
        # noack() first: stock take() gives the stream its acks back while events are still in flight.
        async for event in stream.noack().events():
            ledger.took(event)
            await queue.put(event)
    finally:
        batches.cancel()


def _ended(batches: asyncio.Task[None]) -> None:
    if not batches.cancelled() and (error := batches.exception()) is not None:
        die("the cutting of batches", error)  # events would wait for ever


async def _work(
    queue: BoundedBuffer,
    handle: Handle,
    max_events: int,
    linger_s: float,
    open_batches: int,
    waits_for: Collection[str],
) -> None:
    slots = asyncio.Semaphore(open_batches)
    running: set[asyncio.Task[None]] = set()

    async def work_off(batch: list[Message]) -> None:
        await _settle(handle, batch, waits_for)
        queue.release(batch)
        slots.release()

    try:
        while True:
            await slots.acquire()
            batch = await _next_batch(queue, max_events, linger_s)
            task = asyncio.create_task(work_off(batch))
            running.add(task)
            task.add_done_callback(running.discard)
    finally:
        for task in running:
            task.cancel()


async def _next_batch(queue: BoundedBuffer, max_events: int, linger_s: float) -> list[Message]:
    batch = [await _first(queue)]
    with contextlib.suppress(TimeoutError):  # then the time is over
        async with asyncio.timeout(linger_s):
            while len(batch) < max_events:
                batch.append(await _next_current(queue))
    return batch


async def _first(queue: BoundedBuffer) -> Message:
    """The next event, when a batch may begin; waiting for that it may become another worker's."""
    while True:
        event = await _next_current(queue)
        await ledger.keep_pace()
        if is_current(event):
            return event
        _leave(queue, event)


async def _next_current(queue: BoundedBuffer) -> Message:
    """The next event that is still this worker's."""
    while True:
        event = await queue.get()
        if is_current(event):
            return event
        _leave(queue, event)


def _leave(queue: BoundedBuffer, event: Message) -> None:
    ledger.dropped([event])
    queue.release([event])


def is_current(event: Message) -> bool:
    """Whether the event is still this worker's; one from before a rebalance is delivered again, maybe to another."""
    return bool(event.message.generation_id == app.consumer_generation_id)


async def _settle(handle: Handle, batch: list[Message], waits_for: Collection[str] = ()) -> None:
    ledger.opened(batch, waits_for)
    try:
        await handle(batch)
    except Exception as error:  # whatever it is, it is not known to be harmless
        die(getattr(handle, "__name__", "a stage"), error)
    ledger.closed(batch)
    ledger.settled([event for event in batch if is_current(event)])
    ledger.dropped([event for event in batch if not is_current(event)])
