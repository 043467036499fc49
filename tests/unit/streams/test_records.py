"""Tests of reading records that aiokafka does not read: all of a batch comes, each once."""

import pytest
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.structs import TopicPartition

from streams import records

NONE, GZIP = 0, 1


def batch(first, names, compression=NONE):
    builder = DefaultRecordBatchBuilder(2, compression, 0, -1, -1, -1, 1_000_000)
    for offset, name in enumerate(names):
        builder.append(offset, 1_700_000_000_000, b"k", str(first + offset).encode(), [(name, b"v")])
    made = bytes(builder.build())
    return first.to_bytes(8, "big") + made[8:]


def read(data, start=0):
    """What the fetcher makes of it; the sums are not looked at, as names are changed afterwards."""
    found = fetcher.PartitionRecords(
        TopicPartition("t", 0), records.KeptRecords(data), None, start, None, None, False, fetcher.READ_UNCOMMITTED
    )
    return list(found), found.next_fetch_offset


@pytest.fixture(autouse=True)
def patched(monkeypatch):
    monkeypatch.setattr(fetcher.PartitionRecords, "__next__", records.next_record)


@pytest.mark.parametrize("start", [0, 1, 3])
def test_a_header_name_that_is_no_text_stops_nothing(start):
    data = batch(0, ["good", "good", "b@d", "good"]).replace(b"b@d", b"b\xffd") + batch(4, ["good"])
    found, following = read(data, start)
    assert [(one.offset, one.value) for one in found] == [(n, str(n).encode()) for n in range(start, 5)]
    assert [name for one in found if one.offset == 2 for name, _ in one.headers] == ["b\ufffdd"] * (start <= 2)
    assert following == 5


def test_what_is_compressed_is_read_as_well():
    data = batch(0, ["good", "b@d"]).replace(b"b@d", b"b\xffd") + batch(2, ["good"] * 3, GZIP)
    found, following = read(data)
    assert [(one.offset, one.value) for one in found] == [(n, str(n).encode()) for n in range(5)]
    assert following == 5


def test_healthy_records_are_read_by_the_compiled_reader(monkeypatch):
    monkeypatch.setattr(records, "LenientRecords", None)
    assert [one.offset for one in read(batch(0, ["good"] * 3))[0]] == [0, 1, 2]
