"""A worker whose channel loses its topics, with Genesys' notice and without one: seen, reported, fixed, healed."""

from __future__ import annotations

import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulators.kafka import EmbeddedKafka
from tests import http
from tests.kafka.pipeline import Pipeline, Worker, wait_until

pytestmark = pytest.mark.integration

REFRESH_S = 3


class Centre:
    """Genesys' emulator, and the worker that listens to it."""

    def __init__(self, pipeline: Pipeline) -> None:
        genesys = pipeline.emulator("genesys", ["--conversation-rate", "0"])
        self.client = httpx.Client(base_url=genesys["url"], timeout=30)
        self.pipeline = pipeline
        self.worker: Worker = pipeline.start(
            GENESYS_SOURCE="notifications",
            GENESYS_BASE_URL=genesys["url"],
            GENESYS_CLIENT_ID=genesys["clientId"],
            GENESYS_CLIENT_SECRET=genesys["clientSecret"],
            GENESYS_QUEUE_REFRESH=str(REFRESH_S),
            GENESYS_BACKFILL_DELAYS="1,2",
        )

    def topics(self) -> list[str]:
        channels = self.client.get("/_emulator/channels").json()["entities"]
        return [topic for one in channels if one["connected"] for topic in one["topics"]]

    def health(self) -> str:
        return http.get(f"{self.worker.url}/health/ready").text

    def gaps(self) -> list[str]:
        rows: list[dict[str, Any]] = http.get(f"{self.worker.url}/api/tables/gaps/").json()["rows"]
        return [row["state"] for row in rows]

    def say(self) -> None:
        """An event of the first topic, and see it on the bus."""
        before = self.pipeline.on_bus()
        participants = [{"id": str(uuid.uuid4()), "purpose": "agent", "calls": [{"state": "connected"}]}]
        body = {"id": str(uuid.uuid4()), "participants": participants}
        asked = self.client.post("/_emulator/emit", json={"topicName": self.topics()[0], "eventBody": body})
        assert asked.json()["receivers"] >= 1
        wait_until("the event to be on the bus", lambda: self.pipeline.on_bus() > before)


def test_lost_topics_are_told_mended_and_healed(tmp_path: Path) -> None:
    with ExitStack() as exits:
        kafka = exits.enter_context(EmbeddedKafka())
        pipeline = exits.enter_context(Pipeline(kafka.bootstrap_servers, tmp_path, dict(kafka.environment)))
        centre = Centre(pipeline)
        exits.callback(centre.client.close)
        topics = wait_until("the queues to be listened to", centre.topics)
        centre.say()

        centre.client.post("/_emulator/forget").raise_for_status()
        wait_until("health to tell of lost topics", lambda: "no longer subscribed" in centre.health())
        wait_until("all topics to be there", lambda: sorted(centre.topics()) == sorted(topics))
        wait_until("health to be good", lambda: "no longer subscribed" not in centre.health())
        wait_until("the gap to be healed", lambda: centre.gaps() == ["healed"])
        centre.say()

        for kind in ("no_longer_subscribed", "token_revoked"):
            before = centre.client.get("/_emulator/summary").json()["notifications"]["channels"]["created"]
            centre.client.post("/_emulator/notice", json={"notice": kind}).raise_for_status()
            wait_until("health to tell of the notice", lambda: "sends nothing more" in centre.health())
            wait_until("all topics to be there", lambda: sorted(set(centre.topics())) == sorted(topics))
            now = centre.client.get("/_emulator/summary").json()["notifications"]["channels"]["created"]
            assert now > before
            wait_until("health to be good", lambda: "sends nothing more" not in centre.health())
            centre.say()
        wait_until("every gap to be healed", lambda: set(centre.gaps()) == {"healed"})
        assert len(centre.gaps()) == 3
