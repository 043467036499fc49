"""This module reads which time is asked for: `range=5m`, `from=2h`, `to=2026-11-25T10:00:00Z`."""

from __future__ import annotations

from dataclasses import dataclass

from processors.replay.moments import moment


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time in epoch ms, from `since` on, up to but not including `until`."""

    since: int
    until: int

    def holds_part_of(self, begin_s: float, end_s: float) -> bool:
        """Whether the window from `begin_s` to `end_s` (epoch s) and it have a moment in common."""
        return begin_s * 1000 < self.until and end_s * 1000 > self.since


def period(range_: str | None, since: str | None, until: str | None, now_ms: int) -> Period | None:
    """What is asked for; None when nothing is.

    A range is an age (`5m`, `24h`: from then to now), a moment, or two of them with `/` between. Raises ValueError with
    a sentence that says what can be written.
    """
    if range_ is not None:
        if since is not None or until is not None:
            raise ValueError("give either range, or from and to")
        since, _, until = range_.partition("/")
        until = until or None
    if since is None and until is None:
        return None
    asked = Period(
        moment(since, now_ms) if since is not None else 0,
        moment(until, now_ms) if until is not None else now_ms + 1,
    )
    if asked.until <= asked.since:
        raise ValueError("the range ends before it begins")
    return asked
