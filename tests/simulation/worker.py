"""This module is one worker: a process that consumes as a real one does, and can be killed at any await."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from contextvars import copy_context
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from aiokafka.errors import IllegalStateError
from faust.types import TP
from mode.utils.queues import FlowControlEvent, ThrowableQueue

from streams.faust_patches import recovery
from tests.simulation.clock import OWNER
from tests.simulation.consumer import SimulatedConsumer, SimulatedThread, make_app
from tests.simulation.kafka import CHANGELOG, SESSION_S, Wire

if TYPE_CHECKING:
    from tests.simulation.world import World


#: Seconds within which an event ends, usually.
ACKS_IN_S = 0.02


#: Seconds after which a worker that goes on has heard that it was counted out.
HEARTBEAT_S = 1.0

#: Seconds that a revocation may take beyond its grace.
REVOKED_S = 4.0


class Event:
    """A message as a stream gives it."""

    def __init__(self, message: Any, consumer: Any) -> None:
        self.message, self._consumer = message, consumer
        self.value, self.headers = message.value, dict(message.headers or [])

    def ack(self) -> None:
        self.message.ack(self._consumer)


class Worker:
    """Consumes with Faust's own consumer, patched; what it does with events is `work`."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.chance = world.chance(name)
        self.tasks: dict[asyncio.Task[Any], None] = {}  # in order, as a set's would be another each time
        self.wire = Wire(world.chance(f"wire of {name}"))
        self.flow_control = FlowControlEvent(initially_suspended=True)
        self.queue: Any = ThrowableQueue(
            self.chance.choice((4, 16, 4096)), flow_control=self.flow_control, clear_on_resume=True
        )
        self.thread = SimulatedThread(self, world.group, self.wire, world.chance(f"thread of {name}"))
        self.app = make_app(self, self.flow_control, grace=self.chance.choice((1.0, 8.0)))
        self.consumer = SimulatedConsumer(
            self, self.thread, self.app,
            callback=self._on_message,
            on_partitions_revoked=self._on_revoked,
            on_partitions_assigned=self._on_assigned,
        )  # fmt: skip
        self.app.consumer = self.consumer
        self.consumer.stop_flow()
        self.held_until = 0.0
        self.killed_at: float | None = None
        self.evicted_at = self.frozen_until = 0.0
        self.acks_in_s = ACKS_IN_S
        self.recovering = self.leaving = self.revoking = False
        self._given: dict[TP, int] = {}
        self._told = asyncio.Event()
        self._table: set[tuple[TP, int]] = set()
        self._recovery: asyncio.Task[Any] | None = None
        self.assigning: asyncio.Task[Any] | None = None

    # The process.

    def spawn(self, coroutine: Coroutine[Any, Any, Any], crashes: bool = True) -> asyncio.Task[Any]:
        """Run something in this process: it ends with it, and what it raises ends the history, if it `crashes`."""
        context = copy_context()
        context.run(OWNER.set, self)
        task = self.world.loop.create_task(coroutine, context=context)
        task.add_done_callback(self._ended if crashes else self._left)
        return task

    def owns(self, task: asyncio.Task[Any]) -> None:
        """Note a task of this process; what a timer of a dead one begins ends at once."""
        if self.wire.dead:
            task.cancel()
        self.tasks[task] = None
        task.add_done_callback(lambda done: self.tasks.pop(done, None))

    def _left(self, task: asyncio.Task[Any]) -> None:
        self.tasks.pop(task, None)
        if not task.cancelled():
            task.exception()  # whoever called hears of it, if it still waits

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self.tasks.pop(task, None)
        if self.wire.dead:
            return
        if task.cancelled():
            self.world.violated("no part of a worker ends in silence", f"{self.name}: {task!r}")
        elif (error := task.exception()) is not None:
            self.world.violated("no worker crashes", f"{self.name}: {error!r}", error)

    def start(self) -> None:
        """Begin to work, and join the group."""
        fetcher = SimpleNamespace(_stopped=asyncio.Event())
        self.spawn(self.consumer._drain_messages(fetcher))
        self.spawn(self._commits())
        self.spawn(self.thread.heartbeats())
        self.spawn(self.work())
        self.world.group.join(self)

    def kill(self) -> None:
        """SIGKILL: nothing of it goes on, and Kafka notices after the session time-out."""
        self.killed_at = self.world.loop.time()
        self._end()
        self.world.loop.call_later(SESSION_S, self.world.group.evict, self)

    async def leave(self) -> None:
        """SIGTERM: what is in flight gets its grace, then it leaves the group."""
        self.revoking = True
        self.consumer.stop_flow()
        self.flow_control.suspend()
        self.flow_control.clear()
        await self.consumer.wait_empty()
        await self.finish()
        await self.consumer.wait_empty()
        self.world.group.evict(self)
        self.world.loop.call_soon(self._end)

    def _end(self) -> None:
        self.wire.dead = True
        for task in list(self.tasks):
            task.cancel()

    def cut(self, seconds: float) -> None:
        """Swallow what goes to Kafka and back for a while."""
        if self.wire.cut is not None or self.wire.dead:
            return
        self.wire.cut, loop = asyncio.Event(), self.world.loop
        if seconds > SESSION_S:
            loop.call_later(SESSION_S, self.world.group.evict, self)
        loop.call_later(seconds, self._mend)

    def _mend(self) -> None:
        cut, self.wire.cut = self.wire.cut, None
        if cut is not None:
            cut.set()
        if not self.wire.dead and self not in self.world.group.members:
            self.world.group.join(self)

    def freeze(self, seconds: float) -> None:
        """SIGSTOP, and SIGCONT later: nothing of it goes on meanwhile, but what it has asked for."""
        loop = self.world.loop
        if self.wire.cut is not None or self.wire.dead or self.frozen_until > loop.time():
            return
        self.frozen_until = loop.time() + seconds
        loop.anybody_frozen_until = max(loop.anybody_frozen_until, self.frozen_until)
        if seconds > SESSION_S:
            loop.call_later(SESSION_S, self.world.group.evict, self)
        loop.call_later(seconds + HEARTBEAT_S, self._mend)

    async def flush(self) -> None:
        """Of the producer: before a commit, Faust has everything sent that waits."""
        await self.wire.cross()

    # Rebalances, as aiokafka's coordinator and the app go through them.

    async def revoke(self) -> None:
        """Give up all partitions, when the assignment before has been heard of: aiokafka does one after the other."""
        if self.assigning is not None:
            await asyncio.wait([self.assigning])
        self.thread._subscription.reassignment_in_progress = self.revoking = True
        await self.wire.cross()
        began = self.world.loop.time()
        await self.consumer.on_partitions_revoked(self.consumer.assignment())
        seconds = self.world.loop.time() - began
        if seconds > self.app.shutdown_grace + REVOKED_S and not self.world.is_held_up():
            self.world.violated("a rebalance waits no longer than the grace", f"{self.name}: {seconds:.1f} s")

    def pause_for(self, seconds: float) -> None:
        """Pause its streams' partitions while something of them is being fetched, and go on with them later."""
        self.thread.faults["slow fetch"] += 1
        self.thread.faults["seek fails"] += self.chance.choice((0, int(seconds) + 3))
        self.world.loop.call_later(1.1, self._pause, seconds)

    def _pause(self, seconds: float) -> None:
        paused = {tp for tp in self.consumer.assignment() if tp.topic != CHANGELOG}
        if not self.recovering and not self.revoking:
            generation = self.app.consumer_generation_id
            self.consumer.pause_partitions(paused)
            self.world.loop.call_later(seconds, self._resume, paused, generation)

    def _resume(self, paused: set[TP], generation: int) -> None:
        if self.app.consumer_generation_id == generation and not self.revoking:
            self.consumer.resume_partitions(paused)

    async def _on_revoked(self, revoked: set[TP]) -> None:
        assignment = self.consumer.assignment()
        if assignment:
            self.consumer.stop_flow()
            self.flow_control.suspend()
            self.consumer.pause_partitions(assignment)
            self.flow_control.clear()
            await self.consumer.wait_empty()
            await self.flush()

    async def assign(self, tps: set[TP], generation: int) -> None:
        """Take partitions over."""
        await self.wire.cross()
        self.thread.assign(tps, generation)
        self.thread._subscription.reassignment_in_progress = self.revoking = False
        self.app.consumer_generation_id = generation
        await asyncio.sleep(self.chance.random() * 0.01)
        await self.consumer.on_partitions_assigned(tps, generation)

    async def _on_assigned(self, assigned: set[TP], generation: int) -> None:
        await asyncio.sleep(0)
        self.consumer.pause_partitions(assigned)
        self._given.clear()
        if self._recovery is not None:
            self._recovery.cancel()
        self._recovery = self.spawn(self._recover(assigned, generation))

    async def _recover(self, assigned: set[TP], generation: int) -> None:
        self.recovering = True
        with contextlib.suppress(IllegalStateError, asyncio.CancelledError):  # then another rebalance has begun
            await self._recover_and_flow(assigned, generation)
        self.recovering = False

    async def _recover_and_flow(self, assigned: set[TP], generation: int) -> None:
        tables = {tp for tp in assigned if tp.topic == CHANGELOG}
        self._table.clear()
        offsets = {tp: 0 for tp in tables}
        here: Any = SimpleNamespace(
            app=self.app, log=self.consumer.log, _set_recovery_ended=lambda: None, tables=_Tables(),
            _wait=self._wait, _is_changelog_tp=self.consumer._is_changelog_tp, completed=asyncio.Event(),
        )  # fmt: skip
        await recovery.seek_tables(here, self.consumer, tables, offsets, "active")
        if tables:
            self.consumer.resume_partitions(tables)
            self.flow_control.resume()
            self.consumer.resume_flow()
            wanted = {(tp, offset) for tp in tables for offset in self.world.group.logs[tp].offsets}
            while not wanted <= self._table:
                self._told.clear()
                await self._told.wait()
            self.consumer.pause_partitions(tables)
        await recovery.on_recovery_completed(here, generation)

    async def _wait(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        await coroutine

    async def _commits(self) -> None:
        while True:
            await asyncio.sleep(self.consumer.commit_interval)
            await self.consumer.commit()

    # The way of an event, as conductor and stream give it.

    async def _on_message(self, message: Any) -> None:
        await self.flow_control.acquire()
        if self.chance.random() < 0.05:
            await asyncio.sleep(self.chance.random() * 0.01)
        tp = message.tp
        if tp.topic == CHANGELOG:
            self._table.add((tp, message.offset))
            self._told.set()
            return
        self.note_given(tp, message.offset)
        message.incref(1)
        event = Event(message, self.consumer)
        if self.queue.full():
            await self.queue.put(event)
        else:
            self.queue.put_nowait_enhanced(
                event,
                on_pressure_high=lambda: self.consumer.on_buffer_full(tp),
                on_pressure_drop=lambda: self.consumer.on_buffer_drop(tp),
            )

    def note_given(self, tp: TP, offset: int) -> None:
        """An event is given to a stage."""
        self.world.given(tp, offset)
        before = self._given.get(tp, -1)
        if offset <= before:
            self.world.violated("a generation is given each event once, in order", f"{tp}: {before}, {offset}")
        self._given[tp] = offset

    def noack(self) -> Worker:
        """As a stream is asked not to ack."""
        return self

    async def events(self) -> AsyncIterator[Event]:
        """As a stream gives events: those of the generation, tracked from then on."""
        while True:
            event = await self.queue.get()
            await asyncio.sleep(max(0.0, self.held_until - self.world.loop.time()))
            message = event.message
            if message.generation_id != self.app.consumer_generation_id or not self.flow_control.is_active():
                continue
            if not message.tracked:
                self.consumer._unacked_messages.add(message)
                message.tracked = True
            yield event
            await asyncio.sleep(0)

    # What is done with events.

    async def work(self) -> None:
        """End each event by itself, after a while, in whatever order."""
        async for event in self.noack().events():
            self.spawn(self._end_event(event))

    async def _end_event(self, event: Event) -> None:
        of_event = self.world.chance(f"{event.message.partition}/{event.message.offset}")
        await asyncio.sleep(of_event.random() * self.acks_in_s)
        if event.message.generation_id == self.app.consumer_generation_id:
            self.world.settled(event.message.tp, event.message.offset, self)
            event.ack()

    async def finish(self) -> None:
        """End what is to end before the consumer stops."""


class _Tables(dict[str, Any]):
    def on_actives_ready(self) -> None: ...

    def on_standbys_ready(self) -> None: ...
