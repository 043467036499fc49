"""This module chooses what is read, by `GENESYS_SOURCE`."""

from __future__ import annotations

from clients.genesys.rest.observer import Observer
from processors.metrics.counts import Counts
from settings import Settings
from streams.delivery.ledger import Ledger
from streams.health import Health
from streams.sources.genesys import GenesysSource
from streams.sources.parts import Source, counting
from streams.sources.queue import QueueSource


def chosen_source(settings: Settings, checkpoints: str, health: Health, counts: Counts, ledger: Ledger) -> Source:
    """The source that the settings name; `checkpoints`: the topic that says where its parts were read to."""
    if settings.source_queue_url is not None:
        return QueueSource(settings, settings.source_queue_url, health.observer("source queue"))
    count = counting(counts, ledger)
    return GenesysSource(settings, checkpoints, lambda: Observer(health.observer("genesys"), count))
