"""This module sets the scene of a case: emulators run, workers start, nothing flows yet."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.kafka.cluster import KafkaCluster
from tests.kafka.faults import aws
from tests.kafka.faults.cases import Case
from tests.kafka.faults.flow import Flow, into_raw, through_genesys
from tests.kafka.faults.scene import Scene
from tests.kafka.pipeline import Pipeline, Worker, wait_until

WORKERS = 2

#: Events a second at most: what two cores carry beside three brokers, and no backlog grows.
MAX_RATE = 250.0

START_S = 240.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """A case whose workers are starting; `close` ends all that was started for it."""

    case: Case
    scene: Scene
    starting: tuple[Worker, ...]
    began: float
    exits: ExitStack

    def wait_for_workers(self) -> None:
        """Wait until every worker is ready. Raises WaitedInVainError."""
        for worker in self.starting:
            wait_until(f"{worker.name} to be ready", worker.ready, START_S)

    def close(self) -> None:
        self.exits.close()


def prepare(
    case: Case,
    cluster: KafkaCluster,
    events: int,
    folder: Path,
    share: float = 1.0,
    rate: float = MAX_RATE,
    *,
    measured: bool = True,
) -> Prepared:
    """Start what the case needs, without waiting for it; `share` shortens it (see Scene), `rate` is the most.

    Raises WaitedInVainError when an emulator does not start.
    """
    began = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as exits:
        agent = exits.enter_context(aws.credentials_agent()) if case.renewable_credentials else None
        settings = {**case.settings, "CLOUDWATCH_ENABLED": "false", **(agent.environment if agent else {})}
        pipeline = exits.enter_context(Pipeline(cluster.bootstrap_servers, folder, settings, measured=measured))
        if case.custom_bus:
            pipeline.settings["EVENTBUS_NAME"] = pipeline.custom_bus
        flow, genesys = _flow(case, pipeline, events, min(rate, events / (case.seconds * share)))
        scene = Scene(cluster, pipeline, flow, genesys, agent, share)
        exits.enter_context(scene.exits)
        starting = tuple(pipeline.start(wait=False, module=case.module) for _ in range(WORKERS))
        return Prepared(case, scene, starting, began, exits.pop_all())


def _flow(case: Case, pipeline: Pipeline, events: int, rate: float) -> tuple[Flow, str]:
    """The flow that the case asks for, and the URL of the Genesys emulator that it goes through, if any."""
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
