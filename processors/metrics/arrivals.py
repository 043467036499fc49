"""This module says how an event's coming is counted, so that the ledger's law holds whatever brings it.

What a command brings is an event of `raw` like any other, but for a redrive: what failed is in `raw` already, and its
failure is open no more.
"""

from __future__ import annotations

from processors.metrics.counts import Counts

#: The command that brought an event → its counter.
BROUGHT = {"replay": "replayed", "backfill": "backfilled"}


def count_arrival(counts: Counts, command: str | None, *, was_open: int, others: int = 0) -> None:
    """Count that an event came, by its ways; `command` brought it, if one did.

    `was_open`: ways that have not ended well before, as far as is known; `others`: ways that have.
    """
    if command == "redrive":
        _add(counts, "redriven", was_open)
        _add(counts, "raw", others)
        return
    _add(counts, "raw", was_open + others)
    if command in BROUGHT:
        counts.add(BROUGHT[command])


def _add(counts: Counts, name: str, number: int) -> None:
    if number:
        counts.add(name, number)
