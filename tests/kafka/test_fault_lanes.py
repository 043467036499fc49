"""Tests how the fault suite shares cases among its lanes."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from tests.kafka.faults.cases import CASES
from tests.kafka.faults.suite import side_by_side

BESIDE = [case.name for case in CASES.values() if not case.alone]


@dataclass
class Noted:
    """A lane that runs nothing: its results are the names."""

    names: list[str] = field(default_factory=list)
    is_closed: bool = False
    error: BaseException | None = None

    def run(self, names):
        self.names = list(names)
        if self.error is not None:
            raise self.error
        return self.names

    def close(self):
        self.is_closed = True


@pytest.mark.parametrize("lanes", [1, 2, 3])
def test_every_case_runs_in_one_lane_and_the_lanes_take_alike(lanes: int):
    noted = [Noted() for _ in range(lanes)]
    assert sorted(side_by_side(noted, BESIDE)) == sorted(BESIDE)
    lengths = [sum(CASES[name].seconds for name in lane.names) for lane in noted]
    assert max(lengths) - min(lengths) <= max(CASES[name].seconds for name in BESIDE) / 2


def test_an_interruption_closes_every_lane():
    noted = [Noted(), Noted(error=KeyboardInterrupt())]
    with pytest.raises(KeyboardInterrupt):
        side_by_side(noted, BESIDE)
    assert all(lane.is_closed for lane in noted)


def test_what_harms_the_brokers_runs_alone():
    assert {case.name for case in CASES.values() if case.alone} == {"disk-full", "leader-killed", "two-of-three-down"}
