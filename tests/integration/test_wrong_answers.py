"""Whole workers while somebody else answers for AWS and for Genesys: told, waited out, nothing lost and nothing failed.

Every kind strikes EventBridge, SQS, CloudWatch and Genesys at once. WRONG_ANSWERS_SECONDS says for how long, beyond
what it takes until health has named each of them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import orjson
import pytest

from emulators.kafka import EmbeddedKafka
from tests import http
from tests.kafka import ledger
from tests.kafka.pipeline import Pipeline, Worker, wait_until

pytestmark = pytest.mark.integration

SECONDS = float(os.environ.get("WRONG_ANSWERS_SECONDS", "0"))

#: What is answered, by what it is called. Not among them is an answer word for word as the service itself gives it.
KINDS: dict[str, dict[str, Any]] = {
    "403 page": {"kind": "page", "page": "html", "status": 403},
    "407 page": {"kind": "page", "page": "html", "status": 407},
    "200 page": {"kind": "page", "page": "html", "status": 200},
    "502 page": {"kind": "page", "page": "html", "status": 502},
    "Latin-1": {"kind": "page", "page": "latin-1", "status": 403},
    "truncated": {"kind": "page", "page": "truncated", "status": 200},
    "a list": {"kind": "page", "page": "list", "status": 200},
    "wrong types": {"kind": "page", "page": "shapes", "status": 200},
    "wrong types refused": {"kind": "page", "page": "shapes", "status": 400},
    "another service": {"kind": "page", "page": "other", "status": 200},
    "wrong parts": {"kind": "page", "page": "parts", "status": 200},
    "no gzip": {"kind": "page", "page": "gzip", "status": 200},
    "redirect": {"kind": "page", "page": "redirect"},
    "empty": {"kind": "page", "page": "empty", "status": 200},
    "empty 400": {"kind": "page", "page": "empty", "status": 400},
    "half XML": {"kind": "page", "page": "xml", "status": 403},
    "reset": {"kind": "drop_early"},
    "silence": {"kind": "hang"},
}

#: What those who read cannot know: half a minute of silence; and lines of JSON, or none, which a stream may send.
NOT_OF_QUEUES = ("silence",)
NOT_OF_STREAMS = (
    *NOT_OF_QUEUES, "a list", "empty", "empty 400",
    "wrong types", "wrong types refused", "another service", "wrong parts",
)  # fmt: skip

#: Of each kind: numbered events into `raw`, then through Genesys, then through the queue.
INTO_RAW, THROUGH_GENESYS, THROUGH_QUEUE = 60, 10, 10


@dataclass(slots=True)
class Scene:
    """A pipeline with two workers: one does everything and reads Genesys' stream, one reads a queue."""

    pipeline: Pipeline
    genesys: str
    queue: str
    sqs: Any
    workers: list[Worker] = field(default_factory=list)
    given: int = 0

    def strike(self, fault: dict[str, Any], *, genesys: bool) -> None:
        """Somebody else answers the workers from now on, and nobody else; also in place of Genesys."""
        self.pipeline.aws_faults({"requests": [
            {**fault, "service": service, "access_key": worker.access_key}
            for worker in self.workers for service in ("events", "sqs", "monitoring")
        ]})  # fmt: skip
        if not genesys:
            return
        if fault["kind"] == "page":
            answer = {"status": fault.get("status", 302), "page": fault["page"]}
        else:
            answer = {"status": 200, "page": "reset"}
        answers = [{"path": path, **answer} for path in ("/api/", "/oauth/")]
        self._control("PUT", "faults", {"answers": answers})
        self._control("POST", "cut")

    def lift(self) -> None:
        """They answer themselves again."""
        self.pipeline.aws_faults(None)
        self._control("DELETE", "faults")

    def give(self) -> None:
        """The next numbered events, each way its share."""
        raw, stream, end = (self.given + sum(numbers) for numbers in (
            (INTO_RAW,), (INTO_RAW, THROUGH_GENESYS), (INTO_RAW, THROUGH_GENESYS, THROUGH_QUEUE)))  # fmt: skip
        self.pipeline.feed(range(self.given, raw))
        for number in range(raw, stream):
            wait_until("the subscription", lambda number=number: self._emitted(number))
        for number in range(stream, end):
            self.sqs.send_message(QueueUrl=self.queue, MessageBody=orjson.dumps(ledger.event(number)).decode())
        self.given = end

    def troubles(self) -> set[str]:
        """What the workers say is in trouble."""
        answers = [worker.get("/health/ready") for worker in self.workers]
        return {part for answer in answers if answer is not None and answer.status_code == 503
                for part in answer.json()["troubles"]}  # fmt: skip

    def is_ready(self) -> bool:
        """Whether both workers are."""
        return all([worker.ready() for worker in self.workers])

    def refused(self) -> list[dict[str, Any]]:
        """Failure records of what was not published."""
        records = [orjson.loads(value) for value in self.pipeline.read("failures")]
        return [record for record in records if record["stage"] != "validate"]

    def _emitted(self, number: int) -> bool:
        return bool(self._control("POST", "emit", {"event": ledger.event(number)})["receivers"])

    def _control(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = http.request(method, f"{self.genesys}/_emulator/{path}", json=body).raise_for_status()
        return dict(answer.json()) if answer.content else {}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("answers")
    with EmbeddedKafka() as kafka:
        settings = {**kafka.environment, "EVENTBRIDGE_TIMEOUT": "2", "REPORT_INTERVAL": "1"}
        with Pipeline(kafka.bootstrap_servers, folder, settings) as pipeline:
            yield _started(pipeline)


def _started(pipeline: Pipeline) -> Scene:
    genesys = pipeline.emulator("genesys", ["--count", "0", "--rate", "1", "--api-limit", "100000"])
    source = {
        "GENESYS_SOURCE": "stream",
        "GENESYS_BASE_URL": genesys["url"],
        "GENESYS_CLIENT_ID": genesys["clientId"],
        "GENESYS_CLIENT_SECRET": genesys["clientSecret"],
    }
    http.post(f"{pipeline.aws}/_emulator/queues", json={"name": "events"}).raise_for_status()
    keys = {"aws_access_key_id": "operator", "aws_secret_access_key": "operator"}
    sqs = boto3.client("sqs", "us-east-1", endpoint_url=pipeline.aws, **keys)
    queue = sqs.get_queue_url(QueueName="events")["QueueUrl"]
    workers = [pipeline.start(wait=False, **source)]
    workers.append(pipeline.start("--role", "source", wait=False, GENESYS_SOURCE=f"sqs:{queue}"))
    scene = Scene(pipeline, genesys["url"], queue, sqs, workers)
    wait_until("both workers to be ready", scene.is_ready)
    return scene


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_answer_is_told_and_waited_out(scene: Scene, kind: str):
    scene.give()
    assert _is_clean(scene), "before anything went wrong"
    told = {"eventbridge": (), "sqs": (), "genesys": NOT_OF_STREAMS, "source queue": NOT_OF_QUEUES}
    expected = {part for part, unknown in told.items() if kind not in unknown}
    scene.strike(KINDS[kind], genesys="genesys" in expected)
    ends = time.monotonic() + SECONDS
    scene.give()
    wait_until(f"health to name {expected}", lambda: _is_told(scene, expected))
    while time.monotonic() < ends:
        assert expected <= scene.troubles(), "ready, though nothing is answered"
        time.sleep(1.0)  # between two looks at the condition
    scene.lift()
    lifted = time.monotonic()
    assert _is_clean(scene)
    wait_until("both workers to be ready", scene.is_ready)
    print(f"{kind}: {time.monotonic() - lifted:.1f} s until all was well again")


def _is_told(scene: Scene, expected: set[str]) -> bool:
    missing = expected - scene.troubles()
    if missing:
        print("not told:", missing)
    return not missing


def _is_clean(scene: Scene) -> bool:
    account = scene.pipeline.settled(scene.given)
    assert account.clean, account
    assert scene.refused() == []
    return True


def test_cloudwatch_has_counted_everything_in_the_end(scene: Scene):
    """As the pipeline's own sums have it: an entry whose acceptance was not heard is on the bus once more."""

    def told() -> bool:
        answer = scene.workers[0].get("/api/report/")
        points = scene.pipeline.inspect("metrics")["metrics"]
        counted = sum(sum(point["values"]) for point in points if point["name"] == "EventsPublished")
        if answer is None or answer.status_code != 200:
            return False
        print("CloudWatch has", counted, "of", answer.json()["published"], "published")
        return bool(counted == answer.json()["published"])

    wait_until("CloudWatch to have all", told)
