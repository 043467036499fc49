"""This module says what sums mean: the ledger's law, rates and latencies.

The law counts ways: an event that two routes take has two, each with its own end; one that no route takes has one.

    raw = published + filtered + failed + repeated + expired + in flight

Its parts are exclusive. What fails and is redriven is open no more, and goes its way again: `failed` counts the open
ones, and a redrive of what was not open (redriven twice, or filtered before) is one more in `raw`. Counts are at least
once: ends that a crash repeats are counted twice, and are set apart as `sentAgain`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from processors.metrics.counts import BUCKETS_MS, COUNTERS, Sums

#: What is beyond the last bucket is told as this.
BEYOND = f"> {BUCKETS_MS[-1] // 1000} s"


def law(counts: Sums, *, whole: bool = True) -> dict[str, int]:
    """The parts of the law, of counts by name; in flight is what has begun and has no end yet.

    Unless the counts are the `whole` ones, what began before them ends in them too: in flight is then what has become
    more, or less.
    """
    number = {name: counts.get(name, 0) for name in COUNTERS}
    open_failures = max(0, number["failed"] - number["redriven"] - number["failures_expired"])
    raw = number["raw"] + max(0, number["redriven"] - number["failed"])
    begun = raw - number["filtered"] - open_failures - number["repeated"] - number["expired"]
    published = min(number["published"], max(begun, 0)) if whole else number["published"]
    return {
        "raw": raw,
        "published": published,
        "filtered": number["filtered"],
        "failed": open_failures,
        "repeated": number["repeated"],
        "expired": number["expired"],
        "inFlight": begun - published,
        "sentAgain": number["published"] - published,
    }


@dataclass(frozen=True, slots=True)
class KafkaWord:
    """What Kafka says of events that have no end yet, by what is committed: `waiting` on `raw`, `open` on `validated`.

    `rests`: the counts had not moved for a while when it was asked, so that both tell of the same moment. `counted`:
    how many of `raw` were counted by then; what is counted after that was waiting.
    """

    counted: int
    waiting: int
    open: int
    rests: bool


def against(found: dict[str, Any], word: KafkaWord | None) -> dict[str, Any]:
    """A report of all time with what waits on `raw` in it, and whether the law holds.

    What is in flight by the counts must stand on `validated` by Kafka's word; what does not is `missing`.
    """
    between = found["inFlight"]
    missing = max(0, between - word.open) if word is not None and word.rests else 0
    waiting = max(0, word.counted + word.waiting - found["raw"]) if word is not None else 0
    return {
        **found,
        "raw": found["raw"] + waiting,
        "inFlight": between + waiting,
        "waiting": waiting,
        "missing": missing,
        "balanced": between >= 0 and not missing,
    }


def difference(found: dict[str, Any]) -> int:
    """By how many events a ledger of `against` is off: so many are missing, or below zero ended and never began."""
    missing: int = found["missing"]
    return missing or min(0, found["inFlight"] - found["waiting"])


def report(sums: Sums, *, whole: bool = True) -> dict[str, Any]:
    """What an operator asks first. Rates in percent, latencies in ms; beyond the last bucket they say BEYOND.

    The success rate is published / (published + failed); None when there is neither.
    """
    counts, latency = sums["counts"], sums["latency"]
    parts = law(counts, whole=whole)
    ended = parts["published"] + parts["failed"]
    return {
        **{name: counts.get(name, 0) for name in COUNTERS},
        **parts,
        "failures": counts.get("failed", 0),
        "failedBy": dict(sorted(sums["failed"].items())),
        "successRate": round(100 * parts["published"] / ended, 2) if ended else None,
        "avgLatencyMs": round(latency["sum"] / latency["count"], 1) if latency["count"] else None,
        "p50LatencyMs": percentile(latency["buckets"], 0.50),
        "p99LatencyMs": percentile(latency["buckets"], 0.99),
    }


def percentile(buckets: Sequence[int], share: float) -> float | str | None:
    """The `share` quantile in ms, as if a bucket's latencies were spread evenly in it; None when there are none."""
    total, below, lower = sum(buckets), 0, 0
    if not total:
        return None
    for upper, number in zip(BUCKETS_MS, buckets, strict=False):
        if number and below + number >= share * total:
            return round(lower + (upper - lower) * (share * total - below) / number, 1)
        below, lower = below + number, upper
    return BEYOND


def report_line(numbers: dict[str, Any]) -> str:
    """The line that stands in the log each minute."""
    rate, average = numbers["successRate"], numbers["avgLatencyMs"]
    return (
        f"[Pipeline Report] Ingested: {numbers['ingested']} | Published: {numbers['published']} | "
        f"Failed: {numbers['failed']} | Success Rate: {'-' if rate is None else f'{rate:.1f}%'} | "
        f"Avg Latency: {'-' if average is None else f'{average:.0f}ms'}"
    )
