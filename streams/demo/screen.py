"""This module draws the demo's live table."""

from __future__ import annotations

from collections import deque
from typing import Any

from rich.table import Table
from rich.text import Text


class Rate:
    """Events a second over the last few looks."""

    def __init__(self, looks: int = 5) -> None:
        self._seen: deque[tuple[float, int]] = deque(maxlen=looks)

    def look(self, at: float, events: int) -> float:
        """Note that `events` had ended at `at` (seconds); gives events a second."""
        self._seen.append((at, events))
        (first, before), (last, now) = self._seen[0], self._seen[-1]
        return (now - before) / (last - first) if last > first else 0.0


def draw(report: dict[str, Any] | None, rate: float, seconds: float, web: str, log: str) -> Table:
    """The table for one moment. `report` as of /api/report/, None while the worker starts."""
    table = Table(title="Genesys Cloud → Kafka → EventBridge", title_justify="left", caption_justify="left")
    for name in ("ingested", "filtered", "published", "failed", "events/s", "p50", "p99"):
        table.add_column(name, justify="right", min_width=9)
    if report is None:
        table.add_row(*["…"] * 7)
        table.caption = Text(f"the worker starts ({seconds:.0f} s); its log: {log}")
        return table
    table.add_row(
        str(report["ingested"]),
        str(report["filtered"]),
        f"[green]{report['published']}[/]",
        f"[red]{report['failed']}[/]" if report["failed"] else "0",
        f"{rate:.0f}",
        _ms(report["p50LatencyMs"]),
        _ms(report["p99LatencyMs"]),
    )
    table.caption = Text(f"{seconds:.0f} s · dashboard {web}/ · worker's log {log} · Ctrl-C ends")
    return table


def _ms(value: float | str | None) -> str:
    return "–" if value is None else value if isinstance(value, str) else f"{value:.0f} ms"
