"""This module is the faults of Genesys: the stream cut, the API down, the token revoked."""

from __future__ import annotations

from tests.kafka.faults.scene import Scene, hold

CUTTING_S = 20.0
DOWN_S = 30.0


def stream_cut(scene: Scene) -> None:
    """The stream is cut every second."""
    scene.genesys_control("PUT", "faults", {"cut_every_seconds": 1.0})
    hold(CUTTING_S)
    scene.genesys_control("DELETE", "faults")
    scene.over()


def down(scene: Scene) -> None:
    """The open stream is cut, and login and API answer 503 for 30 s."""
    answers = [{"path": path, "status": 503} for path in ("/api/", "/oauth/")]
    scene.genesys_control("PUT", "faults", {"answers": answers})
    scene.genesys_control("POST", "cut")
    hold(DOWN_S)
    scene.genesys_control("DELETE", "faults")
    scene.over()


def token_revoked(scene: Scene) -> None:
    """The token is refused from one moment to the next, and the stream that it opened is cut."""
    scene.genesys_control("POST", "revoke-tokens")
    scene.genesys_control("POST", "cut")
    scene.over()
