"""Tests of how a range of a topic is left before its end."""

from types import SimpleNamespace

import pytest

from clients.kafka.ranges import Range


@pytest.mark.parametrize(
    ("end", "reason"),
    [({0: 9, 1: 5}, "told to stop"), ({0: 2, 1: 8}, "told to stop"), ({0: 2, 1: 5}, "")],
    ids=["another partition is open", "so is this one", "all was read"],
)
def test_a_range_that_is_left_goes_on_behind_its_chunk(end, reason):
    what = Range("raw", {0: 2, 1: 3}, end)
    chunk = [SimpleNamespace(partition=1, offset=offset) for offset in (3, 4)]
    assert what.leave(chunk) == reason
    assert what.next == {0: 2, 1: 5}
