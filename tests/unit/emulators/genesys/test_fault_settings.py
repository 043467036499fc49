"""This module tests how faults are asked for."""

from __future__ import annotations

import pytest

from emulators.faults import FaultError, from_json
from emulators.genesys.faults import ActiveFaults, AnswerFault, Faults


def test_faults_are_read_from_json() -> None:
    found = from_json(b'{"answers":[{"path":"/oauth","status":500}]}', Faults)
    assert found == Faults(answers=(AnswerFault(path="/oauth", status=500),))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"no_such": 1}', "no_such"),
        ('{"duplicate_share": 2}', "duplicate_share"),
        ("{", "not JSON"),
        ("{}x", "not JSON"),
    ],
)
def test_a_wrong_fault_is_named(text: str, place: str) -> None:
    with pytest.raises(FaultError, match=place):
        from_json(text.encode(), Faults)


def test_a_counted_answer_is_given_so_many_times() -> None:
    active = ActiveFaults(Faults(answers=(AnswerFault(path="/events", status=429, times=2, method="GET"),)))
    assert active.answer("POST", "/x/events") is None
    given = [active.answer("GET", "/x/events") for _ in range(3)]
    assert [fault.status if fault else None for fault in given] == [429, 429, None]
