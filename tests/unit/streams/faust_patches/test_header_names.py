"""Tests of reading records that aiokafka does not read: all of a batch comes, each once."""

import pytest
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder, _DefaultRecordBatchBuilderPy
from aiokafka.structs import TopicPartition

from streams.faust_patches import header_names

NONE, GZIP = 0, 1


def batch(first, names, compression=NONE, builder=DefaultRecordBatchBuilder):
    builder = builder(2, compression, 0, -1, -1, -1, 1_000_000)
    for offset, name in enumerate(names):
        builder.append(offset, 1_700_000_000_000, b"k", str(first + offset).encode(), [(name, b"v" * 99)])
    made = bytes(builder.build())
    assert DefaultRecordBatch(made).compression_type == compression  # it does not where that saves nothing
    return first.to_bytes(8, "big") + made[8:]


class ForeignBuilder(_DefaultRecordBatchBuilderPy):
    """A producer that writes its header names as they are, and a check sum of what it wrote."""

    def _maybe_compress(self):
        self._buffer = self._buffer.replace(b"b@d", b"b\xffd")
        return super()._maybe_compress()


def foreign(first, names, compression=NONE):
    return batch(first, names, compression, ForeignBuilder)


def read(data, start=0):
    """What the fetcher makes of it, as Faust sets it up."""
    found = fetcher.PartitionRecords(
        TopicPartition("t", 0), header_names.KeptRecords(data), None, start, None, None, True, fetcher.READ_COMMITTED
    )
    return list(found), found.next_fetch_offset


@pytest.fixture(autouse=True)
def patched(monkeypatch):
    monkeypatch.setattr(fetcher.PartitionRecords, "__next__", header_names.next_record)


@pytest.mark.parametrize("compression", [NONE, GZIP])
@pytest.mark.parametrize("start", [0, 1, 3])
def test_a_header_name_that_is_no_text_stops_nothing(start, compression):
    data = foreign(0, ["good", "good", "b@d", "good"], compression) + batch(4, ["good"])
    found, following = read(data, start)
    assert [(one.offset, one.value) for one in found] == [(n, str(n).encode()) for n in range(start, 5)]
    assert [name for one in found if one.offset == 2 for name, _ in one.headers] == ["b\ufffdd"] * (start <= 2)
    assert following == 5


@pytest.mark.parametrize("compression", [NONE, GZIP])
@pytest.mark.parametrize("names", [["b@d", "good"], ["good", "b@d"]])
def test_records_of_the_batches_before_come_once(names, compression):
    data = batch(0, ["good"] * 3) + batch(3, ["good"]) + foreign(4, names, compression) + foreign(6, names, GZIP)
    found, following = read(data)
    assert [(one.offset, one.value) for one in found] == [(n, str(n).encode()) for n in range(8)]
    assert following == 8


def test_a_batch_cut_off_at_the_end_of_a_fetch_is_left_for_the_next():
    data = batch(0, ["good"]) + foreign(1, ["b@d"]) + batch(2, ["good"])[:-3]
    found, following = read(data)
    assert [one.offset for one in found] == [0, 1]
    assert following == 2


def test_healthy_records_are_read_by_the_compiled_reader(monkeypatch):
    monkeypatch.setattr(header_names, "LenientRecords", None)
    assert [one.offset for one in read(batch(0, ["good"] * 3))[0]] == [0, 1, 2]
