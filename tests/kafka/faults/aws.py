"""This module is the faults of AWS: EventBridge refuses, hangs and drops; SQS is away; credentials end."""

from __future__ import annotations

import time
from typing import Any

from tests.kafka.faults import evidence
from tests.kafka.faults.credentials import CredentialsAgent
from tests.kafka.faults.scene import Scene, hold
from tests.kafka.pipeline import wait_until

UNREACHABLE_S = 30.0

#: Seconds for faults that strike a share of what is sent while everything else goes on.
STRIKING_S = 15.0

THROTTLED = {"code": "ThrottlingException", "share": 0.3}
DROPPED = {"kind": "drop", "share": 0.3}
OLD_KEY, NEW_KEY = "AKIAOLD", "AKIANEW"


def entries_throttled(scene: Scene) -> None:
    """30 % of the entries are refused with ThrottlingException."""
    _strike(scene, STRIKING_S, entries=[THROTTLED])


def answers_500(scene: Scene) -> None:
    """Every PutEvents is answered 500 for 30 s, and health says so."""
    _refuse_whole(scene, {"kind": "internal"}, "Internal")


def access_denied(scene: Scene) -> None:
    """Every PutEvents is refused with AccessDeniedException for 30 s, and health says so and what to do."""
    denied = {"kind": "answer", "status": 400, "code": "AccessDeniedException", "operation": "PutEvents"}
    _refuse_whole(scene, denied, "AccessDenied", "allow events:PutEvents")


def hangs(scene: Scene) -> None:
    """Every PutEvents is read and never answered, past the read time-out; nothing of it is stored."""
    _strike(scene, STRIKING_S, requests=[{"kind": "hang"}])


def accepted_then_dropped(scene: Scene) -> None:
    """30 % of the requests are stored, then the connection is closed without an answer."""
    _strike(scene, STRIKING_S, requests=[DROPPED])


def throttled_and_dropped(scene: Scene) -> None:
    """30 % of the entries are throttled, and 30 % of the requests are dropped without being stored."""
    _strike(scene, STRIKING_S, entries=[THROTTLED], requests=[{"kind": "drop_early", "share": 0.3}])


def unknown_entry_code(scene: Scene) -> None:
    """30 % of the entries are refused with a code that nobody knows."""
    _strike(scene, STRIKING_S, entries=[{"code": "SomethingNewException", "share": 0.3}])


def credentials_expired(scene: Scene) -> None:
    """The security token expires for 20 s, then the credentials' provider has a new one."""
    agent = scene.agent
    assert agent is not None, "the case asks for credentials of its own"
    rules = [{"kind": "expired", "access_key": OLD_KEY, "service": service} for service in ("events", "sqs")]
    scene.aws_faults(requests=rules)
    scene.hold(20.0)
    agent.access_key = NEW_KEY
    scene.over()
    evidence.struck(scene, len(rules))


def queue_down(scene: Scene) -> None:
    """SQS answers 503 for 30 s."""
    _strike(scene, UNREACHABLE_S, requests=[{"kind": "unavailable", "service": "sqs"}])


def queue_deleted(scene: Scene) -> None:
    """The dead-letter queue is deleted, and made again after ten seconds."""
    pipeline = scene.pipeline
    wait_until("a record in the queue", pipeline.queue)
    # What the queue held has been mirrored, so it is noted; nothing may come between the look and the end.
    scene.aws_faults(requests=[{"kind": "unavailable", "service": "sqs", "operation": "SendMessageBatch"}])
    pipeline.gone_from_queue += pipeline.messages()
    pipeline.delete_queue()
    scene.aws_faults()
    scene.hold(10.0)
    pipeline.create_queue()
    scene.over()
    calls = pipeline.inspect("summary")["calls"]
    scene.proven("× no such queue", calls.get("sqs SendMessageBatch QueueDoesNotExist", 0))


def credentials_agent() -> CredentialsAgent:
    """Where workers get credentials that a case can end."""
    return CredentialsAgent(OLD_KEY)


def _refuse_whole(scene: Scene, rule: dict[str, Any], *words: str) -> None:
    """Refuse every request by a rule, and require that each worker says why it waits while that lasts."""
    scene.aws_faults(requests=[rule])
    began = time.monotonic()
    evidence.unready(scene, "eventbridge", *words)
    hold(UNREACHABLE_S * scene.share - (time.monotonic() - began))
    evidence.unready(scene, "eventbridge", *words)
    scene.aws_faults()
    scene.over()
    evidence.struck(scene)


def _strike(scene: Scene, seconds: float, **faults: list[dict[str, Any]]) -> None:
    scene.aws_faults(**faults)
    scene.hold(seconds)
    scene.aws_faults()
    scene.over()
    evidence.struck(scene, sum(map(len, faults.values())))
