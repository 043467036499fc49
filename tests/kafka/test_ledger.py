"""Tests that the ledger sees what goes wrong: one that cannot see a loss is worth nothing."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kafka import ledger
from tests.kafka.ledger import account, event, fate, first_ends, full_speed, interaction, number_of, recovery

EVENTS = 30
PUBLISHED = [number for number in range(EVENTS) if fate(number) == "published"]
FAILED = [number for number in range(EVENTS) if fate(number) == "failed"]


def detail(number: int) -> dict[str, Any]:
    """What the shipped mapping makes of it."""
    return {
        "eventId": f"id-{number}",
        "interactionId": interaction(number),
        "timestamp": event(number)["createdTime"],
        "type": "voice",
        "priority": "high",
    }


def failure(number: int) -> bytes:
    return orjson.dumps({"originalEvent": event(number), "stage": "validate", "error": "SchemaViolation"})


class Ends:
    """Where the numbered events ended: everything in its place until a test moves it."""

    def __init__(self) -> None:
        self.bus = [detail(number) for number in PUBLISHED]
        self.failures = [failure(number) for number in FAILED]
        self.queue = [failure(number).decode() for number in FAILED]

    def account(self) -> ledger.Account:
        return account(EVENTS, self.bus, self.failures, self.queue)

    def forget(self, number: int) -> None:
        self.bus = [one for one in self.bus if number_of(one["timestamp"]) != number]
        self.failures = [one for one in self.failures if one != failure(number)]
        self.queue = [one for one in self.queue if one != failure(number).decode()]


@pytest.fixture
def ends() -> Ends:
    return Ends()


def test_everything_in_its_place_is_clean(ends: Ends):
    found = ends.account()
    assert found.clean
    assert (found.duplicates, found.disorder, found.refused) == (0, 0, ())
    assert str(found) == f"{EVENTS} events: lost 0, duplicates 0, out of order 0"


@given(number=st.integers(0, 10_000_000))
def test_a_number_is_told_from_the_event(number: int):
    assert number_of(event(number)["createdTime"]) == number


@given(number=st.sampled_from(PUBLISHED + FAILED))
def test_any_single_loss_is_seen(number: int):
    ends = Ends()
    ends.forget(number)
    found = ends.account()
    assert found.lost == (number,)
    assert not found.clean
    assert f"lost 1 [{number}]" in str(found)


def test_an_event_that_failed_instead_of_being_published_is_no_loss(ends: Ends):
    ends.forget(0)
    ends.failures.append(failure(0))
    ends.queue.append(failure(0).decode())
    assert ends.account().clean
    assert ends.account().refused == (0,)


def test_a_failure_that_is_not_in_sqs_is_seen(ends: Ends):
    ends.queue.pop(0)
    found = ends.account()
    assert found.unmirrored == (FAILED[0],)
    assert found.lost == ()
    assert not found.clean


def test_without_a_queue_nothing_is_missed_in_it(ends: Ends):
    assert account(EVENTS, ends.bus, ends.failures, None).clean


def test_a_repetition_is_counted_and_allowed(ends: Ends):
    ends.bus += [detail(0), detail(0), detail(1)]
    ends.failures.append(failure(9))
    found = ends.account()
    assert found.duplicates == 3
    assert found.disorder == 0, "what came before is not out of order when it comes again"
    assert found.clean


def test_a_repetition_under_another_id_is_seen(ends: Ends):
    ends.bus.append({**detail(0), "eventId": "another"})
    found = ends.account()
    assert found.renamed == (0,)
    assert not found.clean


@pytest.mark.parametrize("change", [{"interactionId": "another"}, {"eventId": None}], ids=["interaction", "no id"])
def test_an_event_that_is_not_itself_any_more_is_seen(ends: Ends, change: dict[str, Any]):
    ends.bus[0] = {**ends.bus[0], **change}
    assert ends.account().renamed == (PUBLISHED[0],)


def test_an_event_that_came_after_a_later_one_of_its_interaction_is_seen(ends: Ends):
    assert PUBLISHED[:2] == [0, 1]
    ends.bus[0], ends.bus[1] = ends.bus[1], ends.bus[0]
    found = ends.account()
    assert found.disorder == 1
    assert found.clean, "order is reported, and promised of nothing that is delivered again"


def test_interactions_may_overtake_each_other(ends: Ends):
    ends.bus.reverse()
    groups = {number // ledger.PER_INTERACTION for number in PUBLISHED}
    assert ends.account().disorder == len(PUBLISHED) - len(groups)
    whole = [[one for one in reversed(ends.bus) if one["interactionId"] == interaction(5 * group)] for group in groups]
    ends.bus = [one for part in reversed(whole) for one in part]
    assert ends.account().disorder == 0


def test_an_event_that_ended_twice_is_seen(ends: Ends):
    ends.failures.append(failure(0))
    ends.queue.append(failure(0).decode())
    found = ends.account()
    assert found.both == (0,)
    assert not found.clean


def test_a_filtered_event_must_be_nowhere(ends: Ends):
    ends.bus.append(detail(2))
    ends.failures.append(failure(5))
    ends.queue.append(failure(5).decode())
    assert ends.account().wrong == (2, 5)


def test_a_failing_event_must_not_be_on_the_bus(ends: Ends):
    ends.bus.append(detail(9))
    assert ends.account().wrong == (9,)


def test_what_is_in_sqs_alone_is_seen(ends: Ends):
    ends.queue.append(failure(0).decode())
    assert ends.account().wrong == (0,)


@pytest.mark.parametrize(
    ("bus", "failures", "number"),
    [
        ([detail(EVENTS)], [], EVENTS),
        ([{**detail(0), "timestamp": "soon"}], [], ledger.NOBODY),
        ([], [failure(EVENTS + 9)], EVENTS + 9),
        ([], [orjson.dumps({"originalEvent": "bm8=", "encoding": "base64"})], ledger.NOBODY),
    ],
    ids=["never given", "no time", "never given, failed", "no event"],
)
def test_what_nobody_gave_is_seen(ends: Ends, bus: list[Any], failures: list[bytes], number: int):
    ends.bus += bus
    ends.failures += failures
    ends.queue += [one.decode() for one in failures]
    found = ends.account()
    assert found.wrong == (number,)
    assert found.lost == ()


def test_recovery_is_until_the_last_event_that_was_due_ended():
    moments = {number: 1_000 * number for number in PUBLISHED + FAILED}
    ends = first_ends(
        [(detail(number), moments[number]) for number in PUBLISHED] + [(detail(0), 99_000)],
        [(failure(number).decode(), moments[number]) for number in FAILED],
    )
    assert ends == moments
    assert recovery(11, ends, since_ms=4_000) == 6.0, "the last one due is number 10, not 29"
    assert recovery(5, ends, since_ms=8_000) == 0
    assert recovery(0, ends, since_ms=8_000) == 0


def test_full_speed_is_when_as_many_end_as_are_given():
    slow = {number: 1_000 * number for number in range(10)}
    fast = {number: 10_000 + 10 * (number - 10) for number in range(10, 300)}
    assert full_speed(slow | fast, since_ms=4_000, rate=100) == 6.0
    assert full_speed(slow | fast, since_ms=10_500, rate=100) == 0.0
    assert full_speed(slow, since_ms=4_000, rate=100) is None


def test_nothing_has_recovered_while_an_event_is_missing():
    ends = {number: 1_000 for number in PUBLISHED if number != 3}
    assert recovery(3, ends, since_ms=0) == 1.0
    assert recovery(4, ends, since_ms=0) is None


def test_entries_that_come_again_are_those_of_killed_workers_or_of_others():
    def put(number, sender, moment):
        return {"timestamp": ledger.event(number)["createdTime"]}, sender, moment

    bus = [put(0, "a", 10), put(1, "b", 11), put(0, "b", 30), put(1, "b", 31), put(2, "a", 12), put(2, "a", 15)]
    assert ledger.repeated(bus, {"a": 20}) == (1, 2)
