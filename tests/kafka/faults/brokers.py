"""This module is the faults of brokers: the leader killed, its disk full, the majority down."""

from __future__ import annotations

from tests.kafka.faults import evidence
from tests.kafka.faults.scene import Scene, hold
from tests.kafka.worker import WaitedInVainError, wait_until

DOWN_S = 20.0

#: The last seconds of those, when what had been read before is through.
AT_REST_S = 8.0

#: What is said of a partition that no broker leads.
NOBODY = -2


def leader_killed(scene: Scene) -> None:
    """SIGKILL for the broker that leads a partition of `raw`; it comes back after ten seconds."""
    topic = f"{scene.pipeline.prefix}raw"
    leader = scene.cluster.leader(topic, 0)
    scene.cluster.stop_broker(leader, kill=True)
    try:
        hold(10.0)
        heir = scene.cluster.leader(topic, 0)
    finally:
        scene.cluster.start_broker(leader)
    if heir in (leader, NOBODY):
        raise WaitedInVainError(f"the fault did not strike: {leader} led before, {heir} after its end")
    scene.notes.append(f"broker {heir} led after broker {leader}")
    scene.cluster.wait_ready()
    scene.over()


def disk_full(scene: Scene) -> None:
    """The disk of the broker that leads a partition of `raw` is full; it is started with room after ten seconds."""
    leader = scene.cluster.leader(f"{scene.pipeline.prefix}raw", 0)
    scene.cluster.fill_disk(leader)
    try:
        wait_until("the broker to end for it", lambda: not scene.cluster.is_running(leader), 30)
        scene.notes.append(f"broker {leader} ended itself")
        hold(10.0)
    finally:
        scene.cluster.stop_broker(leader, kill=True)
        scene.cluster.start_broker(leader)
    scene.cluster.wait_ready()
    scene.over()


def two_of_three_down(scene: Scene) -> None:
    """SIGKILL for two brokers: nothing can be written, and nobody is controller; back after 20 s."""
    probe = f"{scene.pipeline.prefix}probe"
    scene.cluster.create_topics(probe)
    for index in (0, 1):
        scene.cluster.stop_broker(index, kill=True)
    try:
        hold(DOWN_S - AT_REST_S)
        evidence.at_rest(scene, AT_REST_S)
    finally:
        for index in (0, 1):
            scene.cluster.start_broker(index)
    scene.cluster.wait_ready()
    evidence.wait_for_writes(scene, probe)
    scene.over()
