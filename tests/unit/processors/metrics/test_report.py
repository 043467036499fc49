"""Tests of the report: the ledger's law over exclusive counters, and percentiles that say what they know."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.metrics.counts import BUCKETS_MS, COUNTERS, Counts, empty
from processors.metrics.report import BEYOND, KafkaWord, against, difference, law, percentile, report, report_line

ENDS = ("published", "filtered", "failed", "repeated", "expired")


@given(st.dictionaries(st.sampled_from(COUNTERS), st.integers(0, 99)))
def test_the_parts_always_add_up_and_hold_every_end_once(counts):
    parts = law(counts)
    assert parts["raw"] == sum(parts[name] for name in (*ENDS, "inFlight"))
    assert parts["published"] + parts["sentAgain"] == counts.get("published", 0)
    assert min(parts[name] for name in (*ENDS, "raw", "sentAgain")) >= 0


@pytest.mark.parametrize(
    ("counts", "parts"),
    [
        ({"raw": 9, "published": 4, "filtered": 2, "failed": 1, "repeated": 1}, {"inFlight": 1, "failed": 1}),
        ({"raw": 3, "failed": 3, "redriven": 2, "published": 2}, {"raw": 3, "failed": 1, "inFlight": 0}),
        ({"raw": 1, "failed": 2, "redriven": 1}, {"raw": 1, "failed": 1, "inFlight": 0}),
        ({"raw": 1, "failed": 1, "redriven": 1}, {"failed": 0, "inFlight": 1}),
        ({"raw": 1, "failed": 1, "redriven": 2, "published": 2}, {"raw": 2, "failed": 0, "inFlight": 0}),
        ({"raw": 5, "published": 7}, {"published": 5, "sentAgain": 2, "inFlight": 0}),
    ],
    ids=["under way", "redriven", "failed again", "on its second way", "redriven twice", "a crash repeated two"],
)
def test_what_becomes_of_events(counts, parts):
    assert law(counts).items() >= parts.items()


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        (None, {"raw": 9, "inFlight": 3, "missing": 0, "balanced": True}),
        (KafkaWord(9, 0, 3, True), {"raw": 9, "inFlight": 3, "missing": 0, "balanced": True}),
        (KafkaWord(9, 5, 3, True), {"raw": 14, "inFlight": 8, "waiting": 5, "balanced": True}),
        (KafkaWord(9, 0, 1, True), {"raw": 9, "inFlight": 3, "missing": 2, "balanced": False}),
        (KafkaWord(9, 0, 1, False), {"missing": 0, "balanced": True}),
        (KafkaWord(4, 6, 3, False), {"raw": 10, "inFlight": 4, "waiting": 1, "balanced": True}),
        (KafkaWord(2, 6, 3, False), {"raw": 9, "inFlight": 3, "waiting": 0, "balanced": True}),
    ],
    ids=[
        "not asked",
        "all stand on validated",
        "some wait on raw",
        "two are nowhere",
        "counts still move",
        "five that waited are counted by now",
        "more than waited is counted by now",
    ],
)
def test_what_is_in_flight_must_stand_in_kafka(word, parts):
    counts = {"raw": 9, "published": 6}
    assert against(report({**empty(), "counts": counts}), word).items() >= parts.items()


def test_more_ends_than_beginnings_do_not_balance():
    counts = {"raw": 1, "filtered": 2, "published": 1}
    assert against(report({**empty(), "counts": counts}), None)["balanced"] is False


@pytest.mark.parametrize(
    ("counts", "word", "off"),
    [
        ({"raw": 9, "published": 9}, KafkaWord(9, 0, 0, True), 0),
        ({"raw": 9, "published": 6}, KafkaWord(9, 0, 3, True), 0),
        ({"raw": 9, "published": 6}, KafkaWord(9, 5, 1, True), 2),
        ({"raw": 9, "published": 6}, KafkaWord(9, 5, 1, False), 0),
        ({"raw": 1, "filtered": 4}, KafkaWord(1, 5, 0, True), -3),
    ],
)
def test_by_how_much_a_ledger_is_off(counts, word, off):
    found = against(report({**empty(), "counts": counts}), word)
    assert difference(found) == off
    assert found["balanced"] is (off == 0)


@given(st.lists(st.integers(1, 60_000), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_within_the_bucket_of_the_quantile(latencies, share):
    counts = Counts()
    for latency in latencies:
        counts.add("published")
        counts.latency(latency)
    found = percentile(counts.drain()["latency"]["buckets"], share)
    true = sorted(latencies)[max(0, ceil(share * len(latencies) - 1e-9) - 1)]
    upper = min(bound for bound in BUCKETS_MS if bound >= true)
    lower = max((bound for bound in BUCKETS_MS if bound < true), default=0)
    assert lower - 0.05 <= found <= upper + 0.05


def test_a_percentile_is_interpolated_and_beyond_the_last_bucket_says_so():
    buckets = [0] * len(BUCKETS_MS) + [1]
    assert percentile(buckets, 0.5) == BEYOND == "> 60 s"
    buckets[BUCKETS_MS.index(200)] = 99
    assert percentile(buckets, 0.5) == 175.3
    assert percentile(buckets, 1.0) == BEYOND


def test_nothing_measured_has_no_percentile():
    assert percentile(empty()["latency"]["buckets"], 0.99) is None


def test_report_of_nothing_says_that_there_is_nothing():
    found = report(empty())
    assert {name: found[name] for name in COUNTERS} == dict.fromkeys(COUNTERS, 0)
    assert [found[name] for name in ("successRate", "avgLatencyMs", "p50LatencyMs", "failedBy")] == [
        None,
        None,
        None,
        {},
    ]
    assert "Success Rate: - | Avg Latency: -" in report_line(found)


def sums():
    counts = Counts()
    counts.add("ingested", 1_000)
    counts.add("raw", 1_000)
    counts.add("published", 970)
    for _ in range(30):
        counts.fail("validate", "SchemaViolation")
    for _ in range(970):
        counts.latency(48)
    return counts.drain()


def test_report_says_what_the_sums_mean():
    found = report(sums())
    assert (found["successRate"], found["avgLatencyMs"], found["p50LatencyMs"]) == (97.0, 48.0, 42.5)
    assert found["failedBy"] == {"validate/SchemaViolation": 30}


def test_the_report_line():
    assert report_line(report(sums())) == (
        "[Pipeline Report] Ingested: 1000 | Published: 970 | Failed: 30 | Success Rate: 97.0% | Avg Latency: 48ms"
    )
