"""This module keeps REST calls below the rate limit, so that 429 stays the exception."""

from __future__ import annotations

import re
from collections import deque

import httpx

from clients.genesys.rest.backoff import RETRY_AFTER_CAP, Clock

#: `client.credentials.token.rate.per.minute` (Genesys limits page): requests a minute for one token.
REQUESTS_PER_MINUTE = 300
WINDOW_S = 60.0


class Pacer:
    """At most `requests` calls in any 60 s, and none once the server's own count is near what it allows.

    The server counts in `inin-ratelimit-count` of `-allowed`, beginning again in `-reset` seconds; other
    processes may use the same client, so its word comes before ours. Background calls (backfill, listings)
    have two thirds of the rate: a channel that must be replaced shall not queue behind them.
    """

    def __init__(self, clock: Clock, requests: int = REQUESTS_PER_MINUTE) -> None:
        self._clock = clock
        self._limit = requests
        self._sent: deque[float] = deque()
        self._hold_until = 0.0

    async def turn(self, *, background: bool = False) -> bool:
        """Wait until one call may go and book it; says whether it had to wait."""
        limit = max(1, self._limit * 2 // 3) if background else self._limit
        waited = False
        while (seconds := self._wait_s(limit)) > 0:
            waited = True
            await self._clock.sleep(seconds)
        self._sent.append(self._clock.now())
        return waited

    def learn(self, response: httpx.Response) -> None:
        """Read the rate-limit headers of an answer; others are ignored."""
        allowed = _number(response, "inin-ratelimit-allowed")
        count = _number(response, "inin-ratelimit-count")
        reset = _number(response, "inin-ratelimit-reset")
        if allowed is None or count is None or reset is None:
            return
        if count >= allowed - max(1, allowed // 20):
            self.hold(min(reset, RETRY_AFTER_CAP))

    def hold(self, seconds: float) -> None:
        """Let no call go for this long."""
        self._hold_until = max(self._hold_until, self._clock.now() + seconds)

    def _wait_s(self, limit: int) -> float:
        now = self._clock.now()
        while self._sent and self._sent[0] <= now - WINDOW_S:
            self._sent.popleft()
        over = len(self._sent) - limit  # the call whose leaving the window makes room
        full = self._sent[over] + WINDOW_S - now if over >= 0 else 0.0
        return max(full, self._hold_until - now)


def _number(response: httpx.Response, header: str) -> float | None:
    text = response.headers.get(header, "").strip()
    return float(text) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", text) else None
