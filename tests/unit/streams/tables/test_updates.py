"""Tests of deltas in the tables: each row has every delta once, also when Kafka brings it again."""

import pytest

from processors.metrics import counts
from streams.tables import rows, updates
from streams.tables.definitions import KEY, SumTables


class Minute:
    """A windowed table with one row, as Faust's is used inside of an agent."""

    def __init__(self):
        self.row = {}

    def __getitem__(self, key):
        return self

    def __setitem__(self, key, row):
        self.row = row

    def current(self, event):
        return self.row


@pytest.fixture
def tables():
    windowed = {name: Minute() for name in ("throughput", "failed", "routes", "latency", "history")}
    return SumTables(**windowed, totals={KEY: {}}, gaps={}, plain={})


@pytest.fixture
def delta():
    """A numbered delta in which everything is counted once."""
    found = counts.Counts()
    found.add("raw", 3)
    found.fail("validate", "E")
    found.route("calls", "failed")
    found.latency(20)

    def made(number, by="a worker"):
        mine = counts.Counts()
        mine.take(found)
        return {"by": by, "number": number, **mine.drain()}

    return made


def test_a_delta_that_comes_again_is_in_no_table_twice(tables, delta):
    for number in (1, 2, 1, 2):  # as after an owner that ended between its rows and its commit
        updates.add_delta(tables, None, delta(number))
    sums = rows.read_sums(tables.totals[KEY])
    assert sums["counts"] == rows.read_numbers(tables.throughput.row) == {"raw": 6, "failed": 2}
    assert sums["failed"] == rows.read_numbers(tables.failed.row) == {"validate/E": 2}
    assert sums["routes"] == rows.read_numbers(tables.routes.row) == {"calls/failed": 2}
    assert sums["latency"] == rows.read_histogram(tables.latency.row)
    assert sums["latency"]["count"] == 2


def test_a_table_whose_changelog_lacks_a_delta_gets_it_when_it_comes_again(tables, delta):
    updates.add_delta(tables, None, delta(1))
    tables.failed.row = {}  # its changelog is on another broker, and the owner was killed
    updates.add_delta(tables, None, delta(1))
    assert rows.read_numbers(tables.failed.row) == {"validate/E": 1}
    assert rows.read_sums(tables.totals[KEY])["counts"] == {"raw": 3, "failed": 1}


def test_deltas_of_two_workers_have_nothing_to_do_with_each_other(tables, delta):
    for by in ("one", "another", "one"):
        updates.add_delta(tables, None, delta(1, by))
    assert rows.read_sums(tables.totals[KEY])["counts"]["raw"] == 6
