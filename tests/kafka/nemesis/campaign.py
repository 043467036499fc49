"""This module puts three brokers and a crew of workers to the faults of a seed, and accounts for every event."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException

from tests.kafka.broker import free_ports
from tests.kafka.cluster import KafkaCluster
from tests.kafka.distribution import version
from tests.kafka.faults.flow import Flow, into_raw
from tests.kafka.faults.offsets import Offsets, offsets_of
from tests.kafka.faults.proxy import Proxies
from tests.kafka.faults.runner import TROUBLE, is_settled
from tests.kafka.faults.scene import Scene
from tests.kafka.nemesis import plot
from tests.kafka.nemesis.crew import Crew
from tests.kafka.nemesis.findings import Findings, ends, look
from tests.kafka.nemesis.harm import Harm
from tests.kafka.nemesis.history import History
from tests.kafka.nemesis.schedule import EVERY_S, Step, schedule
from tests.kafka.pipeline import Pipeline
from tests.kafka.worker import WaitedInVainError, wait_until

BROKERS, WORKERS = 3, 2

#: Events a second: two cores carry them beside three brokers, and catch up while the next fault strikes.
RATE = 60.0

START_S, PATIENCE_S, LOOK_S = 180.0, 300.0, 2.0

SETTINGS = {"MAX_RETRIES": "12", "EVENTBRIDGE_TIMEOUT": "5", "CLOUDWATCH_ENABLED": "false"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is made of: the same plan, the same faults at the same times."""

    seed: int
    minutes: float
    rate: float = RATE
    every_s: float = EVERY_S


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run came to. `ended_badly`: workers that ended by themselves, or not as they were asked."""

    findings: Findings
    faults: int
    ended_badly: tuple[str, ...]
    problem: str

    @property
    def ok(self) -> bool:
        """Whether nothing was lost and the run went to its end."""
        return self.findings.clean and not self.problem

    def for_programs(self) -> dict[str, Any]:
        """All figures."""
        return {
            **self.findings.for_programs(),
            "faults": self.faults,
            "ended_badly": list(self.ended_badly),
            "problem": self.problem,
        }


def run(plan: Plan, folder: Path, say: Callable[[str], None]) -> Verdict:
    """One run; its history is in `history.jsonl`, its plot in `unseen.svg`."""
    folder.mkdir(parents=True, exist_ok=True)
    steps = schedule(plan.seed, plan.minutes * 60, plan.every_s)
    with ExitStack() as exits:
        history = exits.enter_context(History(folder / "history.jsonl", say))
        cluster, between = exits.enter_context(_cluster())
        history.note("plan", **asdict(plan), steps=len(steps), kafka=version())
        pipeline = exits.enter_context(Pipeline(cluster.bootstrap_servers, folder, dict(SETTINGS), measured=True))
        ports = tuple(int(address.rpartition(":")[2]) for address in cluster.bootstrap_servers.split(","))
        crew = Crew(pipeline, ports, history)
        exits.callback(crew.close)
        given: list[int] = []
        put, flush = into_raw(pipeline)

        def give(number: int) -> None:
            put(number)
            given.append(int(time.time() * 1000))

        scene = Scene(cluster, pipeline, Flow(give, flush, int(plan.rate * plan.minutes * 60), plan.rate))
        with offsets_of(pipeline) as offsets:
            began_ms, problem = _play(scene, Harm(cluster, crew, between), steps, offsets)
            findings = look(pipeline, given, scene.uncounted, crew.killed, offsets)
        verdict = Verdict(findings, len(history.spans), tuple(crew.ended_badly), problem)
        history.note("verdict", **verdict.for_programs())
        line = plot.unseen_over_time(given, ends(pipeline), began_ms, history.seconds)
        title = f"Seed {plan.seed}: {len(given)} events, {verdict.faults} faults"
        (folder / "unseen.svg").write_text(plot.draw(line, history.spans, title), "utf-8")
    return verdict


def _play(scene: Scene, harm: Harm, steps: Sequence[Step], offsets: Offsets) -> tuple[int, str]:
    """Epoch ms of the beginning, and what went wrong, if anything did."""
    crew, history = harm.crew, harm.crew.history
    began_ms, problem = history.begin(), ""
    try:
        with crew.supervised():
            for member in [crew.start() for _ in range(WORKERS)]:
                wait_until(f"{member.worker.name} to be ready", member.worker.ready, START_S)
            scene.flow.start()
            scene.wait_for_flow()
            began_ms = history.begin()
            problem = _strike_all(harm, steps)
            scene.flow.join(PATIENCE_S)
            history.note("settling", given=scene.flow.given, on_bus=scene.pipeline.on_bus())
            _wait_until_settled(scene, offsets)
            wait_until("every offset to be committed", lambda: not offsets.behind(), PATIENCE_S)
        for member in crew.members:
            crew.stop(member)
    except TROUBLE as error:
        problem = problem or str(error) or type(error).__name__
    return began_ms, problem


def _strike_all(harm: Harm, steps: Sequence[Step]) -> str:
    """Begin each fault at its time; they overlap. Gives what went wrong in one of them, when all have ended.

    What was given meanwhile is to settle all the same: looked at before, all that is on its way counts as lost.
    """
    history = harm.crew.history
    with ThreadPoolExecutor(max_workers=16) as pool:
        running = []
        for step in steps:
            time.sleep(max(0.0, step.at - history.seconds))  # the plan's own pace
            running.append(pool.submit(_strike, harm, step))
        wrong = [error for one in running if (error := one.exception()) is not None]
    if unknown := [error for error in wrong if not isinstance(error, TROUBLE)]:
        raise unknown[0]
    return str(wrong[0]) or type(wrong[0]).__name__ if wrong else ""


def _strike(harm: Harm, step: Step) -> None:
    history, name = harm.crew.history, step.kind.name
    with harm.of(step) as whom:
        if whom is None:
            history.note("left out", fault=name, planned=step.at)
            return
        began = history.seconds
        history.note("begins", fault=name, whom=whom, seconds=step.seconds, figure=step.figure)
        if name != "rolling-restart":
            time.sleep(step.seconds)  # the fault's own length
    history.note("is over", fault=name, whom=whom, on_bus=harm.crew.pipeline.on_bus())
    history.span(name, began)


def _wait_until_settled(scene: Scene, offsets: Offsets) -> None:
    """Wait until every event is where it belongs. Raises WaitedInVainError when nothing comes any more."""
    last, since = -1, time.monotonic()
    while time.monotonic() - since < PATIENCE_S:
        try:
            if is_settled(scene, offsets):
                return
        except KafkaException as error:  # brokers have just come back
            scene.notes.append(str(error))
        if (now := scene.pipeline.on_bus()) != last:
            last, since = now, time.monotonic()
        time.sleep(LOOK_S)  # between two looks at the condition
    raise WaitedInVainError(f"nothing arrived for {PATIENCE_S:g} s, and not every event is where it belongs")


@contextmanager
def _cluster() -> Iterator[tuple[KafkaCluster, tuple[Proxies, ...]]]:
    """Three brokers, and for each what stands between it and the others."""
    own = free_ports(BROKERS)
    with ExitStack() as exits:
        between = tuple(exits.enter_context(Proxies([port])) for port in own)
        peers = [(port, proxies.ports[port]) for port, proxies in zip(own, between, strict=True)]
        yield exits.enter_context(KafkaCluster(brokers=BROKERS, peers=peers)), between


def report(verdict: Verdict) -> str:
    """One line of JSON."""
    return json.dumps(verdict.for_programs())
