"""This module seeks table partitions and counts them as recovered, in the place of faust/tables/recovery.py."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, cast

from aiokafka.errors import IllegalStateError, KafkaConnectionError, KafkaTimeoutError
from faust.tables.recovery import Recovery
from faust.types import TP

#: Seconds before Kafka is asked again.
PAUSE_S = 1.0

_wait = Recovery._wait


async def wait(self: Any, coro: Any, timeout: Any = None) -> None:
    """Wait as long as it takes (`Recovery._wait`), until the worker stops or another rebalance begins.

    Stock Faust takes the end of a time-out for the stop of the worker: its recovery ends without a word, and this and
    every later assignment is never read.
    """
    await _wait(self, coro)


def until_answered(ask: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., Coroutine[Any, Any, None]]:
    """Ask brokers where changelogs begin and end until they say so; stock Faust ends the worker after 30 s."""

    async def asked(self: Any, *arguments: Any) -> None:
        while True:
            try:
                return await ask(self, *arguments)
            except (KafkaTimeoutError, KafkaConnectionError) as error:
                self.log.warning("Kafka does not say where changelogs begin and end; it is asked again: %r", error)
                await self.sleep(PAUSE_S)

    return asked


async def on_recovery_completed(self: Any, generation_id: int = 0) -> None:
    """Let the streams flow (`faust.tables.recovery.Recovery`): seek first, then resume.

    Stock Faust resumes the partitions first, and gives up the seek after a time-out. A rebalance that begins
    meanwhile leaves everything to the recovery that follows it.
    """
    app, consumer = self.app, self.app.consumer
    self.log.info("Restore complete!")
    await app.on_rebalance_complete.send()
    self._set_recovery_ended()
    for table in self.tables.values():
        await table.on_recovery_completed(self.actives_for_table[table], self.standbys_for_table[table])
    assignment = consumer.assignment()
    if assignment:
        self.log.info("Seek stream partitions to committed offsets.")
        await self._wait(consumer.perform_seek())
    if app.consumer_generation_id != generation_id or _is_reassigned(consumer):
        self.log.info("Rebalancing again")
        return
    self.completed.set()
    if not app.flow_control.is_active():
        app.flow_control.resume()  # which clears what waits in queues, also what standby tables were given
    consumer.resume_partitions({tp for tp in assignment if not self._is_changelog_tp(tp)})
    consumer.resume_flow()
    await cast(Any, app)._fetcher.maybe_start()
    self.tables.on_actives_ready()
    if not app.assignor.assigned_standbys():
        self.tables.on_standbys_ready()
    app.on_rebalance_end()
    self.log.info("Worker ready")


async def seek_tables(self: Any, consumer: Any, tps: set[TP], offsets: Any, title: str) -> None:
    """Seek changelogs to where their tables have been read to (`faust.tables.recovery.Recovery._seek_offsets`).

    A rebalance may have given or taken some since the offsets were asked for. Stock Faust crashes over those; here they
    are left to the recovery that the rebalance begins.
    """
    known = {tp: max(0, offset) for tp in tps if (offset := offsets[tp]) is not None}
    try:
        await consumer.seek_wait(known)
    except IllegalStateError as error:
        self.log.info("The %s changelogs are not sought, as partitions were revoked: %r", title, error)


def _is_reassigned(consumer: Any) -> bool:
    """Whether a rebalance has begun whose assignment is not known yet."""
    return bool(consumer._thread._ensure_consumer()._subscription.reassignment_in_progress)
