"""This module is PutMetricData: the limits of a request, and the data points that it leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from emulators.aws.calls import Answer, Call
from emulators.aws.errors import invalid_value
from emulators.aws.metrics.values import (
    dimensions,
    exclusive,
    missing,
    number,
    numbers,
    text,
    timestamp,
)

METRICS = 1000
REQUEST_BYTES = 1_048_576
"""1000 metrics and 1 MB of HTTP body for a request (API reference of PutMetricData)."""

_BINARY = ("Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes")
_BITS = ("Bits", "Kilobits", "Megabits", "Gigabits", "Terabits")
_RATES = tuple(f"{unit}/Second" for unit in (*_BINARY, *_BITS, "Count"))
UNITS = frozenset(("Seconds", "Microseconds", "Milliseconds", *_BINARY, *_BITS, *_RATES, "Percent", "Count", "None"))


@dataclass(frozen=True, slots=True)
class DataPoint:
    """One datum: `values` with `counts` beside them; `timestamp` is epoch seconds."""

    namespace: str
    name: str
    dimensions: dict[str, str]
    timestamp: float
    values: tuple[float, ...]
    counts: tuple[float, ...]
    unit: str
    resolution: int


class MetricStore:
    """Every data point in order of arrival; a request leaves all of its data or none."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.points: list[DataPoint] = []

    async def put(self, call: Call) -> Answer:
        namespace = _namespace(call.parameters.get("Namespace"))
        now = self._clock()
        points = [_point(namespace, datum, now, place) for place, datum in _data(call.parameters)]
        self.points.extend(points)
        return {}


def _namespace(value: object) -> str:
    namespace = text(value, "Namespace")
    if namespace.startswith((":", "AWS/")):
        raise invalid_value(f"The value {namespace} for parameter Namespace is invalid.")
    return namespace


def _data(parameters: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Each datum and its place."""
    data = parameters.get("MetricData") or []
    if not data:
        raise missing("MetricData")
    if len(data) > METRICS:
        raise invalid_value(f"The collection MetricData must not have a size greater than {METRICS}.")
    return ((f"MetricData.member.{position}", datum) for position, datum in enumerate(data, start=1))


def _point(namespace: str, datum: Mapping[str, Any], now: float, place: str) -> DataPoint:
    if not isinstance(datum, Mapping):
        raise invalid_value(f"The value of parameter {place} is not a structure.")
    values, counts = _measured(datum, place)
    unit = datum.get("Unit") or "None"
    if unit not in UNITS:
        raise invalid_value(f"The parameter {place}.Unit must be one of the units of CloudWatch, not {unit}.")
    resolution = number(datum.get("StorageResolution") or 60, f"{place}.StorageResolution")
    if resolution not in (1, 60):
        raise invalid_value(f"The parameter {place}.StorageResolution must be 1 or 60.")
    return DataPoint(
        namespace=namespace,
        name=text(datum.get("MetricName"), f"{place}.MetricName"),
        dimensions=dimensions(datum.get("Dimensions") or [], f"{place}.Dimensions"),
        timestamp=timestamp(datum.get("Timestamp"), now, f"{place}.Timestamp"),
        values=values,
        counts=counts,
        unit=unit,
        resolution=int(resolution),
    )


def _measured(datum: Mapping[str, Any], place: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Values and how often each counts. Either Value or Values is given; Counts only beside Values, as many."""
    given = [name for name in ("Value", "Values") if datum.get(name) not in (None, [])]
    if not given:
        raise missing(f"{place}.Value")
    if len(given) > 1:
        raise exclusive(f"{place}.Value", f"{place}.Values")
    if given == ["Value"]:
        return (number(datum["Value"], f"{place}.Value"),), (1.0,)
    values = numbers(datum["Values"], f"{place}.Values")
    counts = numbers(datum.get("Counts") or [1.0] * len(values), f"{place}.Counts")
    if len(counts) != len(values):
        raise invalid_value(f"The parameters {place}.Values and {place}.Counts must have the same size.")
    if min(counts) < 0:
        raise invalid_value(f"The parameter {place}.Counts must not have negative numbers.")
    return values, counts
