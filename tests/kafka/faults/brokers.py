"""This module is the faults of brokers: the leader killed, the majority down."""

from __future__ import annotations

from tests.kafka.faults.scene import Scene, hold

DOWN_S = 20.0


def leader_killed(scene: Scene) -> None:
    """SIGKILL for the broker that leads a partition of `raw`; it comes back after ten seconds."""
    leader = scene.cluster.leader(f"{scene.pipeline.prefix}raw", 0)
    scene.cluster.stop_broker(leader, kill=True)
    try:
        hold(10.0)
    finally:
        scene.cluster.start_broker(leader)
    scene.cluster.wait_ready()
    scene.over()


def two_of_three_down(scene: Scene) -> None:
    """SIGKILL for two brokers: nothing can be written, and nobody is controller; back after 20 s."""
    for index in (0, 1):
        scene.cluster.stop_broker(index, kill=True)
    try:
        hold(DOWN_S)
    finally:
        for index in (0, 1):
            scene.cluster.start_broker(index)
    scene.cluster.wait_ready()
    scene.over()
