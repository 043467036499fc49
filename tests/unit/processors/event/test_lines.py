"""Tests of the line splitter: the network's cuts make no difference, and memory stays bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.event.lines import Line, LineSplitter, OversizedLine


def split(chunks: list[bytes], limit: int = 10) -> list[Line]:
    splitter = LineSplitter(limit, prefix_bytes=4)
    lines = [line for chunk in chunks for line in splitter.feed(chunk)]
    return lines + splitter.close()


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([], []),
        ([b"a\nb\n"], [b"a", b"b"]),
        ([b"a\r\nb\r\n"], [b"a", b"b"]),
        ([b"a\r", b"\nb"], [b"a", b"b"]),
        ([b"\n\n \t\n\r\na\n"], [b"a"]),
        ([b"ab", b"cd", b"\n"], [b"abcd"]),
        ([b"no end"], [b"no end"]),
        ([b"a\rb\n"], [b"a\rb"]),
        ([b"0123456789\n"], [b"0123456789"]),
        ([b"0123456789\r\n"], [b"0123456789"]),
        ([b"01234567890\n"], [OversizedLine(b"0123", 11)]),
        ([b"0123456789", b"0\n", b"ok\n"], [OversizedLine(b"0123", 11), b"ok"]),
        ([b"01", b"23456", b"789012345", b"6"], [OversizedLine(b"0123", 17)]),
    ],
    ids=[
        "nothing", "two lines", "carriage returns", "cut within the line end", "blank lines", "three chunks",
        "no line end", "a carriage return inside", "as long as allowed", "as long as allowed, with \\r",
        "one too long", "one too long, in two chunks", "one too long, without line end",
    ],
)  # fmt: skip
def test_lines(chunks, expected):
    assert split(chunks) == expected


@given(
    st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n", b" ", b"0123456789", b"xyz", b"\xff"]), max_size=40),
    st.data(),
)
def test_any_cut_gives_the_same_lines(pieces, data):
    whole = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=20)))
    chunks = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert split(chunks) == split([whole])


@given(st.binary(max_size=200))
def test_what_is_within_the_limit_is_what_the_line_ends_say(data):
    expected = [line.removesuffix(b"\r") for line in data.split(b"\n")]
    assert split([data], limit=1000) == [line for line in expected if line and not line.isspace()]


def test_a_line_without_end_does_not_grow_memory():
    splitter = LineSplitter(1_000, prefix_bytes=64)
    for _ in range(1_000):
        assert splitter.feed(b"x" * 10_000) == []
        assert len(splitter._held) <= 1_001
    assert splitter.pending == 10_000_000
    assert splitter.feed(b"\n") == [OversizedLine(b"x" * 64, 10_000_000)]


def test_discard_forgets_the_unfinished_line():
    splitter = LineSplitter(100)
    splitter.feed(b"half")
    assert splitter.discard() == 4
    assert splitter.feed(b"whole\n") == [b"whole"]
    assert splitter.close() == []
