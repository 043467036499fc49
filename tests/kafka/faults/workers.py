"""This module is the faults of workers: killed, stopped, frozen, come and gone, cut off from Kafka."""

from __future__ import annotations

import itertools
import json
import signal
import time

from tests.kafka import ledger
from tests.kafka.faults import evidence
from tests.kafka.faults.detour import VARIABLE
from tests.kafka.faults.offsets import offsets_of
from tests.kafka.faults.proxy import Proxies
from tests.kafka.faults.scene import Scene, hold
from tests.kafka.pipeline import WaitedInVainError, wait_until

#: Longer than the session time-out of the workers (8 s), after which Kafka gives their partitions away.
BEYOND_SESSION_S = 15.0
CHURN_S = 60.0

#: So slow is EventBridge until so many events are between it and Kafka, and then, when their worker is stopped.
#: A short run has few events left when the fault begins: there a sixth of all is enough.
FILLING_MS, FULL, DRAINING_MS = 4_000, 100, 300
FULL_SHARE = 1 / 6

#: One PutEvents takes so long where workers are killed in its midst, and so many are killed, so many seconds apart.
SLOW_MS, KILLS, BETWEEN_KILLS_S = 500, 4, 5.0

#: So many must be killed while events flow, whatever the time that workers take to start.
LEAST_KILLS = 2

#: Seconds of flow that a kill may repeat beyond what is under way.
ANSWERED_S = 0.5

#: Entries that EventBridge shall have stored without an answer before their worker is killed: more than one request.
UNHEARD = 11


def killed_between_accepted_and_commit(scene: Scene) -> None:
    """SIGKILL while EventBridge has stored entries and their requests are not answered."""
    victim = scene.workers[0]
    scene.aws_faults(requests=[{"kind": "hang_stored", "access_key": victim.access_key}])
    wait_until("entries stored and not answered", lambda: evidence.unanswered(scene) >= UNHEARD)
    scene.kill(victim)
    scene.over()
    scene.aws_faults()
    scene.proven("entries on the bus, of which the worker never heard", evidence.unanswered(scene))


def killed_between_sent_and_acked(scene: Scene) -> None:
    """SIGKILL when `validated` has grown and the commit of `raw` has not followed."""
    victim = scene.workers[0]
    victim.signal(signal.SIGRTMIN)  # tests/kafka/faults/uncommitted.py: its commits wait from now on
    wait_until("events sent and not committed", lambda: evidence.sent_and_uncommitted(scene))
    scene.kill(victim)
    scene.over()
    scene.proven("events in `validated` and uncommitted in `raw`", evidence.sent_and_uncommitted(scene))


def killed_while_slow(scene: Scene) -> None:
    """SIGKILL of one worker after another, four times, while every PutEvents takes half a second."""
    scene.aws_faults(requests=[{"kind": "slow", "latency_ms": SLOW_MS}])
    _kill_often(scene)


def killed_while_throttled(scene: Scene) -> None:
    """SIGKILL of one worker after another, four times, while 30 % of the entries are throttled."""
    scene.aws_faults(
        entries=[{"code": "ThrottlingException", "share": 0.3}], requests=[{"kind": "slow", "latency_ms": SLOW_MS}]
    )
    _kill_often(scene)


def _kill_often(scene: Scene) -> None:
    kills = 0
    while kills < KILLS:
        scene.pipeline.start()
        hold(BETWEEN_KILLS_S)
        if scene.flow.given == scene.flow.events:
            break  # another one would have nothing in flight
        scene.kill(scene.workers[0])
        kills += 1
    scene.over()
    scene.aws_faults()
    scene.proven("workers were killed", kills)
    if kills < LEAST_KILLS:
        raise WaitedInVainError(f"all events were given before kill {kills + 1}; lower --rate")
    published = sum(ledger.fate(number) == "published" for number in range(10)) / 10 * scene.flow.rate
    goal = published * (SLOW_MS / 1000 + ANSWERED_S)
    scene.notes.append(f"for each kill {goal:.0f} may come again: what is under way, and half a second of flow")


def stopped_with_full_buffers(scene: Scene) -> None:
    """SIGTERM while EventBridge is slow and every buffer is full."""
    scene.aws_faults(requests=[{"kind": "slow", "latency_ms": FILLING_MS}])
    full = min(FULL, scene.flow.events * FULL_SHARE)
    with offsets_of(scene.pipeline) as offsets:
        wait_until("buffers to fill", lambda: offsets.open("validated") > full, 30)
        scene.proven("events were on their way", offsets.open("validated"))
    scene.aws_faults(requests=[{"kind": "slow", "latency_ms": DRAINING_MS}])
    seconds = scene.stop(scene.workers[0])
    scene.over()
    scene.aws_faults()
    scene.notes.append(f"its worker ended after {seconds:.1f} s")


def frozen_past_the_session(scene: Scene) -> None:
    """SIGSTOP until Kafka has given the partitions away, then SIGCONT."""
    victim = scene.workers[0]
    victim.signal(signal.SIGSTOP)
    hold(BEYOND_SESSION_S)
    evidence.given_away(scene)
    victim.signal(signal.SIGCONT)
    scene.over()


def coming_and_going(scene: Scene) -> None:
    """A worker joins, another one is stopped or killed, every few seconds for a minute."""
    ends = time.monotonic() + CHURN_S
    for turn in itertools.count():
        if time.monotonic() > ends:
            break
        joined = scene.pipeline.start(wait=False)
        wait_until(f"{joined.name} to live", lambda joined=joined: joined.get("/health/live"))
        hold(2.0)
        oldest = scene.workers[0]
        if turn % 3 == 2:
            scene.kill(oldest)
        else:
            scene.stop(oldest)
        hold(1.0)
    scene.over()
    scene.proven("workers joined and as many left", len(scene.pipeline.workers) - 2)


def cut_off_from_kafka(scene: Scene) -> None:
    """One worker's packets to and from every broker are swallowed until its partitions are given away."""
    ports = [int(address.rpartition(":")[2]) for address in scene.cluster.bootstrap_servers.split(",")]
    proxies = scene.exits.enter_context(Proxies(ports))
    led_astray = {VARIABLE: json.dumps(proxies.ports)}
    scene.pipeline.start(module="tests.kafka.faults.detour", **led_astray)
    scene.stop(scene.workers[0])
    wait_until("both to have their share of the partitions", lambda: evidence.members(scene) == 2)
    proxies.cut()
    hold(BEYOND_SESSION_S)
    evidence.given_away(scene)
    proxies.restore()
    scene.over()
