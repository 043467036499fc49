"""This module is the faults of Genesys: the stream cut, the API down, the token revoked."""

from __future__ import annotations

from tests.kafka.faults.scene import Scene
from tests.kafka.worker import wait_until

CUTTING_S = 20.0
DOWN_S = 30.0


def stream_cut(scene: Scene) -> None:
    """The stream is cut every second."""
    scene.genesys_control("PUT", "faults", {"cut_every_seconds": 1.0})
    scene.hold(CUTTING_S)
    scene.genesys_control("DELETE", "faults")
    scene.over()
    ends = scene.genesys_control("GET", "summary")["stream"]["ends"]
    scene.proven("times cut", ends.get("cut by age", 0))


def down(scene: Scene) -> None:
    """The open stream is cut, and login and API answer 503 for 30 s."""
    answers = [{"path": path, "status": 503} for path in ("/api/", "/oauth/")]
    scene.genesys_control("PUT", "faults", {"answers": answers})
    scene.genesys_control("POST", "cut")
    scene.hold(DOWN_S)
    scene.genesys_control("DELETE", "faults")
    scene.over()
    scene.proven("times refused", sum(scene.genesys_control("GET", "summary")["faults"].values()))


def token_revoked(scene: Scene) -> None:
    """The token is refused from one moment to the next, and the stream that it opened is cut."""
    issued = _tokens(scene)
    revoked = scene.genesys_control("POST", "revoke-tokens")["revoked"]
    scene.proven("streams cut", scene.genesys_control("POST", "cut")["cut"])
    scene.over()
    scene.proven("tokens revoked", revoked)
    wait_until("the worker to ask for a new token", lambda: _tokens(scene) > issued, 30)


def _tokens(scene: Scene) -> int:
    return int(scene.genesys_control("GET", "summary")["tokens"]["issued"])
