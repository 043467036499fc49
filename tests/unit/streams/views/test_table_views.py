"""This module tests what the table views make of their arguments."""

from __future__ import annotations

import pytest

from streams.views.common.answers import as_csv
from streams.views.tables import with_times


def test_csv_has_every_name_that_a_row_has_and_no_formula():
    rows = [{"from": 60, "published": 2}, {"from": 0, "reason": "=1+1", "buckets": [1, 2]}]
    assert as_csv(rows).splitlines() == [
        "from,published,reason,buckets",
        "60,2,,",
        """0,,'=1+1,"[1,2]\"""",
    ]


def test_csv_of_no_rows_is_an_empty_line():
    assert as_csv([]).strip() == ""


@pytest.mark.parametrize(
    ("row", "times"),
    [
        ({"from": 1_763_895_600, "to": 1_763_895_660}, ("2025-11-23T11:00:00Z", "2025-11-23T11:01:00Z")),
        (
            {"start_ms": 1_763_895_600_500, "end_ms": 1_763_895_601_000},
            ("2025-11-23T11:00:00.500Z", "2025-11-23T11:00:01Z"),
        ),
        ({"start_ms": 1_763_895_600_000, "state": "open"}, ("2025-11-23T11:00:00Z", None)),
        ({"from": -1, "to": 10**30}, (None, None)),
    ],
)
def test_a_row_says_its_time_in_words_beside_the_numbers(row, times):
    assert with_times(row) == {**row, "fromTime": times[0], "toTime": times[1]}


def test_a_row_of_all_time_has_none():
    assert with_times({"key": "all"}) == {"key": "all"}
