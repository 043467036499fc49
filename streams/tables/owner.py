"""This module says which worker owns the tables, and whether they are recovered."""

from __future__ import annotations

from typing import Any, cast

from aiokafka.partitioner import DefaultPartitioner
from yarl import URL

from streams.app import app
from streams.tables.definitions import totals
from streams.topology import METRICS_KEY


def owner() -> URL | None:
    """Web address of the worker that owns the rows; None while Kafka has not assigned them.

    By what the group's leader told everybody: Faust's own `router.key_store` asks the producer, which knows only
    topics that it has written to.
    """
    topic = totals.changelog_topic.get_topic_name()
    held = {url: found.get(topic, []) for url, found in app.router.table_metadata("totals").items()}
    partitions = sorted({partition for found in held.values() for partition in found})
    if not partitions:
        return None
    ours = DefaultPartitioner()(METRICS_KEY, partitions, partitions)
    return next((URL(url) for url, found in held.items() if ours in found), None)


def are_recovered() -> bool:
    """Whether this worker has read its rows back from the changelogs."""
    recovery: Any = cast(Any, app.tables).recovery  # not in Faust's interface, but in its only implementation
    return bool(recovery.completed.is_set()) and not app.in_recovery


def is_owner() -> bool:
    """Whether the rows are this worker's."""
    found = owner()
    return found is not None and str(found).rstrip("/") == str(app.conf.canonical_url).rstrip("/")
