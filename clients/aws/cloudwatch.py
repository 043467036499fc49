"""This module puts metrics to CloudWatch: four of them, a fifth when events expired, one request."""

from __future__ import annotations

from typing import Any

from clients.aws.answers import AWS_ERRORS, error_code, reason
from processors.metrics.counts import BUCKETS_MS, Sums

#: CloudWatch name -> our counter.
METRICS = {"EventsIngested": "ingested", "EventsPublished": "published", "EventsFailed": "failed"}

#: The same, sent only where there is something to say: an alarm on it takes missing data as none.
WHEN_ANY = {"EventsExpired": "expired"}


async def put_metrics(client: Any, namespace: str, sums: Sums) -> str | None:
    """One PutMetricData; gives the reason when CloudWatch did not take it.

    Latencies go as the upper bounds of their buckets (ms) with their counts, so that percentiles work: at
    most 20 values, of the 150 that CloudWatch takes (PutMetricData API reference).
    """
    try:
        await client.put_metric_data(Namespace=namespace, MetricData=metric_data(sums))
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


def metric_data(sums: Sums) -> list[dict[str, Any]]:
    """Data points of one worker's sums since the last time."""
    data: list[dict[str, Any]] = [
        {"MetricName": name, "Unit": "Count", "Value": float(sums["counts"].get(counter, 0))}
        for name, counter in (METRICS | WHEN_ANY).items()
        if name in METRICS or sums["counts"].get(counter)
    ]
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
    return data
