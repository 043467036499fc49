"""This module tests what the views of the playground make of rows and events."""

from streams.views.playground.routes import read_ends


def test_ends_are_summed_by_route():
    rows = [
        {"from": 0, "to": 60, "calls/mapped": 2, "calls/published": 1, "a/b/failed": 1},
        {"from": 60, "to": 120, "calls/mapped": 3},
    ]
    assert read_ends(rows) == {"calls": {"mapped": 5, "published": 1}, "a/b": {"failed": 1}}
