"""This module knows what the group has assigned to this worker, and tells health what of it is missing."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

import faust

from streams.health import Health
from streams.tables.owner import TableOwner

#: Seconds that the assignment of partitions may take before health speaks of it.
LONG_REBALANCE_S = 10.0


class Assignment:
    """The partitions of one worker; `owner` tells whose the tables are."""

    def __init__(
        self, app: faust.App, owner: TableOwner, health: Health, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._app, self._owner, self._clock = app, owner, clock
        self._rebalance, self._since = -1, 0.0
        health.check("start", self._not_started)
        health.check("assignment", self._incomplete)

    @property
    def is_known(self) -> bool:
        """Whether there was one: before it nobody has heard of this worker."""
        return self._app._assignment is not None

    def partitions(self, topics: Collection[str]) -> dict[str, list[int]]:
        """Topic → partitions, of these topics."""
        found: dict[str, list[int]] = {}
        for topic, partition in sorted(self._app._assignment or ()):
            if topic in topics:
                found.setdefault(topic, []).append(partition)
        return found

    def rebalancing_s(self) -> float:
        """For how long an assignment, with the recovery of the tables, has been under way, since it was first seen.

        0 when none is; a new one begins anew.
        """
        if not self._app.rebalancing:
            self._rebalance = -1
            return 0.0
        if self._app.rebalancing_count != self._rebalance:
            self._rebalance, self._since = self._app.rebalancing_count, self._clock()
        return self._clock() - self._since

    def _not_started(self) -> str | None:
        if not self.is_known:
            return "Kafka has not assigned partitions yet"
        return None if self._owner.are_recovered() else "the tables are being recovered"

    def _incomplete(self) -> str | None:
        """What is missing of an assignment, once there was one."""
        if not self.is_known:
            return None
        if (seconds := self.rebalancing_s()) > LONG_REBALANCE_S:
            return f"the group's partitions have been under assignment for {seconds:.0f} s"
        if self._owner.address() is None:
            return "no worker has been assigned the tables: report, lag and status of the group are not to be had"
        return None
