"""This module counts requests in windows, as the rate limits of Genesys Cloud do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True)
class Usage:
    """Where one key stands in its window; `reset` is in seconds."""

    count: int
    allowed: int
    reset: int

    @property
    def refused(self) -> bool:
        return self.count > self.allowed

    def headers(self) -> dict[str, str]:
        """The header names that Genesys uses (there is no `X-Rate-Limit-*`)."""
        return {
            "inin-ratelimit-count": str(self.count),
            "inin-ratelimit-allowed": str(self.allowed),
            "inin-ratelimit-reset": str(self.reset),
        }


class RateWindow:
    """A fixed window per key (token or client id), opened by the first request in it."""

    def __init__(self, allowed: int, seconds: float, clock: Callable[[], float]) -> None:
        self.allowed = allowed
        self._seconds = seconds
        self._clock = clock
        self._windows: dict[str, tuple[float, int]] = {}

    def take(self, key: str) -> Usage:
        """Count one request of `key`; it is refused when the window is used up."""
        now = self._clock()
        ends, used = self._windows.get(key, (0.0, 0))
        if now >= ends:
            ends, used = now + self._seconds, 0
        self._windows[key] = (ends, used + 1)
        return Usage(count=used + 1, allowed=self.allowed, reset=max(1, ceil(ends - now)))
