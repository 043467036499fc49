"""This module answers Prometheus. All counts are this worker's own, so that Prometheus can add them up; what is of the
whole group (lag, gaps) comes from the one worker that owns the tables.

docs/operations.md has every name, deploy/alerts.yaml and deploy/grafana.json ask by them: a test holds all together.
"""

from __future__ import annotations

import platform
import time
from collections import Counter as Tally
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from processors.metrics.counts import BUCKETS_MS, COUNTERS, Sums
from processors.metrics.lag import PartitionLag
from processors.replay.actions import PAUSABLE
from streams.worker.announcement import VERSION

PREFIX = "genesys_eventbridge"

#: Gauges of each partition: name, what of its row, words.
LAG = (
    ("lag_events", "lag", "Events that have no end yet"),
    ("lag_seconds", "lagSeconds", "Age of the oldest event that has no end yet"),
    ("commit_age_seconds", "secondsSinceCommit", "Since the group's committed offset moved"),
    ("expires_seconds", "expiresSeconds", "Until Kafka may delete the oldest event that has no end yet"),
)

#: What a family shows: by the values of its labels.
Samples = Iterable[tuple[Sequence[str], float]]

#: The ends of an event; each is in one of them, once for each route that takes it.
ENDS = ("filtered", "published", "failed", "repeated", "expired")

#: Buckets of PutEvents: seconds, and entries of a request.
SECONDS = (0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.2, 0.35, 0.5, 1.0, 2.0, 5.0, 10.0)
ENTRIES = (1, 2, 3, 5, 7, 9, 10, 20, 50, 100)


class PutEventsMetrics:
    """What is measured of each PutEvents request, and of each entry that goes again."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        name = f"{PREFIX}_put_events"
        self._seconds = Histogram(
            f"{name}_seconds", "Time of a PutEvents request", ["bus"], buckets=SECONDS, registry=self.registry
        )
        self._entries = Histogram(
            f"{name}_entries", "Entries of a PutEvents request", ["bus"], buckets=ENTRIES, registry=self.registry
        )
        self._retries = Counter(f"{PREFIX}_retries", "Entries that go again, by why", ["code"], registry=self.registry)

    def ended(self, bus: str, entries: int, seconds: float) -> None:
        """A request was answered, or got no answer."""
        self._seconds.labels(bus).observe(seconds)
        self._entries.labels(bus).observe(entries)

    def retried(self, code: str) -> None:
        """An entry that EventBridge refused goes again."""
        self._retries.labels(code).inc()

    def collect(self) -> Iterable[Metric]:
        return self.registry.collect()


@dataclass(frozen=True, slots=True)
class Gauges:
    """What Prometheus and CloudWatch are told of now, beside what was counted: asked of its parts each time."""

    #: How far the group is behind, and its gaps; known where the tables are alone.
    lags: Callable[[], Sequence[PartitionLag]] = tuple
    gaps: Callable[[], Iterable[Mapping[str, Any]]] = tuple
    #: By how many events the ledger is off; None where the tables are not.
    difference: Callable[[], int | None] = lambda: None
    #: Stages that operators have paused, and parts that are in trouble.
    paused: Callable[[], Collection[str]] = tuple
    troubles: Callable[[], Collection[str]] = tuple
    #: Events that were fetched and have no end yet, and PutEvents requests under way.
    in_flight: Callable[[], int] = int
    requests: Callable[[], int] = int
    rebalances: Callable[[], int] = int
    #: The bus of a route; and the topic whose lag is that of the dead-letter queue, if there is one.
    bus_of: Callable[[str], str] = str
    mirrored: str | None = None

    def in_short(self) -> dict[str, float]:
        """For CloudWatch: of this worker, and in sum of the group where that is known."""
        gauges: dict[str, float] = {"PartsInTrouble": len(self.troubles())}
        rows = [one.as_json(int(time.time() * 1000)) for one in self.lags()]
        if rows:
            gauges["StagesPaused"] = len(self.paused())
            gauges["LagEvents"] = sum(row["lag"] for row in rows)
            if seconds := [row["lagSeconds"] for row in rows if row["lagSeconds"] is not None]:
                gauges["LagSeconds"] = max(seconds)
        return gauges


class Exporter:
    """A collector for prometheus_client. `total` gives what this worker has counted since it started."""

    def __init__(self, total: Callable[[], Sums], gauges: Gauges, requests: PutEventsMetrics) -> None:
        self._total, self._gauges, self._requests = total, gauges, requests

    def collect(self) -> Iterator[Metric]:
        """Every family."""
        total = self._total()
        counted = (([name], total["counts"].get(name, 0)) for name in COUNTERS)
        yield _counter("events", "Events, by what became of them", counted, "outcome")
        yield self._outcomes(total)
        failed = ((name.split("/", 1), number) for name, number in total["failed"].items())
        yield _counter("failures", "Failure records", failed, "stage", "error")
        yield _latency(total["latency"])
        yield from self._requests.collect()
        yield from self._state()
        yield from self._lag(int(time.time() * 1000))
        yield self._gap_seconds()
        if (off := self._gauges.difference()) is not None:
            words = "Events by which the ledger is off, 0 while it balances"
            yield _gauge("ledger_difference_events", words, [((), off)])

    def _outcomes(self, total: Sums) -> Metric:
        """The ends by route and bus; those of no route are what is left of the sum."""
        family = CounterMetricFamily(
            f"{PREFIX}_outcomes", "Ends of events, each in one, by route and bus", labels=["outcome", "route", "bus"]
        )
        left = Tally({end: total["counts"].get(end, 0) for end in ENDS})
        found = Tally[tuple[str, str]]()
        for name, number in total.get("routes", {}).items():
            route, _, way = name.rpartition("/")
            end = "failed" if way == "refused" else way  # by EventBridge: the route's event has failed all the same
            if end in left:
                left[end] -= number
                found[end, route] += number
        for (end, route), number in found.items():
            family.add_metric([end, route, self._gauges.bus_of(route)], number)
        for end, number in left.items():
            family.add_metric([end, "", ""], max(0, number))
        return family

    def _state(self) -> Iterator[Metric]:
        gauges = self._gauges
        in_trouble = (([part], 1) for part in gauges.troubles())
        yield _gauge("trouble", "1 for each part that does not work now", in_trouble, "part")
        paused = (([stage], int(stage in gauges.paused())) for stage in PAUSABLE)
        yield _gauge("paused", "1 for a stage that an operator has paused", paused, "stage")
        version = [([VERSION, platform.python_version()], 1)]
        yield _gauge("build_info", "1, for the version that runs", version, "version", "python")
        yield _gauge("in_flight_events", "Events that were fetched and have no end yet", [((), gauges.in_flight())])
        yield _gauge("put_events_in_flight", "PutEvents requests under way", [((), gauges.requests())])
        seen = [((), gauges.rebalances())]
        yield _counter("rebalances", "Assignments of partitions that this worker has seen", seen)

    def _lag(self, now_ms: int) -> Iterator[Metric]:
        """What is not known has no sample."""
        rows = [one.as_json(now_ms) for one in self._gauges.lags()]
        for name, key, words in LAG:
            known = (([row["topic"], str(row["partition"])], row[key]) for row in rows if row[key] is not None)
            yield _gauge(name, words, known, "topic", "partition")
        ours = [row for row in rows if row["topic"] == self._gauges.mirrored]
        for name, key, of_all in (("mirror_lag_events", "lag", sum), ("mirror_lag_seconds", "lagSeconds", max)):
            told = [row[key] for row in ours if row[key] is not None]
            words = "Failure records that the dead-letter queue does not have yet"
            yield _gauge(name, words, [((), of_all(told))] if told else [])

    def _gap_seconds(self) -> Metric:
        seconds: dict[str, float] = {}
        for gap in self._gauges.gaps():
            begin, end = gap.get("start_ms"), gap.get("end_ms")
            if isinstance(begin, int) and isinstance(end, int):
                state = str(gap.get("state"))[:50]
                seconds[state] = seconds.get(state, 0.0) + max(0, end - begin) / 1000
        lengths = (([state], length) for state, length in seconds.items())
        return _gauge("gap_seconds", "Length of the gaps that are known, by state", lengths, "state")


def _gauge(name: str, words: str, samples: Samples, *labels: str) -> Metric:
    return _filled(GaugeMetricFamily(f"{PREFIX}_{name}", words, labels=labels), samples)


def _counter(name: str, words: str, samples: Samples, *labels: str) -> Metric:
    return _filled(CounterMetricFamily(f"{PREFIX}_{name}", words, labels=labels), samples)


def _filled(family: Any, samples: Samples) -> Metric:
    for values, value in samples:
        family.add_metric(values, value)
    return cast(Metric, family)


def _latency(latency: Mapping[str, Any]) -> Metric:
    seen, buckets = 0, []
    for bound, number in zip((*(str(ms / 1000) for ms in BUCKETS_MS), "+Inf"), latency["buckets"], strict=True):
        seen += number
        buckets.append((bound, seen))
    family = HistogramMetricFamily(f"{PREFIX}_latency_seconds", "From received to accepted by EventBridge")
    family.add_metric([], buckets, latency["sum"] / 1000)
    return family


def prometheus(exporter: Exporter) -> CollectorRegistry:
    """What Prometheus is answered from: this worker, and its process."""
    registry = CollectorRegistry()
    registry.register(exporter)
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    return registry
