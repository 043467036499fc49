"""Tests of what a worker says of itself: what the owner of the tables takes in, and shows."""

from types import SimpleNamespace

import orjson

from processors.metrics import delta
from settings import load_settings
from streams.worker.announcement import Announcement


def test_a_worker_says_what_it_has_what_is_wrong_and_what_of_it_is_paused(health):
    health.trouble("kafka", "no answer")
    asked = []
    announcement = Announcement(
        load_settings(worker_roles="sink,failures"),
        lambda: "http://a",
        health,
        SimpleNamespace(partitions=lambda topics: asked.append(topics) or {"genesys.raw": [0]}),
        SimpleNamespace(paused=True),
        SimpleNamespace(paused={"sink": "a pause", "process": "another's"}),
    )
    said = announcement.as_json()
    assert delta.checked(orjson.dumps({"worker": {**said, "ended": False}}))["worker"]["name"] == "http://a"
    assert "genesys.validated" in asked[0]
    assert (said["roles"], said["paused"], said["pausedStages"]) == (["failures", "sink"], True, ["sink"])
    assert said["troubles"]["kafka"]["reason"] == "no answer"
