"""This module tells the world how it goes: CloudWatch and the log each minute, Prometheus when asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from clients.aws.client import AwsConfigurationError, open_client
from clients.aws.cloudwatch import put_metrics
from processors.metrics.counts import BUCKETS_MS, COUNTERS, Sums, add, empty, report, report_line
from streams.app import app, settings
from streams.delivery.ledger import ledger
from streams.health import health
from streams.tables import owner, rows

log = structlog.get_logger(__name__)

registry = CollectorRegistry()


class WorkerSums:
    """What this worker counted since it started, for Prometheus; and since the last time CloudWatch took it."""

    def __init__(self) -> None:
        self.total = empty()
        self.unsent = empty()

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
        for part in health.troubles():
            trouble.add_metric([part], 1)
        yield trouble

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


worker_sums = WorkerSums()
ledger.listeners.append(worker_sums.listen)
registry.register(worker_sums)


@app.timer(settings.report_interval)  # type: ignore[untyped-decorator]  # as Faust declares it
async def report_to_log() -> None:
    """The owner of the tables logs the whole group's numbers, once for all workers."""
    if owner.is_owner():
        log.info(report_line(report(rows.sums())))


@app.timer(settings.report_interval)  # type: ignore[untyped-decorator]  # as Faust declares it
async def report_to_cloudwatch() -> None:
    """Send what this worker counted."""
    await send_metrics()


async def send_metrics() -> None:
    """Send what was not sent yet; what CloudWatch does not take is sent the next time."""
    if not settings.cloudwatch_enabled or not worker_sums.unsent["counts"]:
        return
    sending, worker_sums.unsent = worker_sums.unsent, empty()
    try:
        reason = await put_metrics(await _client(), settings.metrics_namespace, sending)
    except AwsConfigurationError as error:
        reason = f"{error}, or set CLOUDWATCH_ENABLED=false"
    if reason is not None:
        worker_sums.unsent = add(worker_sums.unsent, sending)
        log.warning("CloudWatch took no metrics", reason=reason)


_cloudwatch: Any = None


async def _client() -> Any:
    global _cloudwatch  # the client belongs to the app's event loop, which is not there at import
    if _cloudwatch is None:
        _cloudwatch = await app.add_async_context(open_client(settings, "cloudwatch"))
    return _cloudwatch
