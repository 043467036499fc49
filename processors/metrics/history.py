"""This module is the strip of the last hours: a row for each minute, and marks of what happened to the pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from processors.event.formats import MAX_EPOCH_MS, iso
from processors.metrics.report import percentile

#: What a mark can be of.
KINDS = (
    "worker-started", "worker-ended", "rebalance", "routes", "gap", "pause", "resume", "redrive", "replay",
    "backfill", "acknowledge",
)  # fmt: skip

#: Most marks of one minute that are kept, and most characters of one: anybody may write to the topic.
MAX_MARKS, MAX_WORDS = 50, 300

MINUTE_MS = 60_000


def wrong_mark(mark: Any) -> str:
    """Why something is no mark; empty when it is one."""
    if not isinstance(mark, dict) or set(mark) != {"kind", "what"} or mark["kind"] not in KINDS:
        return "not a mark: its kind is none"
    return "" if isinstance(mark["what"], str) and len(mark["what"]) <= MAX_WORDS else "not a mark: it has no words"


def with_lag(row: Any, lag: int) -> dict[str, Any]:
    """A minute's row with the largest lag of that minute."""
    kept = read_row(row)
    return {**kept, "lag": max(lag, kept["lag"] or 0)}


def with_mark(row: Any, at_ms: int, mark: Mapping[str, str]) -> dict[str, Any]:
    """A minute's row with one more mark; the first ones stay."""
    kept = read_row(row)
    return {**kept, "marks": [*kept["marks"], [at_ms, mark["kind"], mark["what"]]][:MAX_MARKS]}


def read_row(row: Any) -> dict[str, Any]:
    """`{"lag": n | None, "marks": [[epoch ms, kind, words], …]}`; nothing in place of what somebody else wrote."""
    parts = row if isinstance(row, dict) else {}
    lag, marks = parts.get("lag"), parts.get("marks")
    found = [one for one in marks[:MAX_MARKS] if _is_mark(one)] if isinstance(marks, list) else []
    return {"lag": lag if type(lag) is int and 0 <= lag < 2**53 else None, "marks": found}


def _is_mark(one: Any) -> bool:
    if not isinstance(one, list) or len(one) != 3 or type(one[0]) is not int or abs(one[0]) >= MAX_EPOCH_MS:
        return False
    return not wrong_mark({"kind": one[1], "what": one[2]}) if isinstance(one[1], str) else False


def strip(
    since_ms: int,
    until_ms: int,
    counts: Mapping[int, Mapping[str, int]],
    latencies: Mapping[int, Sequence[int]],
    rows: Mapping[int, Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """The minutes of a time, oldest first; what is given is by when a minute begins (epoch s).

    A minute in which nobody counted anything is a hole: its numbers are null.
    """
    first, last = since_ms // MINUTE_MS, (until_ms - 1) // MINUTE_MS
    return [
        _minute(at * 60, counts.get(at * 60), latencies.get(at * 60, ()), rows.get(at * 60, {}))
        for at in range(first, last + 1)
    ]


def _minute(
    begin_s: int, counts: Mapping[str, int] | None, buckets: Sequence[int], row: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "from": short_iso(begin_s * 1000),
        "hole": not counts,
        **{name: counts.get(name, 0) if counts else None for name in ("published", "failed", "filtered")},
        "lag": row.get("lag"),
        "p50Ms": percentile(buckets, 0.50),
        "p99Ms": percentile(buckets, 0.99),
    }


def marks(rows: Mapping[int, Mapping[str, Any]], since_ms: int, until_ms: int) -> list[dict[str, Any]]:
    """All marks of a time, oldest first."""
    found = [one for row in rows.values() for one in row["marks"] if since_ms <= one[0] < until_ms]
    return [{"at": short_iso(at), "kind": kind, "what": what} for at, kind, what in sorted(found)]


def gap_marks(gaps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The marks of gaps in what the source gave, and of what Kafka deleted unread, as the table `gaps` shows them."""
    return [
        {"at": short_iso(gap["start_ms"]), "kind": "gap", "what": _gap_words(gap)[:MAX_WORDS]}
        for gap in gaps
        if abs(gap["start_ms"]) < MAX_EPOCH_MS
    ]


def _gap_words(gap: Mapping[str, Any]) -> str:
    if "topic" in gap:
        return f"{gap['topic']} {gap.get('part')}: {gap.get('events')} events {gap.get('state')}"
    return f"part {gap.get('part')}: {gap.get('state')}"


def short_iso(at_ms: int) -> str:
    """A moment as the pages read it."""
    return iso(at_ms).replace(".000Z", "Z")
