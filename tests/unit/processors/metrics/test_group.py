"""Tests of the group's state by what its workers said: who is silent, in trouble or missing is named."""

import pytest

from processors.metrics.group import FORGOTTEN_MS, GONE_MS, MAX_WORKERS, WorkerRow, reasons, with_worker, wrong_row


def row(name="http://a", **changes):
    told = {"name": name, "version": "1", "roles": ["sink"], "partitions": {"raw": [0, 1]}, "troubles": {}}
    return {**told, "paused": False, "pausedStages": [], "sinceMs": 0, "ended": False, **changes}


def rows(*told):
    found = []
    for one, at_ms in told:
        found = with_worker(found, WorkerRow(one, at_ms))
    return found


def test_the_latest_word_of_each_worker_stands():
    found = rows((row("a"), 1), (row("b"), 2), (row("a", paused=True), 3))
    assert [(one.name, one.row["paused"]) for one in found] == [("a", True), ("b", False)]


def test_who_has_ended_in_order_is_not_missed_and_who_is_long_gone_is_forgotten():
    assert rows((row("a"), 1), (row("a", ended=True), 2)) == []
    assert [one.name for one in rows((row("a"), 1), (row("b"), 1 + FORGOTTEN_MS))] == ["b"]


def test_no_more_workers_are_kept_than_a_group_has():
    found = rows(*((row(f"w{number}"), number) for number in range(MAX_WORKERS + 5)))
    assert (len(found), found[0].name) == (MAX_WORKERS, f"w{MAX_WORKERS + 4}")


def test_all_is_well_when_everybody_is_there_and_every_partition_read():
    both = rows((row("a"), 0), (row("b", partitions={"raw": [2]}), 0))
    assert reasons(both, {"raw": {0, 1, 2}}, now_ms=GONE_MS) == []


def test_a_silent_worker_is_gone_and_nobody_reads_its_partitions():
    both = rows((row("a"), 0), (row("b", partitions={"raw": [2]}), 30_000))
    assert reasons(both, {"raw": {0, 1, 2}}, now_ms=31_000) == [
        "a has said nothing for 31 s",
        "no worker reads raw 0, 1",
    ]
    assert [one.as_json(31_000)["state"] for one in both] == ["running", "gone"]


def test_a_trouble_of_any_worker_is_a_reason():
    one = rows((row("a", troubles={"eventbridge": {"reason": "AccessDenied", "seconds": 22.0}}), 0))
    assert reasons(one, {}, now_ms=0) == ["a: eventbridge: AccessDenied"]


def test_a_worker_s_row_is_one():
    assert wrong_row(row(troubles={"start": {"reason": "not yet"}, "kafka": {"reason": "x", "seconds": 1}})) == ""


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {},
        row(name=5),
        row(name="x" * 501),
        row(version=None),
        row(roles="sink"),
        row(roles=[1]),
        row(partitions=[]),
        row(partitions={"raw": "0"}),
        row(partitions={"raw": [True]}),
        row(partitions={"raw": [0] * 2_001}),
        row(troubles={"a": "bad"}),
        row(troubles={"a": {"reason": "x", "seconds": "1"}}),
        row(troubles={"a": {"reason": ["x"]}}),
        row(troubles={"a": {"reason": "x", "more": {}}}),
        row(troubles={str(number): {"reason": ""} for number in range(2_001)}),
        row(paused="no"),
        row(more={}),
    ],
)
def test_what_somebody_else_wrote_is_no_worker(wrong):
    assert wrong_row(wrong)
