"""This module is what a worker says of itself to the group."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.metadata import version

from processors.event.strict_json import JsonObject
from settings import Settings
from streams.health import Health
from streams.routes.breaker import FailureBreaker
from streams.topology import TOPICS
from streams.worker.action_log import ActionLog
from streams.worker.assignment import Assignment

VERSION = version("genesys-eventbridge")


class Announcement:
    """Of one worker, since it was made. `name`: its web address, by which the others know it.

    The `breaker` says whether it waits as most events failed, `actions` which stages operators paused.
    """

    def __init__(
        self,
        settings: Settings,
        name: Callable[[], str],
        health: Health,
        assignment: Assignment,
        breaker: FailureBreaker,
        actions: ActionLog,
    ) -> None:
        self._settings, self._name, self._health, self._assignment = settings, name, health, assignment
        self._breaker, self._actions = breaker, actions
        self._since_ms = int(time.time() * 1000)

    def as_json(self) -> JsonObject:
        """As of now (processors/metrics/delta.py checks it)."""
        roles = self._settings.worker_roles
        return {
            "name": self._name(),
            "version": VERSION,
            "roles": sorted(roles),
            "partitions": self._assignment.partitions({self._settings.topic(name) for name in TOPICS}),
            "troubles": self._health.troubles(),
            "paused": self._breaker.paused,
            "pausedStages": sorted(set(self._actions.paused) & set(roles)),
            "sinceMs": self._since_ms,
        }
