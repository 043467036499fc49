"""This module tests what the table views make of their arguments."""

from __future__ import annotations

import pytest

from streams.views.tables import rows_wanted


@pytest.mark.parametrize(
    ("text", "rows"),
    [("1", 1), ("60", 60), ("0", None), ("", None), ("-1", None), ("1.5", None), ("٣", None), ("9" * 5_000, None)],
)
def test_a_limit_is_a_positive_number_of_few_digits(text, rows):
    assert rows_wanted(text) == rows
