"""This module is Faust's consumer over the simulated Kafka: its own code, patched as in a worker, on another driver."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from aiokafka.errors import IllegalStateError, KafkaTimeoutError
from aiokafka.structs import OffsetAndMetadata
from faust.transport.consumer import Consumer, ensure_TP
from faust.transport.utils import DefaultSchedulingStrategy
from faust.types import TP
from faust.types.tuples import ConsumerMessage
from faust.utils.tracing import noop_span

from streams.faust_patches import settled_notes
from streams.faust_patches.fetched_record import FetchedRecord
from tests.simulation.kafka import CHANGELOG, SESSION_S, Group, Wire

if TYPE_CHECKING:
    from tests.simulation.worker import Worker


class SimulatedThread:
    """Stands for the thread with aiokafka in it: positions, fetches, seeks and commits, each a while away."""

    def __init__(self, worker: Worker, group: Group, wire: Wire, chance: Random) -> None:
        self.worker, self.group, self.wire, self.chance = worker, group, wire, chance
        self.states: dict[TP, SimpleNamespace] | None = None
        self.generation = 0
        self.faults: Counter[str] = Counter()
        self._coordinator = SimpleNamespace(
            fetch_committed_offsets=self._fetch_committed, _session_timeout_ms=SESSION_S * 1000
        )
        self._subscription = SimpleNamespace(
            subscription=SimpleNamespace(assignment=None), reassignment_in_progress=False
        )

    def _ensure_consumer(self) -> Any:
        return self

    async def call_thread(self, function: Any, *arguments: Any) -> Any:
        """Call over there; a caller who is cancelled does not call it back."""
        return await asyncio.shield(self.worker.spawn(self._called(function, arguments), crashes=False))

    async def _called(self, function: Any, arguments: Any) -> Any:
        await asyncio.sleep(self.chance.random() * 0.002)
        answer = await function(*arguments)
        await asyncio.sleep(self.chance.random() * 0.002)
        return answer

    # What aiokafka's consumer has.

    async def heartbeats(self) -> None:
        """Tell the group each second that the worker lives, and note since when that is known."""
        while True:
            asked_at = self.worker.world.loop.time()
            await self.wire.cross()
            if self.worker in self.group.members:
                self._coordinator.known_at = asked_at
            else:
                self._coordinator.known_at = -1.0 - SESSION_S
            await self.wire.cross()
            await asyncio.sleep(1.0)

    def assign(self, tps: set[TP], generation: int) -> None:
        """Forget all positions, as aiokafka does with every assignment."""
        self.generation = generation
        self.states = {tp: SimpleNamespace(has_valid_position=False, position=None) for tp in sorted(tps)}
        self._subscription.subscription.assignment = SimpleNamespace(tps=set(tps), state_value=self.states.__getitem__)

    def assignment(self) -> set[TP]:
        return set(self.states or ())

    def _state(self, tp: Any) -> Any:
        state = (self.states or {}).get(ensure_TP(tp))
        if state is None:
            raise IllegalStateError(f"No current assignment for partition {tp}")
        return state

    def seek(self, tp: Any, offset: int) -> None:
        state = self._state(tp)
        state.has_valid_position, state.position = True, offset

    async def _fetch_committed(self, partitions: Any) -> Any:
        await self.wire.cross()
        found = {tp: self.group.committed.get(ensure_TP(tp), (-1, "")) for tp in partitions}
        await self.wire.cross()
        return {tp: OffsetAndMetadata(*noted) for tp, noted in found.items()}

    # What Faust's thread has.

    async def seek_wait(self, offsets: dict[TP, int]) -> None:
        await self.call_thread(self._seek_wait, dict(offsets))

    async def _seek_wait(self, offsets: dict[TP, int]) -> None:
        if not self.worker.recovering and self._strikes("seek fails"):
            raise IllegalStateError("the partitions are not assigned")
        for tp, offset in offsets.items():
            self.seek(tp, offset)
            if offset > 0:
                self.worker.consumer._read_offset[tp] = offset
            else:
                self.worker.consumer._read_offset.pop(tp, None)
        await self.wire.cross()

    async def earliest_offsets(self, *partitions: Any) -> dict[Any, int]:
        await self.wire.cross()
        if self.chance.random() < 0.1:
            raise KafkaTimeoutError
        return {tp: self.group.logs[ensure_TP(tp)].beginning for tp in partitions}

    async def highwaters(self, *partitions: Any) -> dict[Any, int]:
        await self.wire.cross()
        now = self.worker.world.loop.time()
        return {ensure_TP(tp): self.group.logs[ensure_TP(tp)].end_at(now) for tp in partitions}

    async def commit(self, offsets: dict[TP, OffsetAndMetadata]) -> bool:
        """As the driver does: in the thread, with the generation it has by then."""
        return bool(await self.call_thread(self._commit, offsets))

    async def _commit(self, offsets: dict[TP, OffsetAndMetadata]) -> bool:
        await self.wire.cross()
        try:
            self.group.commit(self.worker, self.generation, offsets)
        except IllegalStateError:
            return False
        except Exception as error:
            if "already rebalanced" in str(error):
                return False
            raise
        await self.wire.cross(2.0 if self._strikes("commit unanswered") else 0.004)
        return True

    async def getmany(self, active: set[TP], timeout: float) -> dict[TP, list[Any]]:
        return dict(await self.call_thread(self._fetch_records, active, timeout))

    async def _fetch_records(self, active: set[TP], timeout: float) -> dict[TP, list[Any]]:
        if not self.worker.consumer.flow_active:
            return {}
        loop = self.worker.world.loop
        for tp, state in list((self.states or {}).items()):  # aiokafka looks for a position itself where it has none
            if tp in active and not state.has_valid_position:
                await self.wire.cross()
                if not state.has_valid_position:
                    committed = self.group.committed.get(tp, (-1, ""))[0]
                    state.position = committed if committed >= 0 else self.group.logs[tp].beginning
                    state.has_valid_position = True
        await self.wire.cross()
        records: dict[TP, list[Any]] = {}
        due = loop.time() + timeout
        while not records:  # as aiokafka, of whatever is assigned by now
            for tp, state in (self.states or {}).items():
                if tp in active and state.has_valid_position:
                    self._take(tp, state, records)
            if not records:
                if loop.time() >= due:
                    break
                await asyncio.sleep(min(due, self.group.next_arrival(loop.time())) - loop.time())
        # What was taken is on its way now: whoever seeks meanwhile does not know of it.
        await asyncio.sleep(self.chance.random() * (3.0 if self._strikes("slow fetch") else 0.002))
        return records

    def _take(self, tp: TP, state: Any, records: dict[TP, list[Any]]) -> None:
        log, now = self.group.logs[tp], self.worker.world.loop.time()
        if state.position > log.end_at(now) or state.position < log.beginning:
            state.position = log.beginning  # out of range
        ahead = log.ahead(state.position, now)
        taken = ahead[: self.chance.randrange(1, 9)]
        if taken:
            records[tp] = [self._record(tp, offset) for offset in taken]
        if len(taken) == len(ahead):
            state.position = max(log.end_at(now), state.position)
        else:  # a batch may end with what was compacted
            state.position = self.chance.choice((taken[-1] + 1, ahead[len(taken)]))

    def _record(self, tp: TP, offset: int) -> FetchedRecord:
        value, key, headers = self.worker.world.record(tp, offset)
        return FetchedRecord(tp.topic, tp.partition, offset, 0, key, value, headers)

    def _strikes(self, fault: str) -> bool:
        if self.faults[fault]:
            self.faults[fault] -= 1
            return True
        return False


class SimulatedConsumer(Consumer):
    """Faust's consumer, whose driver is the simulated one."""

    def __init__(self, worker: Worker, thread: SimulatedThread, app: Any, **kwargs: Any) -> None:
        transport = SimpleNamespace(app=app, create_transaction_manager=lambda **_: None)
        super().__init__(transport, **kwargs)
        self._thread = thread
        self._worker = worker

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        return ConsumerMessage(
            tp.topic, tp.partition, record.offset, 0.0, 0, record.headers, record.key, record.value, None, tp=tp,
            generation_id=self.app.consumer_generation_id,
        )  # fmt: skip

    async def _getmany(self, active_partitions: Any, timeout: float) -> Any:
        return await self._thread.getmany(active_partitions, timeout)

    async def _commit(self, offsets: Any) -> bool:
        return await settled_notes.commit(self, offsets)

    async def seek_wait(self, partitions: Any) -> None:
        await self._thread.seek_wait(partitions)

    async def _seek(self, partition: TP, offset: int) -> None:
        self._thread.seek(partition, offset)

    async def earliest_offsets(self, *partitions: Any) -> Any:
        return await self._thread.earliest_offsets(*partitions)

    async def highwaters(self, *partitions: Any) -> Any:
        return await self._thread.highwaters(*partitions)

    def assignment(self) -> set[TP]:
        return self._thread.assignment()

    def highwater(self, tp: TP) -> int:
        return 0

    def _new_topicpartition(self, topic: str, partition: int) -> TP:
        return TP(topic, partition)

    def _is_changelog_tp(self, tp: TP) -> bool:
        return tp.topic == CHANGELOG

    # Abstract, and not used by what is simulated.

    async def create_topic(self, *_: Any, **__: Any) -> None: ...

    async def subscribe(self, *_: Any, **__: Any) -> None: ...

    async def seek_to_committed(self) -> Any: ...

    async def position(self, tp: TP) -> Any: ...

    def topic_partitions(self, topic: str) -> Any: ...

    def key_partition(self, *_: Any, **__: Any) -> Any: ...


def make_app(worker: Worker, flow_control: Any, grace: float) -> Any:
    """What of the app its consumer looks at."""
    nothing = SimpleNamespace
    return nothing(
        consumer_generation_id=0,
        lanes={},
        should_stop=False,
        shutdown_grace=grace,
        client_only=False,
        in_transaction=False,
        in_recovery=False,
        rebalancing=False,
        flow_control=flow_control,
        producer=nothing(flush=worker.flush),
        _attachments=nothing(publish_for_tp_offset=_nothing_attached),
        tables=nothing(on_commit=lambda offsets: None, changelog_topics={CHANGELOG}),
        topics=nothing(acks_enabled_for=lambda topic: topic != CHANGELOG),
        monitor=nothing(track_tp_end_offset=lambda tp, offset: None, on_tp_commit=lambda offsets: None),
        sensors=nothing(
            on_message_in=lambda *_: None,
            on_commit_initiated=lambda *_: None,
            on_commit_completed=lambda *_: None,
        ),
        _start_span_from_rebalancing=lambda name: noop_span(),
        on_rebalance_return=lambda: None,
        on_rebalance_complete=nothing(send=_nothing),
        on_rebalance_end=lambda: None,
        _fetcher=nothing(maybe_start=_nothing),
        assignor=nothing(assigned_standbys=set),
        conf=nothing(
            broker_commit_every=10_000,
            broker_commit_interval=0.5,
            broker_commit_livelock_soft_timeout=300.0,
            ConsumerScheduler=DefaultSchedulingStrategy,
            stream_wait_empty=True,
        ),
    )


async def _nothing_attached(tp: TP, offset: int) -> list[Any]:
    return []


async def _nothing() -> None: ...
