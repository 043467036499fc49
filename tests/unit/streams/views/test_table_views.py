"""This module tests what the table views make of their arguments."""

from __future__ import annotations

import pytest

from streams.views.common.answers import as_csv, rows_wanted


@pytest.mark.parametrize(
    ("text", "rows"),
    [("1", 1), ("60", 60), ("0", None), ("", None), ("-1", None), ("1.5", None), ("٣", None), ("9" * 5_000, None)],
)
def test_a_limit_is_a_positive_number_of_few_digits(text, rows):
    assert rows_wanted(text) == rows


def test_csv_has_every_name_that_a_row_has_and_no_formula():
    rows = [{"from": 60, "published": 2}, {"from": 0, "reason": "=1+1", "buckets": [1, 2]}]
    assert as_csv(rows).splitlines() == [
        "from,published,reason,buckets",
        "60,2,,",
        """0,,'=1+1,"[1,2]\"""",
    ]


def test_csv_of_no_rows_is_an_empty_line():
    assert as_csv([]).strip() == ""
