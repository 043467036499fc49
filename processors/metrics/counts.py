"""This module counts: deltas that a worker sends each half second, and their sums.

A delta and every sum of deltas have one shape:
`{"counts": {name: n}, "failed": {"stage/error": n}, "routes": {"route/end": n}, "latency": {"count": n, "sum": ms,
"buckets": [n, …]}}`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from typing import Any

Sums = dict[str, Any]

#: Names of the counters. First those of the ledger's law (processors/metrics/report.py): `raw`: taken from `raw`, once
#: for each route that takes the event, or refused by the source; `redriven`: the same, of failures that were put back;
#: then the five ends, `filtered`, `published`, `failed`, `repeated`: put out already within the window, and `expired`:
#: deleted by Kafka before it was processed; `failures_expired`: those of them that were failure records.
#: Beside it: `ingested`: taken in by a source; `validated`: on their way to the bus; `retries`: entries tried again;
#: `replayed` and `backfilled`: written by these commands, each of them in `raw` too; `source_repeats` and `unchanged`:
#: what the source dropped as it told nothing new, never in `raw`; `healed`: fetched for a gap;
#: `names_missing`: events that went on without their queue's name; `topics_rejected`: topics that Genesys does
#: not let us listen to; `topics_lost`: those that a channel did not hold any more; `topics_left_out`: those of
#: conversations for which there was no room; `gaps`: times when a notification socket was down or held no topics;
#: `gaps_partly_healed`: those of which some topics cannot be fetched afterwards; `gaps_lost`: those given up
#: before they were filled; `not_mirrored`: failure records that the SQS queue never takes; they stay in Kafka alone.
COUNTERS = (
    "raw", "redriven", "filtered", "published", "failed", "repeated", "expired", "failures_expired", "ingested",
    "validated", "retries", "replayed", "backfilled", "source_repeats", "unchanged", "healed", "names_missing",
    "topics_rejected", "topics_lost", "topics_left_out", "gaps", "gaps_partly_healed", "gaps_lost", "not_mirrored",
)  # fmt: skip

#: What is counted of events on each route. `mapped`: on their way to the bus, `failed`: by the route's own doing,
#: `repeated`: put out already within the window; then what became of the mapped ones: `published`, `refused`.
ROUTE_ENDS = ("mapped", "failed", "repeated", "published", "refused")

#: Upper bounds of the latency buckets in milliseconds; one more bucket takes the rest.
BUCKETS_MS = (5, 10, 20, 35, 50, 75, 100, 150, 200, 350, 500, 750, 1000, 2000, 3500, 5000, 10_000, 30_000, 60_000)


#: Most characters of a counted name; a service may answer with an error code of any length.
MAX_NAME = 200


class Counts:
    """Counts since the last drain, of one worker."""

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._counts: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._routes: Counter[tuple[str, str]] = Counter()
        self._buckets = [0] * (len(BUCKETS_MS) + 1)
        self._latency_sum = 0

    def add(self, name: str, number: int = 1) -> None:
        """Count `number` more of a counter named in COUNTERS."""
        if name not in COUNTERS:
            raise ValueError(f"no counter is called {name!r}")
        self._counts[name] += number

    def fail(self, stage: str, error: str) -> None:
        """Count one failure record."""
        self._counts["failed"] += 1
        self._failed[f"{stage}/{error}"[:MAX_NAME]] += 1

    def route(self, route: str | None, end: str) -> None:
        """Count one end of an event on a route, if one is to blame or to thank for it."""
        if route:
            self._routes[route, end] += 1

    def latency(self, milliseconds: int) -> None:
        """Count the way of one event from `received-at` to accepted by EventBridge."""
        self._buckets[bisect_left(BUCKETS_MS, milliseconds)] += 1
        self._latency_sum += milliseconds

    def take(self, other: Counts) -> None:
        """Add what another one counted: a batch counts for itself and is added when it has ended."""
        self._counts.update(other._counts)
        self._failed.update(other._failed)
        self._routes.update(other._routes)
        self._buckets = [mine + theirs for mine, theirs in zip(self._buckets, other._buckets, strict=True)]
        self._latency_sum += other._latency_sum

    def drain(self) -> Sums | None:
        """The delta since the last drain; None when nothing was counted."""
        if not self._counts:
            return None
        delta = {
            "counts": dict(self._counts),
            "failed": dict(self._failed),
            "routes": {f"{route[: MAX_NAME - 20]}/{end}": number for (route, end), number in self._routes.items()},
            "latency": {"count": sum(self._buckets), "sum": self._latency_sum, "buckets": self._buckets},
        }
        self._clear()
        return delta


def empty() -> Sums:
    """Sums of nothing."""
    return {
        "counts": {},
        "failed": {},
        "routes": {},
        "latency": {"count": 0, "sum": 0, "buckets": [0] * (len(BUCKETS_MS) + 1)},
    }


def add(sums: Sums, delta: Sums) -> Sums:
    """New sums with a delta added; neither argument changes."""
    return {
        "counts": plus(sums["counts"], delta["counts"]),
        "failed": plus(sums["failed"], delta["failed"]),
        "routes": plus(sums.get("routes", {}), delta.get("routes", {})),  # workers of before told none
        "latency": add_latency(sums["latency"], delta["latency"]),
    }


def add_latency(sums: Mapping[str, Any], delta: Mapping[str, Any]) -> Sums:
    """Sum of two latency histograms."""
    pairs = zip(sums["buckets"], delta["buckets"], strict=True)
    return {
        "count": sums["count"] + delta["count"],
        "sum": sums["sum"] + delta["sum"],
        "buckets": [left + right for left, right in pairs],
    }


def plus(left: Mapping[str, int], right: Mapping[str, int]) -> dict[str, int]:
    """Sums by name."""
    return {name: left.get(name, 0) + right.get(name, 0) for name in {**left, **right}}
