"""This module mends what loses events in faust-streaming 0.15.3.

Remove a patch when its upstream fix is in.

Each patch replaces one method and is tested, beside the fault, in tests/unit/streams/test_hardening.py.
"""

from __future__ import annotations

import gc
from heapq import heappush
from typing import Any

import faust
import faust.streams
from faust.tables.base import Collection
from faust.transport.consumer import Consumer
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Producer
from faust.types import TP

VERSION = "0.15.3"

FETCH_WAIT_MS = 100

_create_worker_consumer = AIOKafkaConsumerThread._create_worker_consumer
_new_offset = Consumer._new_offset
_add_gap = Consumer._add_gap
_settings_extra = Producer._settings_extra


def capped_new_offset(self: Any, tp: TP) -> int | None:
    """Commit only below the lowest event in flight (faust-streaming #606, pull request #707).

    Stock Faust takes the first consecutive run of acked offsets, even when it starts behind an unacked one.
    """
    flying: list[int] = [m.offset for m in self._unacked_messages if m.tp == tp and not m.acked]
    acked: list[int] = self._acked[tp]
    low = min(flying, default=None)
    held = [] if low is None else [offset for offset in acked if offset >= low]
    if low is None or not held:
        return _new_offset(self, tp)
    acked[:] = [offset for offset in acked if offset < low]
    try:
        return _new_offset(self, tp) if acked else None
    finally:
        acked.extend(held)


async def add_gap(self: Any, tp: TP, offset_from: int, offset_to: int) -> None:
    """A gap ends before the message that was found behind it; stock Faust counts that message as acked."""
    await _add_gap(self, tp, offset_from, offset_to - 1)


async def wait_empty(self: Any) -> None:
    """Wait for events in flight, but no longer than the app's `shutdown_grace`, then commit what is settled.

    Stock Faust waits for ever, so that one call in a long back-off holds up a rebalance of the whole group.
    Events still in flight afterwards stay unacked: they are delivered again, never skipped.
    """
    deadline = self.loop.time() + self.app.shutdown_grace
    while not self.should_stop and self._unacked_messages and self.loop.time() < deadline:
        gc.collect()  # messages are held weakly; a stream that dropped one frees it here
        await self.commit()
        if self._unacked_messages:
            await self._wait_for_ack(timeout=1)
            self._clean_unacked_messages()
    await self.commit_and_end_transactions()


def key_ttl(self: Any, key: Any, partition: int) -> None:
    """One heap entry for a window, not one for each update of it (memory grows by every update otherwise)."""
    if not self._should_expire_keys():
        return
    end = key[1][1]
    keys = self._partition_timestamp_keys[(partition, end)]
    if not keys:
        heappush(self._partition_timestamps[partition], end)
    keys.add(key)
    latest = self._partition_latest_timestamp
    latest[partition] = max(latest[partition], end)


def quick_consumer(self: Any, transport: Any) -> Any:
    """Ask brokers to answer a fetch within 100 ms; Faust fixes 1.5 s, which a quiet topic waits."""
    consumer = _create_worker_consumer(self, transport)
    consumer._fetch_max_wait_ms = FETCH_WAIT_MS
    return consumer


def idempotent_settings(self: Any) -> dict[str, Any]:
    """Let the broker drop what the producer repeats after a lost answer."""
    return {**_settings_extra(self), "acks": "all", "enable_idempotence": True}


def harden() -> None:
    """Apply every patch. Raises RuntimeError for a Faust they were not made for."""
    if faust.__version__ != VERSION:
        raise RuntimeError(
            f"faust-streaming {faust.__version__} is installed but the delivery guarantee was proven on "
            f"{VERSION}: install faust-streaming=={VERSION}"
        )
    if getattr(faust.streams, "_CStreamIterator", None) is None:
        # The pure-Python iterator acks events that it skips in a rebalance (faust/streams.py, _py_aiter).
        raise RuntimeError("Faust runs without its compiled parts, which can lose events: unset NO_CYTHON or reinstall")
    Consumer._new_offset = capped_new_offset  # type: ignore[method-assign]
    Consumer._add_gap = add_gap  # type: ignore[method-assign]
    Consumer.wait_empty = wait_empty  # type: ignore[method-assign]
    Collection._maybe_set_key_ttl = key_ttl  # type: ignore[method-assign]
    AIOKafkaConsumerThread._create_worker_consumer = quick_consumer  # type: ignore[method-assign]
    Producer._settings_extra = idempotent_settings  # type: ignore[method-assign]
