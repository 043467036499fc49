"""This module tells the world how it goes: CloudWatch and the log each minute, Prometheus when asked."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from clients.aws.answers import NoAnswerError
from clients.aws.client import AwsConfigurationError
from clients.aws.cloudwatch import put_metrics
from processors.metrics.counts import BUCKETS_MS, COUNTERS, Sums, add, empty
from processors.metrics.lag import PartitionLag
from processors.metrics.report import report, report_line
from settings import Settings
from streams.health import Health

log = structlog.get_logger(__name__)

#: Gauges of each partition: name, what of its row, words.
LAG = (
    ("lag_events", "lag", "Events that have no end yet"),
    ("lag_seconds", "lagSeconds", "Age of the oldest event that has no end yet"),
    ("commit_age_seconds", "secondsSinceCommit", "Since the group's committed offset moved"),
    ("expires_seconds", "expiresSeconds", "Until Kafka may delete the oldest event that has no end yet"),
)


class WorkerSums:
    """What this worker counted since it started, for Prometheus; and since the last time CloudWatch took it."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self.total = empty()
        self.unsent = empty()
        #: How far the group is behind; told where the tables are alone.
        self.lags: Callable[[], Sequence[PartitionLag]] = tuple

    def listen(self, delta: Sums) -> None:
        """Take in what the ledger has just written."""
        delta = add(empty(), delta)
        self.total = add(self.total, delta)
        self.unsent = add(self.unsent, delta)

    def collect(self) -> Iterator[Metric]:
        """The families for Prometheus; all counts are this worker's own, so that Prometheus can add them up."""
        events = CounterMetricFamily("genesys_eventbridge_events", "Events, by what became of them", labels=["outcome"])
        for name in COUNTERS:
            events.add_metric([name], self.total["counts"].get(name, 0))
        yield events
        failures = CounterMetricFamily("genesys_eventbridge_failures", "Failure records", labels=["stage", "error"])
        for name, number in self.total["failed"].items():
            failures.add_metric(name.split("/", 1), number)
        yield failures
        yield self._latency()
        trouble = GaugeMetricFamily(
            "genesys_eventbridge_trouble", "1 for each part that does not work now", labels=["part"]
        )
        for part in self._health.troubles():
            trouble.add_metric([part], 1)
        yield trouble
        yield from self._lag(int(time.time() * 1000))

    def _lag(self, now_ms: int) -> Iterator[Metric]:
        """Of the whole group, from the one worker that owns the tables; what is not known has no sample."""
        for name, key, words in LAG:
            family = GaugeMetricFamily(f"genesys_eventbridge_{name}", words, labels=["topic", "partition"])
            for row in (one.as_json(now_ms) for one in self.lags()):
                if row[key] is not None:
                    family.add_metric([row["topic"], str(row["partition"])], row[key])
            yield family

    def _latency(self) -> Metric:
        latency, seen, buckets = self.total["latency"], 0, []
        for bound, number in zip((*(str(ms / 1000) for ms in BUCKETS_MS), "+Inf"), latency["buckets"], strict=True):
            seen += number
            buckets.append((bound, seen))
        family = HistogramMetricFamily(
            "genesys_eventbridge_latency_seconds", "From received to accepted by EventBridge"
        )
        family.add_metric([], buckets, latency["sum"] / 1000)
        return family


def prometheus(sums: WorkerSums) -> CollectorRegistry:
    """What Prometheus is answered from."""
    registry = CollectorRegistry()
    registry.register(sums)
    return registry


class Telemetry:
    """Tells CloudWatch what this worker counted, and the log what the whole group did.

    `group_sums` gives the group's sums on the worker that owns the tables, None on the others.
    """

    def __init__(
        self,
        settings: Settings,
        sums: WorkerSums,
        group_sums: Callable[[], Sums | None],
        aws: Callable[[str], Awaitable[Any]],
        put: Callable[[Any, str, Sums], Awaitable[str | None]] = put_metrics,
    ) -> None:
        self._settings, self._sums, self._group_sums, self._aws, self._put = settings, sums, group_sums, aws, put

    async def report_to_log(self) -> None:
        """The owner of the tables logs the whole group's numbers, once for all workers."""
        sums = self._group_sums()
        if sums is not None:
            log.info(report_line(report(sums)))

    async def report_to_cloudwatch(self) -> None:
        """Send what was not sent yet; what CloudWatch does not take is sent the next time."""
        if not self._settings.cloudwatch_enabled or not self._sums.unsent["counts"]:
            return
        sending, self._sums.unsent = self._sums.unsent, empty()
        try:
            reason = await self._put(await self._aws("cloudwatch"), self._settings.metrics_namespace, sending)
        except AwsConfigurationError as error:
            reason = f"{error}, or set CLOUDWATCH_ENABLED=false"
        except NoAnswerError as error:
            reason = str(error)
        if reason is not None:
            self._sums.unsent = add(self._sums.unsent, sending)
            log.warning("CloudWatch took no metrics", reason=reason)
