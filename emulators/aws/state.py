"""This module is everything that the emulator holds: buses, queues, schemas, and what has happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from emulators.aws.active_faults import ActiveFaults
from emulators.aws.events.buses import Buses
from emulators.aws.events.custom_bus import CustomBuses
from emulators.aws.faults import Faults
from emulators.aws.ledger import CallLedger
from emulators.aws.metrics.put_metric_data import MetricStore
from emulators.aws.schemas import Schemas
from emulators.aws.sqs.queues import Queues


class AccountState:
    """`calls` counts by service, operation and outcome (an error code, `ok`, or what a fault did)."""

    def __init__(
        self, account: str, region: str, buses: Iterable[str], faults: Faults, clock: Callable[[], float]
    ) -> None:
        self.account, self.region, self.clock = account, region, clock
        self.ledger = CallLedger()
        self.calls: Counter[str] = Counter()
        self.buses = Buses(buses, account, region, clock)
        self.custom_buses = CustomBuses(account, region)
        self.queues = Queues(account, region, clock)
        self.schemas = Schemas(account, region, clock)
        self.metrics = MetricStore(clock)
        self.active = ActiveFaults(faults, clock)

    def reset(self) -> None:
        """Forget events, requests, metrics, messages and counts; buses, queues, schemas and faults stay."""
        self.ledger.clear()
        self.metrics.points.clear()
        self.calls.clear()
        self.active.struck.clear()
        for queue in self.queues:
            queue.reset()

    def summary(self) -> dict[str, Any]:
        return {
            "events": self.ledger.summary(),
            "queues": {queue.name: {"sent": queue.sent, "held": len(queue.messages)} for queue in self.queues},
            "metrics": len(self.metrics.points),
            "buses": self.buses.names,
            "schemas": self.schemas.names,
            "calls": dict(self.calls),
            "faults": dict(self.active.struck),
        }
