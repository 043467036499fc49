"""This module knows what is wrong with this worker just now: one line for each part in trouble."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection
from typing import Any

import structlog

log = structlog.get_logger(__name__)


class Health:
    """Troubles by part (`kafka`, `eventbridge`, `genesys`, …). A part not named here is healthy."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._troubles: dict[str, tuple[str, float]] = {}
        self._ended: dict[str, float] = {}
        self._checks: dict[str, Callable[[], str | None]] = {}

    def trouble(self, part: str, reason: str) -> None:
        """Note that a part is in trouble; logged when it begins or its reason changes."""
        reason = reason[:300]
        known = self._troubles.get(part)
        if known is None or known[0] != reason:
            log.warning("trouble", part=part, reason=reason)
        self._troubles[part] = (reason, known[1] if known else self._clock())

    def healthy(self, part: str) -> None:
        """Note that a part works, again or for the first time."""
        known = self._troubles.pop(part, None)
        if known is not None:
            self._ended[part] = self._clock()
            log.info("healthy again", part=part, after_s=round(self._clock() - known[1], 1))

    def observer(self, part: str) -> Callable[[str | None], None]:
        """A callback for a client: a reason means trouble, None means healthy."""
        return lambda reason: self.healthy(part) if reason is None else self.trouble(part, reason)

    def check(self, part: str, is_wrong: Callable[[], str | None]) -> None:
        """Ask `is_wrong` at every look: it answers the reason, or None when all is healthy."""
        self._checks[part] = is_wrong

    def seconds_healthy(self, parts: Collection[str]) -> float:
        """For how long none of these parts has been in trouble; infinite when none ever was."""
        if any(part in self._troubles for part in parts):
            return 0.0
        return self._clock() - max((self._ended.get(part, -math.inf) for part in parts), default=-math.inf)

    def troubles(self) -> dict[str, dict[str, Any]]:
        """All troubles now: `{part: {"reason": …, "seconds": …}}`."""
        now = self._clock()
        found = {
            part: {"reason": reason, "seconds": round(now - since, 1)}
            for part, (reason, since) in self._troubles.items()
        }
        for part, is_wrong in self._checks.items():
            reason = is_wrong()
            if reason is not None:
                found[part] = {"reason": reason}
        return found
