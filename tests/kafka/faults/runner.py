"""This module runs one case: workers start, events flow, the fault strikes, everything is accounted for."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException

from tests.kafka import ledger
from tests.kafka.cluster import KafkaCluster
from tests.kafka.faults import aws
from tests.kafka.faults.cases import Case
from tests.kafka.faults.flow import Flow, into_raw, through_genesys
from tests.kafka.faults.offsets import offsets_of
from tests.kafka.faults.scene import Scene
from tests.kafka.ledger import Account
from tests.kafka.pipeline import Pipeline, WaitedInVainError, wait_until

WORKERS = 2

#: Events a second at most: what two cores carry beside three brokers, and no backlog grows.
MOST_RATE = 250.0

#: Seconds that the pipeline may take to settle after the last event was given.
PATIENCE_S = 60.0

#: The target for `recovery_s`.
RECOVERED_S = 15.0


@dataclass(frozen=True, slots=True)
class Result:
    """What a case came to.

    `recovery_s`: from the end of the fault until all that was given by then had ended. `uncounted`: filtered
    events that the report does not count. `problem`: why it did not end well, or nothing.
    """

    case: str
    account: Account
    uncounted: int
    recovery_s: float | None
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
        account = self.account
        return not (self.lost or account.wrong or account.unmirrored or account.both or self.problem)


def run(case: Case, cluster: KafkaCluster, events: int, folder: Path, say: Callable[[str], None]) -> Result:
    """Put the pipeline to one fault. What goes wrong is in the result."""
    began = time.monotonic()
    folder.mkdir(parents=True)
    settings = {**case.settings, "CLOUDWATCH_ENABLED": "false"}
    with ExitStack() as exits:
        agent = exits.enter_context(aws.credentials_agent()) if case.renewable_credentials else None
        settings |= agent.environment if agent else {}
        pipeline = exits.enter_context(Pipeline(cluster.bootstrap_servers, folder, settings))
        flow, genesys = _flow(case, pipeline, events)
        scene = Scene(cluster, pipeline, flow, genesys, agent)
        exits.enter_context(scene.exits)
        problem = ""
        try:
            with scene.supervised():
                _play(case, scene, say)
            scene.stop(*scene.workers)
        except (WaitedInVainError, KafkaException) as error:
            problem = str(error)
        return _result(case, scene, time.monotonic() - began, problem)


def _flow(case: Case, pipeline: Pipeline, events: int) -> tuple[Flow, str]:
    """The flow that the case asks for, and the URL of the Genesys emulator that it goes through, if any."""
    rate = min(MOST_RATE, events / case.seconds)
    if case.source == "raw":
        return Flow(*into_raw(pipeline), events, rate), ""
    announced = pipeline.emulator("genesys", ["--count", "0", "--rate", "1", "--api-limit", "100000"])
    pipeline.settings |= {
        "GENESYS_SOURCE": "stream",
        "GENESYS_BASE_URL": announced["url"],
        "GENESYS_CLIENT_ID": announced["clientId"],
        "GENESYS_CLIENT_SECRET": announced["clientSecret"],
    }
    return Flow(*through_genesys(announced["url"]), events, rate), announced["url"]


def _play(case: Case, scene: Scene, say: Callable[[str], None]) -> None:
    say("starting workers")
    started = [scene.pipeline.start(wait=False) for _ in range(WORKERS)]
    for worker in started:
        wait_until(f"{worker.name} to be ready", worker.ready, 90)
    scene.flow.start()
    scene.wait_for_flow()
    say(case.words)
    case.strike(scene)
    say("settling")
    scene.flow.join(PATIENCE_S)
    _settle(scene)


def _settle(scene: Scene) -> None:
    """Wait until every event is where it belongs and every offset is committed."""
    pipeline, events = scene.pipeline, scene.flow.events

    def clean() -> bool:
        account = pipeline.account(events)
        scene.uncounted = _uncounted(scene)
        return not (account.lost or account.unmirrored or scene.uncounted)

    wait_until("every event to be where it belongs", clean, PATIENCE_S)
    with offsets_of(pipeline) as offsets:
        wait_until("every offset to be committed", lambda: not offsets.behind(), 60)


def _uncounted(scene: Scene) -> int:
    """Filtered events that the report of the pipeline does not count (it may count one twice, never none)."""
    wanted = sum(ledger.fate(number) == "filtered" for number in range(scene.flow.events))
    for worker in scene.workers:
        answer = worker.get("/api/report/")
        if answer is not None and answer.status_code == 200:
            return max(0, wanted - int(answer.json()["filtered"]))
    return wanted


def _result(case: Case, scene: Scene, seconds: float, problem: str) -> Result:
    pipeline = scene.pipeline
    sent = [
        (one["body"], int(one["system"]["SentTimestamp"])) for one in [*pipeline.gone_from_queue, *pipeline.messages()]
    ]
    ends = ledger.first_ends(pipeline.arrivals(), sent)
    return Result(
        case=case.name,
        account=pipeline.account(scene.flow.events),
        uncounted=scene.uncounted,
        recovery_s=ledger.recovery(scene.due, ends, scene.over_ms) if scene.over_ms else None,
        seconds=seconds,
        restarts=scene.restarts,
        notes=tuple(scene.notes),
        problem=problem,
    )
