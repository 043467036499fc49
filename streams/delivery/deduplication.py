"""This module keeps events off the bus that come again: from Genesys, from a replay, or after a crash.

An output is noted when the broker has it, never before, so a crash in between repeats it and loses nothing. Notes
become rows of the table `recent` ten times a second, and before the events are acked, one row for each partition of
`raw`; the table has as many partitions, so that a partition's rows go to who has its events next.
"""

from __future__ import annotations

import itertools
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, cast

import faust
import structlog

from processors.delivery.marks import Recent, decode_row, encode_row, mark
from streams.tables.codecs import lenient
from streams.topology import RECENT

log = structlog.get_logger(__name__)

#: Seconds of outputs in one row, at most: what a crash makes the process stage put out again.
ROW_S = 0.1

#: Seconds between two looks for rows that are too old.
SWEEP_S = 10.0


class RowTable(faust.Table[str, Any]):
    """A table whose keys name their partition, `partition/…`, because it is written to outside of an agent."""

    def partition_for_key(self, key: str) -> int:
        """The partition in the key."""
        return _place(key)[0]


class Deduplication:
    """What was put out within the window. `table`: rows by `partition/epoch ms/number`.

    `fingerprint` tells of a route by name what it makes of events; `owned` which partitions are this worker's now.
    """

    def __init__(
        self,
        window_s: float,
        table: Any,
        fingerprint: Callable[[str], str],
        owned: Callable[[], set[int]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._window_s, self._table, self._clock = window_s, table, clock
        self._owned, self._fingerprint, self._fingerprints = owned, fingerprint, dict[str, str]()
        self._recent = Recent(window_s)
        self._unwritten: dict[int, list[bytes]] = defaultdict(list)
        self._numbers = itertools.count()
        self._written = self._swept = clock()

    def mark(self, event_id: str, route: str) -> bytes | None:
        """The mark of an output; None while de-duplication is off."""
        if not self._window_s:
            return None
        if route not in self._fingerprints:
            self._fingerprints[route] = self._fingerprint(route)
        return mark(event_id, route, self._fingerprints[route])

    def forget_fingerprints(self) -> None:
        """Routes have changed: ask for them anew."""
        self._fingerprints.clear()

    def knows(self, mark: bytes | None) -> bool:
        """Whether that output was made within the window."""
        return mark is not None and mark in self._recent

    def note(self, partitions: Mapping[bytes, int]) -> None:
        """Note outputs that the broker has: mark → partition of the event."""
        if not self._window_s:
            return
        now = self._clock()
        self._recent.add(partitions, now)
        for made, partition in partitions.items():
            self._unwritten[partition].append(made)
        if now - self._written >= ROW_S:
            self.write()

    def write(self) -> None:
        """Make rows of what was noted, and drop those that are too old."""
        now = self._written = self._clock()
        unwritten, self._unwritten = self._unwritten, defaultdict(list)
        for partition, marks in unwritten.items():
            self._table[f"{partition}/{int(now * 1000)}/{next(self._numbers)}"] = encode_row(marks, now)
        if self._window_s and now - self._swept >= SWEEP_S:
            self._swept = now
            self._recent.forget(now)
            self._drop_rows(now)

    async def restore(self) -> None:
        """Read the rows of the partitions that are this worker's now."""
        if not self._window_s:
            return
        ours = self._owned()
        self._drop_rows(self._clock())
        for key, row in list(self._table.data.items()):
            if _place(key)[0] in ours:
                self._restore(row)
        log.info("outputs remembered", number=len(self._recent), window_s=self._window_s)

    def _restore(self, row: Any) -> None:
        try:
            self._recent.add(*decode_row(row))
        except ValueError as error:
            log.warning("a row of the table is left out", table=RECENT, reason=str(error))

    def _drop_rows(self, now: float) -> None:
        """From memory alone, and standby rows too: the changelog drops its own by age (streams/topology.py)."""
        data = self._table.data
        for key in [key for key in data if _place(key)[1] < now - self._window_s]:
            data.pop(key, None)


def _place(key: Any) -> tuple[int, float]:
    """Partition and epoch seconds in a row's key; for what somebody else wrote, none and long ago."""
    try:
        partition, milliseconds, _ = str(key).split("/")
        return int(partition), int(milliseconds) / 1000
    except (ValueError, OverflowError):
        return -1, 0.0


def recent_table(app: faust.App) -> Any:
    """Declare the table on the app."""
    return app.tables.add(
        lenient(RowTable(app, name=RECENT, beacon=app.tables.beacon, help="Marks of what was put out lately"))
    )


def active_partitions(app: faust.App, table: Any) -> set[int]:
    """The partitions of a table that are this worker's now."""
    recovery = cast(Any, app.tables).recovery
    return {tp.partition for tp in recovery.actives_for_table[table]}
