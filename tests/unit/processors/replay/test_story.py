"""This module tests the story of an event, from the records that name it."""

import pytest

from processors.delivery.publications import Publication
from processors.event.headers import Meta, Origin
from processors.replay.redrive import Place
from processors.replay.redrive_notes import Note
from processors.replay.story import Facts, FoundRecord, story

RAW = Origin("genesys.raw", 3, 1042)


def raw(at_ms=1_000, place=RAW, **meta):
    return FoundRecord("raw", place, at_ms, "c-1", "e-1", Meta("e-1", received_at=at_ms - 5, **meta), "a call")


def validated(at_ms=1_100, offset=7, route="calls", origin=RAW, **meta):
    place = Origin("genesys.validated", 3, offset)
    return FoundRecord("validated", place, at_ms, "c-1", "e-1", Meta("e-1", route, origin=origin, **meta))


def failure(at_ms=1_100, stage="validate", error="SchemaViolation", route="calls", origin=RAW):
    record = {"stage": stage, "error": error, "message": "no", "route": route, "retryAttempt": 0,
              "details": [{"path": "time", "rule": "format"}]}  # fmt: skip
    place = Origin("genesys.failures", 3, 5)
    return FoundRecord("failures", place, at_ms, "c-1", "e-1", Meta("e-1", route, origin=origin), "", record)


def kinds(steps):
    return [step["kind"] for step in steps]


PASSED = {("raw", 3): 9_999, ("validated", 3): 9_999}


def test_a_published_event_from_its_receipt_to_eventbridges_id():
    publication = Publication("bus-1", "e-1", 3, 7, 1_200, ("ThrottlingException", "InternalFailure"))
    steps = story(
        [validated(), raw()], Facts(PASSED, [publication], tried={RAW: {"calls": "mapped", "chats": "filtered"}})
    )
    assert kinds(steps) == ["received", "raw", "route", "validated", "attempt", "attempt", "published"]
    assert steps[0]["at"] == "1970-01-01T00:00:00.995Z"
    assert (steps[1]["topic"], steps[1]["partition"], steps[1]["offset"]) == ("genesys.raw", 3, 1042)
    assert steps[2]["routes"] == [{"route": "calls", "outcome": "mapped"}, {"route": "chats", "outcome": "filtered"}]
    assert [step["code"] for step in steps[4:6]] == ["ThrottlingException", "InternalFailure"]
    assert (steps[-1]["entryId"], steps[-1]["attempts"], steps[-1]["at"]) == ("bus-1", 3, "1970-01-01T00:00:01.200Z")


def test_what_no_worker_remembers_any_more_is_told_from_kafka():
    [*_, last] = story([raw(), validated()], Facts(PASSED))
    assert (last["kind"], last["entryId"], last["at"]) == ("published", None, None)
    assert "no failure names it" in last["inferred"]


@pytest.mark.parametrize(
    ("committed", "records", "on"),
    [
        ({("raw", 3): 1042}, [raw()], "raw"),
        ({("raw", 3): 9_999, ("validated", 3): 7}, [raw(), validated()], "validated"),
    ],
)
def test_what_has_no_end_yet_waits(committed, records, on):
    [*_, last] = story(records, Facts(committed))
    assert (last["kind"], last["on"]) == ("waiting", on)


def test_where_kafka_does_not_say_nothing_is_told():
    assert kinds(story([raw(), validated()], Facts())) == ["received", "raw", "route", "validated"]


@pytest.mark.parametrize(
    ("tried", "outcome"), [({"calls": "filtered"}, "filtered"), ({"calls": "mapped"}, "repeated"), ({}, "filtered")]
)
def test_an_event_that_left_no_record_was_filtered_or_put_out_before(tried, outcome):
    [*_, last] = story([raw()], Facts(PASSED, tried={RAW: tried}))
    assert (last["kind"], last["outcome"], last["at"]) == ("route", outcome, None)


def test_a_failure_of_a_route_stands_beside_the_route_that_mapped():
    steps = story([raw(), failure(route="chats"), validated(at_ms=1_101)], Facts(PASSED))
    assert kinds(steps) == ["received", "raw", "failed", "route", "validated", "published"]
    route = steps[3]
    assert route["outcome"] == "failed"
    assert {one["route"]: one["outcome"] for one in route["routes"]} == {"calls": "mapped", "chats": "failed"}
    assert (steps[2]["error"], steps[2]["paths"]) == ("SchemaViolation", ["time"])


def test_an_entry_that_eventbridge_refused_is_not_told_as_published():
    refused = Publication("", "e-1", 3, 7, 1_200, ("InternalFailure",))
    steps = story([raw(), validated(), failure(1_300, "publish", "InternalFailure")], Facts(PASSED, [refused]))
    assert kinds(steps) == ["received", "raw", "route", "validated", "attempt", "failed"]


def test_a_redrive_is_told_and_ends_the_failure():
    note = Note(Place("raw", "e-1"), "redrive-9", 2_000, 1_100, 2_000)
    again = raw(2_001, Origin("genesys.raw", 3, 2_000), replayed="redrive-9")
    steps = story(
        [raw(), failure(), again, validated(2_100, 8, origin=again.place, replayed="redrive-9")],
        Facts(PASSED, notes=[note]),
    )
    assert kinds(steps) == [
        *("received", "raw", "route", "failed", "redriven"),
        *("raw", "route", "validated", "published"),
    ]
    assert steps[4]["run"] == "redrive-9"


def test_an_entry_redriven_after_a_refusal_is_not_held_against_the_old_failure():
    records = [
        raw(),
        validated(),
        failure(1_300, "publish", "InternalFailure"),
        validated(2_000, 9, replayed="redrive-1"),
    ]
    assert kinds(story(records, Facts(PASSED)))[-2:] == ["validated", "published"]


@pytest.mark.parametrize(("run", "kind"), [("replay-1", "replayed"), ("backfill-1", "backfilled")])
def test_what_a_command_wrote_was_not_received_then(run, kind):
    assert kinds(story([raw(replayed=run)], Facts()))[:2] == [kind, "raw"]


def test_gaps_stand_where_they_began():
    gap = {"part": 2, "start_ms": 999, "end_ms": 5_000, "state": "healed", "events": 4, "reason": ""}
    steps = story([raw()], Facts(gaps=[gap]))
    assert (kinds(steps)[1], steps[1]["source"], steps[1]["to"]) == ("gap", "part 2", "1970-01-01T00:00:05.000Z")
