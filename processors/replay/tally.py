"""This module adds failures up by cluster: how many, how many of them are open, since when, and how it goes on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from processors.event.formats import iso
from processors.event.strict_json import JsonObject
from processors.replay.clusters import FailureCluster
from processors.replay.selection import Span

#: Parts of a time that a trend shows.
TREND = 30

#: Clusters that are told apart; what comes after them is counted together. Messages are no part of a cluster's name,
#: but error codes and paths are as many as somebody writes.
MAX_CLUSTERS = 500
OTHERS = FailureCluster("", "others", "", "")


@dataclass(slots=True)
class Tally:
    """What was seen of one cluster; moments in epoch ms."""

    first_ms: int
    last_ms: int
    count: int = 0
    redriven: int = 0
    trend: list[int] = field(default_factory=lambda: [0] * TREND)

    def add(self, at_ms: int, *, is_redriven: bool, slot: int) -> None:
        """Count one record."""
        self.count += 1
        self.redriven += is_redriven
        self.first_ms, self.last_ms = min(self.first_ms, at_ms), max(self.last_ms, at_ms)
        self.trend[slot] += 1

    @property
    def open(self) -> int:
        """Records that no run has brought back."""
        return self.count - self.redriven


@dataclass(slots=True)
class Tallies:
    """All clusters of a time with a begin and an end."""

    since_ms: int
    until_ms: int
    by_cluster: dict[FailureCluster, Tally] = field(default_factory=dict)

    @classmethod
    def of(cls, span: Span, now_ms: int) -> Tallies:
        """Of a span; one without an end ends now, one without a begin has its trend over the last day."""
        until = now_ms if span.until is None else span.until
        return cls(until - 86_400_000 if span.since is None else span.since, until)

    def add(self, cluster: FailureCluster, at_ms: int, *, is_redriven: bool) -> None:
        """Count one record."""
        if cluster not in self.by_cluster and len(self.by_cluster) >= MAX_CLUSTERS:
            cluster = OTHERS
        tally = self.by_cluster.setdefault(cluster, Tally(at_ms, at_ms))
        slot = (at_ms - self.since_ms) * TREND // max(1, self.until_ms - self.since_ms)
        tally.add(at_ms, is_redriven=is_redriven, slot=min(max(slot, 0), TREND - 1))

    def rows(self, state: str = "") -> Iterable[JsonObject]:
        """The clusters, the one seen last first; those of a `state` alone that have any of it."""
        kept = [(one, tally) for one, tally in self.by_cluster.items() if not state or getattr(tally, state)]
        for cluster, tally in sorted(kept, key=lambda pair: -pair[1].last_ms):
            yield {
                **cluster.as_json(),
                "count": tally.count,
                "open": tally.open,
                "redriven": tally.redriven,
                "first": iso(tally.first_ms),
                "last": iso(tally.last_ms),
                "trend": tally.trend,
            }
