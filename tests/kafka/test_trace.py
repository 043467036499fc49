"""The story of an event on real Apache Kafka, whichever worker is asked: by time, by key, by EventBridge's id."""

from __future__ import annotations

from typing import Any

from tests.kafka.pipeline import Pipeline, Worker, wait_until

EVENTS = 300


def ask(worker: Worker, path: str) -> Any:
    """The JSON that a worker answers; it may be busy with a rebalance."""

    def answered() -> Any:
        answer = worker.get(path)
        return answer.json() if answer is not None and answer.status_code == 200 else None

    return wait_until(path, answered)


def test_every_worker_tells_the_same_story_of_an_event(pipeline: Pipeline):
    workers = [pipeline.start(), pipeline.start()]
    pipeline.feed(range(EVENTS))
    pipeline.settled(EVENTS)
    events = ask(workers[0], "/api/raw/?limit=100")["events"]
    assert len(events) == 100
    ends = {}
    for event in events:
        told = [ask(worker, f"/api/trace/{event['eventId']}/") for worker in workers]
        assert told[0]["steps"] == told[1]["steps"]
        assert told[0]["complete"]
        last = told[0]["steps"][-1]
        ends.setdefault(last.get("outcome") or last["kind"], (event, told[0]))
        if {"published", "failed", "filtered"} <= set(ends):
            break
    event, story = ends["published"]
    entry = story["steps"][-1]["entryId"]
    assert entry
    for worker in workers:  # the one that put it remembers its id, the other one asks
        assert ask(worker, f"/api/trace/{entry}/")["kind"] == "entry"
    by_key = ask(workers[0], f"/api/trace/{event['key']}/")
    assert event["eventId"] in by_key["events"]

    began = min(step["at"] for step in story["steps"] if step["kind"] == "raw")
    assert ask(workers[0], f"/api/trace/{event['eventId']}/?to={began}")["steps"] == []
    later = ask(workers[0], f"/api/trace/{event['eventId']}/?from={began}")
    assert [step["kind"] for step in later["steps"]] == [step["kind"] for step in story["steps"]]
