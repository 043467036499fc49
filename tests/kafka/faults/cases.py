"""This module names every fault that the pipeline is put to, and says what each needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from tests.kafka.faults import aws, brokers, genesys, workers
from tests.kafka.faults.scene import Scene


@dataclass(frozen=True, slots=True)
class Case:
    """One fault. `strike` makes it, ends it and says so; `seconds`: how long events should flow, at least.

    `alone`: it harms the brokers, so that no other case may run beside it. `module`: what its workers run.
    `blameless`: no event may end as a failure of publishing.
    `custom_bus`: events go to a bus that keeps order and drops repetitions, so that none may be on it.
    """

    name: str
    strike: Callable[[Scene], None]
    seconds: float
    source: Literal["raw", "genesys"] = "raw"
    settings: dict[str, str] = field(default_factory=dict)
    renewable_credentials: bool = False
    alone: bool = False
    module: str = "streams"
    custom_bus: bool = False
    blameless: bool = False

    @property
    def words(self) -> str:
        """What happens, in one sentence."""
        return (self.strike.__doc__ or "").strip()


#: With the default of 5 some entries are throttled to the end; one that a crash repeats may then end in both places.
PATIENT = {"MAX_RETRIES": "12"}

QUICK_TIMEOUT = {"EVENTBRIDGE_TIMEOUT": "5"}

CASES: dict[str, Case] = {
    case.name: case
    for case in (
        Case("killed-accepted-uncommitted", workers.killed_between_accepted_and_commit, 15),
        Case("killed-sent-unacked", workers.killed_between_sent_and_acked, 15, module="tests.kafka.faults.uncommitted"),
        Case("killed-while-slow", workers.killed_while_slow, 45),
        Case("killed-while-throttled", workers.killed_while_throttled, 45, settings=PATIENT),
        Case("custom-bus-killed", workers.killed_between_accepted_and_commit, 15, custom_bus=True),
        Case("custom-bus-throttled-dropped", aws.throttled_and_dropped, 20, custom_bus=True),
        Case("stopped-full-buffers", workers.stopped_with_full_buffers, 15),
        Case("frozen-past-session", workers.frozen_past_the_session, 25),
        Case("coming-and-going", workers.coming_and_going, 65),
        Case("cut-off-from-kafka", workers.cut_off_from_kafka, 35),
        Case("leader-killed", brokers.leader_killed, 20, alone=True),
        Case("disk-full", brokers.disk_full, 25, alone=True),
        Case("two-of-three-down", brokers.two_of_three_down, 30, alone=True),
        Case("throttled", aws.entries_throttled, 20),
        Case("answers-500", aws.answers_500, 45, blameless=True),
        Case("access-denied", aws.access_denied, 45, blameless=True),
        Case("hangs", aws.hangs, 20, settings=QUICK_TIMEOUT),
        Case("accepted-dropped", aws.accepted_then_dropped, 20),
        Case("throttled-dropped", aws.throttled_and_dropped, 20),
        Case("credentials-expired", aws.credentials_expired, 25, renewable_credentials=True),
        Case("unknown-code", aws.unknown_entry_code, 20),
        Case("queue-down", aws.queue_down, 35),
        Case("queue-deleted", aws.queue_deleted, 20),
        Case("genesys-cut", genesys.stream_cut, 25, source="genesys"),
        Case("genesys-down", genesys.down, 35, source="genesys"),
        Case("token-revoked", genesys.token_revoked, 15, source="genesys"),
    )
}
"""In the order in which they run."""
