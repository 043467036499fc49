"""A Faust consumer over scripted logs, for the tests of what is delivered and committed, by streams or by a lane."""

import asyncio
import gc
import importlib.util
import inspect
from collections import defaultdict
from types import SimpleNamespace

from aiokafka.errors import KafkaTimeoutError
from aiokafka.structs import OffsetAndMetadata
from aiokafka.structs import TopicPartition as KafkaTP
from faust.transport.utils import DefaultSchedulingStrategy
from faust.types import TP

from streams.faust_patches import fetch as consuming
from streams.faust_patches import lanes, partitions
from streams.faust_patches.fetched_record import FetchedRecord
from streams.faust_patches.partition_books import books_of

TP0, TP1 = TP("genesys.raw", 0), TP("genesys.raw", 1)
TABLE = TP("group-totals-changelog", 0)


class FakeMessage:
    """What the consumer makes of a record; can be held weakly."""

    def __init__(self, tp, offset):
        self.tp, self.offset = tp, offset


class FakeLane:
    """Holds what it was given until it is acked."""

    is_full = is_busy = False

    def __init__(self, given):
        self.given, self.cleared = given, False

    def put(self, part):
        self.given.extend(part.records)

    def holds(self, tp, offset):
        return any(one.offset == offset for one in self.given)

    def clear(self):
        self.cleared = True


class FakeConsumer:
    """A Faust consumer's state over scripted logs; `given` is what streams or lanes hold."""

    #: Topics whose records go by a lane.
    in_lanes = ()

    def __init__(self, **committed):
        self.logs = {TP0: range(0, 20), TP1: range(0, 20), TABLE: range(0, 5)}
        self.metadata = {TP0: "", TP1: ""}
        self.committed = {TP0: committed.get("first"), TP1: committed.get("second")}
        self.beginning_failures = 0
        self.sought, self.fails = [], None
        self.given, self.commits = [], 0
        self.expired = []
        self.app = SimpleNamespace(
            consumer_generation_id=1,
            should_stop=False,
            shutdown_grace=3,
            topics=SimpleNamespace(acks_enabled_for=lambda topic: not topic.endswith("-changelog")),
            monitor=SimpleNamespace(track_tp_end_offset=lambda tp, offset: None),
            expired=self.expired.append,
            lanes={topic: FakeLane(self.given) for topic in self.in_lanes},
        )
        self._waiting_for_ack = None
        self._read_offset = defaultdict(lambda: None)
        self._committed_offset = defaultdict(lambda: None)
        self._acked, self._acked_index, self._gap = defaultdict(list), defaultdict(set), defaultdict(dict)
        self._active_partitions, self._paused_partitions = {TP0, TP1, TABLE}, set()
        self._buffered_partitions = set()
        self._commit_every, self._n_acked = None, 0
        self.flow_active, self.should_stop = True, False
        self.suspend_flow = asyncio.Event()
        self.scheduler = DefaultSchedulingStrategy()
        self.log = SimpleNamespace(info=lambda *a: None, warning=lambda *a: None, error=lambda *a: None)
        self._thread = SimpleNamespace(_ensure_consumer=lambda: self, call_thread=self._call)
        self._coordinator = SimpleNamespace(fetch_committed_offsets=self._fetch_committed)
        self.positions = {}
        self._subscription = SimpleNamespace(subscription=SimpleNamespace(assignment=self))

    @property
    def tps(self):
        return self.assignment()

    def state_value(self, tp):
        return SimpleNamespace(has_valid_position=tp in self.positions, position=self.positions.get(tp))

    async def _call(self, function, *arguments):
        return await function(*arguments)

    async def _fetch_committed(self, partitions):
        assert all(isinstance(tp, KafkaTP) for tp in partitions)
        return {tp: OffsetAndMetadata(-1 if self.committed[tp] is None else self.committed[tp], self.metadata[tp])
                for tp in partitions}  # fmt: skip

    def assignment(self):
        return set(self.logs)

    async def earliest_offsets(self, *partitions):
        if self.beginning_failures:
            self.beginning_failures -= 1
            raise KafkaTimeoutError("away")
        return {tp: self.logs[tp][0] for tp in partitions}

    async def offsets_for_times(self, wanted):
        return {tp: SimpleNamespace(timestamp=1000 + self.logs[tp][0]) if self.logs[tp] else None for tp in wanted}

    async def highwaters(self, *partitions):
        if self.fails:
            raise self.fails
        return {tp: self.logs[tp][-1] + 1 for tp in partitions}

    def seek(self, tp, offset):
        assert isinstance(tp, KafkaTP)
        self.positions[tp] = offset

    async def seek_wait(self, offsets):
        if self.fails:
            raise self.fails
        self.sought.append(dict(offsets))
        self.positions.update(offsets)

    def highwater(self, tp):
        return len(self.logs[tp])

    def _to_message(self, tp, record):
        return FakeMessage(tp, record.offset)

    async def callback(self, message):
        self.given.append(message)

    async def commit(self):
        self.commits += 1

    async def _on_partitions_revoked(self, revoked):
        self.at_revocation = {tp: self._committed_offset[tp] for tp in revoked}

    async def fetch(self, tp, *offsets, active=None):
        records = [FetchedRecord(*tp, offset, 0, None, None) for offset in offsets]
        self.positions[tp] = offsets[-1] + 1
        handed = {}
        await consuming._hand_out(self, {tp: records}, {TP0, TP1, TABLE} if active is None else active, handed)
        await consuming._rewind_tables(self, {tp: records}, handed)

    def ack(self, *offsets, tp=TP0):
        if tp.topic in self.in_lanes:
            acked = [FetchedRecord(*tp, offset, 0, None, None) for offset in offsets]
            lanes.acknowledge(self, [({part: books_of(self)[TP(tp.topic, part)] for part in (0, 1)}, acked)])
        else:
            self._acked[tp].extend(offsets)
            self._acked_index[tp].update(offsets)
        self.given[:] = [message for message in self.given if message.offset not in offsets]
        gc.collect()

    def offsets(self):
        return [message.offset for message in self.given]


async def ready(**committed):
    consumer = FakeConsumer(**committed)
    await partitions.perform_seek(consumer)
    return consumer


def unpatched(patched):
    """The class as its module defines it, out of a second copy of the module."""
    spec = importlib.util.spec_from_file_location("second_copy", inspect.getfile(patched))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, patched.__name__)
