"""This module says which worker owns the tables, whether they are recovered, and what is in them where they are."""

from __future__ import annotations

from typing import Any, cast

import faust
from aiokafka.partitioner import DefaultPartitioner
from yarl import URL

from processors.event.strict_json import JsonObject
from processors.metrics.counts import Sums
from processors.metrics.report import KafkaWord, against, difference, law, report
from streams.tables.definitions import SumTables
from streams.tables.rows import rows, sums
from streams.topology import METRICS_KEY


class TableOwner:
    """Who owns the rows of an app's tables, as `totals` shows."""

    def __init__(self, app: faust.App, tables: SumTables) -> None:
        self._app, self._tables = app, tables

    def address(self) -> URL | None:
        """Web address of the worker that owns the rows; None while Kafka has not assigned them.

        By the assignment that the group's leader gave everybody: Faust's own `router.key_store` asks the producer,
        which knows only topics that it has written to.
        """
        topic = self._tables.totals.changelog_topic.get_topic_name()
        held = {url: found.get(topic, []) for url, found in self._app.router.table_metadata("totals").items()}
        partitions = sorted({partition for found in held.values() for partition in found})
        if not partitions:
            return None
        ours = DefaultPartitioner()(METRICS_KEY, partitions, partitions)
        return next((URL(url) for url, found in held.items() if ours in found), None)

    def are_recovered(self) -> bool:
        """Whether this worker has read its rows back from the changelogs."""
        recovery: Any = cast(Any, self._app.tables).recovery  # not in Faust's interface, but its only implementation
        return bool(recovery.completed.is_set()) and not self._app.in_recovery

    def is_here(self) -> bool:
        """Whether the rows are this worker's."""
        found = self.address()
        return found is not None and str(found).rstrip("/") == str(self._app.conf.canonical_url).rstrip("/")

    def sums(self) -> Sums | None:
        """The group's sums since the tables began; None where the rows are not."""
        return sums(self._tables) if self.is_here() else None

    def difference(self, word: KafkaWord | None) -> int | None:
        """By how many events the ledger is off, by Kafka's word; None where the rows are not."""
        found = self.sums() if self.are_recovered() else None
        return None if found is None else difference(against(report(found), word))

    def raw_counted(self) -> int:
        """Events of `raw` that the tables have counted."""
        return law(sums(self._tables)["counts"])["raw"]

    def gaps(self) -> list[JsonObject]:
        """The gaps in what was read; none where the rows are not."""
        return rows(self._tables, "gaps") if self.is_here() else []
