"""Tests of the de-duplication: outputs are known once noted, written as rows, and read back by who owns them."""

import pytest

from processors.delivery.marks import decode_row, encode_row
from streams.delivery.deduplication import Deduplication, RowTable


class FakeTable(dict):
    """Rows, with the raw store that Faust has beneath."""

    @property
    def data(self):
        return self


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def fingerprints():
    return {"calls": "v1"}


@pytest.fixture
def table():
    return FakeTable()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def new(table, fingerprints, clock):
    """Makes what a worker remembers that has these partitions."""
    return lambda *partitions, window_s=600: Deduplication(
        window_s, table, fingerprints.__getitem__, lambda: set(partitions), clock
    )


@pytest.fixture
def deduplication(new):
    return new()


def test_an_output_is_known_when_it_was_noted_and_until_the_window_is_over(deduplication, clock):
    mark = deduplication.mark("e", "calls")
    assert not deduplication.knows(mark)
    deduplication.note({mark: 3})
    assert deduplication.knows(mark)
    clock.now += 661
    deduplication.write()
    assert not deduplication.knows(mark)


def test_a_route_that_changed_makes_other_outputs(deduplication, fingerprints):
    deduplication.note({deduplication.mark("e", "calls"): 3})
    fingerprints["calls"] = "v2"
    deduplication.forget_fingerprints()
    assert not deduplication.knows(deduplication.mark("e", "calls"))


def test_what_was_noted_is_one_row_for_each_partition_and_written_once(deduplication, table):
    marks = [deduplication.mark(str(number), "calls") for number in range(3)]
    deduplication.note(dict(zip(marks, (3, 3, 7), strict=True)))
    assert not table, "a row holds a tenth of a second"
    deduplication.write()
    deduplication.write()
    assert [key.split("/")[:2] for key in table] == [["3", "1000000000"], ["7", "1000000000"]]
    assert [decode_row(row)[0] for row in table.values()] == [marks[:2], marks[2:]]


def test_rows_are_written_ten_times_a_second_while_outputs_are_made(deduplication, table, clock):
    for number in range(4):
        clock.now += 0.06
        deduplication.note({deduplication.mark(str(number), "calls"): 3})
    assert [len(decode_row(row)[0]) for row in table.values()] == [2, 2]


def test_rows_do_not_overwrite_each_other(deduplication, table):
    for number in range(2):
        deduplication.note({deduplication.mark(str(number), "calls"): 3})
        deduplication.write()
    assert len(table) == 2


def test_old_rows_are_dropped_whoever_wrote_them(deduplication, table, clock):
    table["5/999000000/0"] = encode_row([b"x" * 16], 999_000)
    table["garbage"] = 1
    deduplication.note({deduplication.mark("e", "calls"): 3})
    deduplication.write()
    clock.now += 11
    deduplication.write()
    assert [key.split("/")[0] for key in table] == ["3"]


async def test_rows_of_the_partitions_that_are_ours_are_remembered(table, new):
    first = new(3)
    mine, others = first.mark("mine", "calls"), first.mark("others", "calls")
    first.note({mine: 3, others: 4})
    first.write()
    table["3/1000000000/99"] = {"marks": "nonsense"}
    second = new(3)
    await second.restore()
    assert second.knows(mine)
    assert not second.knows(others)


async def test_turned_off_it_knows_nothing_and_writes_nothing(table, new):
    off = new(window_s=0)
    mark = off.mark("e", "calls")
    assert mark is None
    assert not off.knows(mark)
    off.note({b"x" * 16: 3})
    off.write()
    await off.restore()
    assert table == {}


def test_a_row_goes_to_the_partition_in_its_key():
    assert RowTable.partition_for_key(None, "7/1000/0") == 7


@pytest.mark.parametrize("key", [None, 5, "text", "a/b/c", "0/" + "9" * 400 + "/1", "0/" + "9" * 9000 + "/1", ("0", 5)])
async def test_a_key_that_is_none_of_ours_is_nobody_s_and_is_dropped(table, clock, new, key):
    table[key] = encode_row([b"m" * 16], clock.now)
    await new(0).restore()
    assert table == {}
