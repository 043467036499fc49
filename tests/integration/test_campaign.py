"""A campaign dials: thousands of conversations whose first snapshots tell no time, through sockets onto the bus."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulators.kafka import EmbeddedKafka
from tests import http
from tests.kafka.pipeline import Pipeline, wait_until

pytestmark = pytest.mark.integration

CALLS = 2_000


def dialing(queue: str) -> dict[str, Any]:
    """An outbound call that is being dialled: nobody is connected, so no participant has any time."""
    call = {"id": str(uuid.uuid4()), "state": "dialing", "direction": "outbound", "held": False}
    participants = [
        {"id": str(uuid.uuid4()), "purpose": "customer", "queueId": queue, "calls": [call]},
        {"id": str(uuid.uuid4()), "purpose": "agent", "queueId": queue, "calls": [{**call, "state": "alerting"}]},
    ]
    return {"id": str(uuid.uuid4()), "participants": participants}


def test_a_campaign_of_2000_calls_is_all_published_and_pauses_nothing(tmp_path: Path) -> None:
    with EmbeddedKafka() as kafka, Pipeline(kafka.bootstrap_servers, tmp_path, dict(kafka.environment)) as pipeline:
        genesys = pipeline.emulator("genesys", ["--conversation-rate", "0"])
        worker = pipeline.start(
            GENESYS_SOURCE="notifications",
            GENESYS_BASE_URL=genesys["url"],
            GENESYS_CLIENT_ID=genesys["clientId"],
            GENESYS_CLIENT_SECRET=genesys["clientSecret"],
            GENESYS_EVENTS="snapshots",
        )
        with httpx.Client(base_url=genesys["url"], timeout=30) as client:

            def listening() -> list[str]:
                channels = client.get("/_emulator/channels").json()["entities"]
                return [topic for one in channels if one["connected"] for topic in one["topics"]]

            topics = wait_until("the queues to be listened to", listening)
            for number in range(CALLS):
                topic = topics[number % len(topics)]
                queue = topic.split(".")[3]
                body = {"topicName": topic, "eventBody": dialing(queue)}
                assert client.post("/_emulator/emit", json=body).json() == {"receivers": 1}
        wait_until("all to be on the bus", lambda: pipeline.on_bus() >= CALLS)
        assert pipeline.read("failures") == []
        assert len({one["conversationId"] for one in pipeline.bus()}) == CALLS
        assert http.get(f"{worker.url}/health/ready").status_code == 200
