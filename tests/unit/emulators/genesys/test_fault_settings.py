"""This module tests how faults are asked for."""

from __future__ import annotations

import pytest

from emulators.faults import FaultError
from emulators.genesys.faults import DEMO, ActiveFaults, AnswerFault, Faults, parse_faults


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", Faults()),
        ("demo", DEMO),
        ("cut_every_events=10,half_line", Faults(cut_every_events=10, half_line=True)),
        (
            '{"answers":[{"path":"/oauth","status":500}]}',
            Faults(answers=(AnswerFault(path="/oauth", status=500),)),
        ),
    ],
    ids=["none", "preset", "pairs", "JSON"],
)
def test_faults_are_read_in_three_forms(text: str, faults: Faults) -> None:
    assert parse_faults(text) == faults


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("no_such=1", "no_such"),
        ("duplicate_share=2", "duplicate_share"),
        ("{", "not JSON"),
        ("{}x", "not JSON"),
    ],
)
def test_a_wrong_fault_is_named(text: str, place: str) -> None:
    with pytest.raises(FaultError, match=place):
        parse_faults(text)


def test_a_counted_answer_is_given_so_many_times() -> None:
    active = ActiveFaults(Faults(answers=(AnswerFault(path="/events", status=429, times=2, method="GET"),)))
    assert active.answer("POST", "/x/events") is None
    given = [active.answer("GET", "/x/events") for _ in range(3)]
    assert [fault.status if fault else None for fault in given] == [429, 429, None]
