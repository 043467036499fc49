"""This module tells the world how it goes: CloudWatch and the log each minute, Prometheus when asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog

from clients.aws.answers import AwsConfigurationError, NoAnswerError
from clients.aws.cloudwatch import Json, metric_data, put_metrics
from processors.metrics.counts import Sums, add, empty
from processors.metrics.report import report, report_line
from settings import Settings

log = structlog.get_logger(__name__)


class WorkerSums:
    """What this worker counted since it started, and since the last time CloudWatch took it."""

    def __init__(self) -> None:
        self.total = empty()
        self.unsent = empty()

    def listen(self, delta: Sums) -> None:
        """Take in what the ledger has just written."""
        delta = add(empty(), delta)
        self.total = add(self.total, delta)
        self.unsent = add(self.unsent, delta)


class Telemetry:
    """Tells CloudWatch what this worker counted, and the log what the whole group did.

    `group_sums` gives the group's sums on the worker that owns the tables, None on the others; `gauges` what is now.
    """

    def __init__(
        self,
        settings: Settings,
        sums: WorkerSums,
        group_sums: Callable[[], Sums | None],
        aws: Callable[[str], Awaitable[Any]],
        gauges: Callable[[], Mapping[str, float]] = dict,
        put: Callable[[Any, str, list[Json]], Awaitable[str | None]] = put_metrics,
    ) -> None:
        self._settings, self._sums, self._group_sums, self._aws = settings, sums, group_sums, aws
        self._gauges, self._put = gauges, put

    async def report_to_log(self) -> None:
        """The owner of the tables logs the whole group's numbers, once for all workers."""
        sums = self._group_sums()
        if sums is not None:
            log.info(report_line(report(sums)))

    async def report_to_cloudwatch(self) -> None:
        """Send what was not sent yet, and what is now; counts that CloudWatch does not take go the next time."""
        settings = self._settings
        if not settings.cloudwatch_enabled:
            return
        sending, self._sums.unsent = self._sums.unsent, empty()
        try:
            data = metric_data(sending, settings.group, self._gauges())
            reason = await self._put(await self._aws("cloudwatch"), settings.metrics_namespace, data)
        except AwsConfigurationError as error:
            reason = f"{error}, or set CLOUDWATCH_ENABLED=false"
        except NoAnswerError as error:
            reason = str(error)
        if reason is not None:
            self._sums.unsent = add(self._sums.unsent, sending)
            log.warning("CloudWatch took no metrics", reason=reason)
