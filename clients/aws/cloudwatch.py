"""This module puts metrics to CloudWatch: what was counted, what is now, and latencies, in one request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clients.aws.answers import AWS_ERRORS, error_code, reason
from processors.metrics.counts import BUCKETS_MS, Sums

Json = dict[str, Any]

#: CloudWatch name -> our counter; sent at every report, zeros too.
METRICS = {
    "EventsIngested": "ingested",
    "EventsPublished": "published",
    "EventsFailed": "failed",
    "EventsExpired": "expired",
}

#: What is now, and its unit: `PartsInTrouble` of each worker, the others from the one that owns the tables.
GAUGES = {"PartsInTrouble": "Count", "StagesPaused": "Count", "LagEvents": "Count", "LagSeconds": "Seconds"}


async def put_metrics(client: Any, namespace: str, data: list[Json]) -> str | None:
    """One PutMetricData; gives the reason when CloudWatch did not take it."""
    try:
        await client.put_metric_data(Namespace=namespace, MetricData=data)
    except AWS_ERRORS as error:
        return reason(error)
    return None


#: What CloudWatch answers to a request without data, once the right to send it is seen.
_NO_DATA = ("MissingParameter", "MissingRequiredParameter", "InvalidParameter", "Validation")


async def try_put(client: Any, namespace: str) -> None:
    """Ask for the right to put metrics, by a request that holds none. Raises AWS_ERRORS but for the refusal of that."""
    try:
        await client.put_metric_data(Namespace=namespace, MetricData=[])
    except AWS_ERRORS as error:
        if not error_code(error).startswith(_NO_DATA):
            raise


def metric_data(sums: Sums, pipeline: str, gauges: Mapping[str, float] | None = None) -> list[Json]:
    """Data points of one worker's sums since the last time, zeros too: silence would look like a worker that is gone.

    `pipeline`: the dimension of all, so that several may share a namespace; `gauges`: what is now, by the names of
    GAUGES. Latencies go as the upper bounds of their buckets (ms) with their counts, so that percentiles work: at most
    20 values, of the 150 that CloudWatch takes (PutMetricData API reference).
    """
    data: list[Json] = [
        {"MetricName": name, "Unit": "Count", "Value": float(sums["counts"].get(counter, 0))}
        for name, counter in METRICS.items()
    ]
    data += [{"MetricName": name, "Unit": GAUGES[name], "Value": float(now)} for name, now in (gauges or {}).items()]
    bounds = (*BUCKETS_MS, 2 * BUCKETS_MS[-1])
    seen = [(bound, number) for bound, number in zip(bounds, sums["latency"]["buckets"], strict=True) if number]
    if seen:
        data.append(
            {
                "MetricName": "ProcessingLatency",
                "Unit": "Milliseconds",
                "Values": [float(bound) for bound, _ in seen],
                "Counts": [float(number) for _, number in seen],
            }
        )
    return [{**one, "Dimensions": [{"Name": "Pipeline", "Value": pipeline}]} for one in data]
