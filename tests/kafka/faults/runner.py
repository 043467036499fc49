"""This module runs one case: events flow, the fault strikes, everything is accounted for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from confluent_kafka import KafkaException

from tests.kafka import ledger
from tests.kafka.administration import NotReadyError
from tests.kafka.broker import BrokerError
from tests.kafka.faults.offsets import Offsets, offsets_of
from tests.kafka.faults.preparation import Prepared
from tests.kafka.faults.scene import Scene
from tests.kafka.ledger import Account
from tests.kafka.pipeline import WaitedInVainError, wait_until

#: Seconds that the pipeline may take to settle after the last event was given.
PATIENCE_S = 60.0

#: What ends a case, and none of the cases after it.
TROUBLE = (WaitedInVainError, KafkaException, NotReadyError, BrokerError, httpx.HTTPError, TimeoutError)

#: The target for `full_speed_s`.
RECOVERED_S = 15.0


@dataclass(frozen=True, slots=True)
class Result:
    """What a case came to.

    `full_speed_s`: from the end of the fault until events ended as fast as they were given; `recovery_s`: until all
    that was given by then had ended. `uncounted`: filtered
    events that the report does not count. `problem`: why it did not end well, or nothing.
    """

    case: str
    account: Account
    uncounted: int
    recovery_s: float | None
    full_speed_s: float | None
    seconds: float
    restarts: int
    notes: tuple[str, ...]
    problem: str = ""

    @property
    def lost(self) -> int:
        """Events that are nowhere, and filtered ones that nobody counted."""
        return len(self.account.lost) + self.uncounted

    @property
    def ok(self) -> bool:
        """Nothing lost, everything where it belongs, and every worker ended in order."""
        return self.account.clean and not self.uncounted and not self.problem

    def __str__(self) -> str:
        words = [str(self.account)]
        words += [f"{self.uncounted} filtered and not counted"] if self.uncounted else []
        words += ["never at full speed again" if self.full_speed_s is None else f"full speed {self.full_speed_s:.1f} s"]
        words += ["never caught up" if self.recovery_s is None else f"caught up {self.recovery_s:.1f} s"]
        return "; ".join([*words, *self.notes, *([self.problem] if self.problem else [])])


def run(prepared: Prepared, say: Callable[[str], None], settled: Callable[[], None] = lambda: None) -> Result:
    """Put the pipeline to one fault. What goes wrong is in the result.

    `settled` is called when every event has ended and nothing is measured any more.
    """
    scene = prepared.scene
    problem = ""
    try:
        with scene.supervised():
            _play(prepared, say, settled)
        scene.stop(*scene.workers)
    except TROUBLE as error:
        problem = str(error) or type(error).__name__
    return _result(prepared, problem)


def _play(prepared: Prepared, say: Callable[[str], None], settled: Callable[[], None]) -> None:
    scene = prepared.scene
    prepared.wait_for_workers()
    scene.flow.start()
    scene.wait_for_flow()
    say(prepared.case.words)
    missed = _strike(prepared)
    say("settling")
    scene.flow.join(PATIENCE_S)
    with offsets_of(scene.pipeline) as offsets:
        wait_until("every event to be where it belongs", lambda: is_settled(scene, offsets), PATIENCE_S)
        settled()
        wait_until("every offset to be committed", lambda: not offsets.behind(), PATIENCE_S)
    wait_for_balance(scene)
    if missed is not None:
        raise missed


def _strike(prepared: Prepared) -> Exception | None:
    """Make the fault; gives why it missed, if it did: what it did is accounted for when all has ended, too."""
    try:
        prepared.case.strike(prepared.scene)
    except TROUBLE as error:
        prepared.scene.aws_faults()
        return error
    return None


def is_settled(scene: Scene, offsets: Offsets) -> bool:
    """Whether every event is where it belongs; counted first, as an account of 10,000 takes its second."""
    pipeline, events = scene.pipeline, scene.flow.events
    leaving_traces = sum(ledger.fate(number) != "filtered" for number in range(events))
    if pipeline.on_bus() + offsets.end("failures") < leaving_traces:
        return False
    account = pipeline.account(events)
    scene.uncounted = uncounted(scene)
    return not (account.lost or account.unmirrored or scene.uncounted)


def uncounted(scene: Scene) -> int:
    """Filtered events that the report of the pipeline does not count (it may count one twice, never none)."""
    wanted = sum(ledger.fate(number) == "filtered" for number in range(scene.flow.events))
    return max(0, wanted - int(report(scene).get("filtered", 0)))


def wait_for_balance(scene: Scene) -> None:
    """Require that the report comes to say that every event has ended, and that nothing is missing."""

    def balances() -> bool:
        found = report(scene)
        return bool(found) and found["balanced"] and not found["inFlight"]

    try:
        wait_until("the report to balance", balances, PATIENCE_S)
    except WaitedInVainError:
        parts = {name: value for name, value in report(scene).items() if value and isinstance(value, int)}
        raise WaitedInVainError(f"the report does not balance: {parts}") from None


def report(scene: Scene) -> dict[str, Any]:
    """What the pipeline reports of all time; empty while no worker answers."""
    for worker in scene.workers:
        answer = worker.get("/api/report/")
        if answer is not None and answer.status_code == 200:
            found: dict[str, Any] = answer.json()
            return found
    return {}


def _repeated(scene: Scene) -> list[str]:
    """Whose entries came again: those of workers that were killed, or of others too."""
    senders = scene.pipeline.senders()
    rows = [f"{ledger.number_of(detail.get('timestamp'))} {who} {moment}\n" for detail, who, moment in senders]
    (scene.pipeline.folder / "arrivals.txt").write_text("".join(rows), "utf-8")  # who put what when
    of_killed, of_others = ledger.repeated(senders, scene.killed)
    words = {"of killed workers": of_killed, "of others": of_others}
    return [f"{number} entries {whose} came again" for whose, number in words.items() if number]


def _result(prepared: Prepared, problem: str) -> Result:
    scene, pipeline = prepared.scene, prepared.scene.pipeline
    sent = [
        (one["body"], int(one["system"]["SentTimestamp"])) for one in [*pipeline.gone_from_queue, *pipeline.messages()]
    ]
    ends = ledger.first_ends(pipeline.arrivals(), sent)
    recovered = ledger.recovery(scene.due, ends, scene.over_ms) if scene.over_ms else None
    at_speed = ledger.full_speed(ends, scene.over_ms, scene.flow.rate) if scene.over_ms else None
    account = pipeline.account(scene.flow.given)  # what was never given, as nothing was ready, is no loss
    if prepared.case.custom_bus and not problem and (account.duplicates or account.disorder):
        problem = f"a custom bus with {account.duplicates} repetitions and {account.disorder} out of order"
    if prepared.case.blameless and not problem and account.refused:
        problem = f"{len(account.refused)} events were blamed for an outage: {list(account.refused[:10])}"
    return Result(
        case=prepared.case.name,
        account=account,
        uncounted=scene.uncounted,
        recovery_s=recovered,
        full_speed_s=recovered if at_speed is None else at_speed,
        seconds=time.monotonic() - prepared.began,
        restarts=scene.restarts,
        notes=(*scene.notes, *_repeated(scene)),
        problem=problem,
    )
