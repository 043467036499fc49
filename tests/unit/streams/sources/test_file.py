"""This module tests the reading of a file of JSON lines."""

from __future__ import annotations

import pytest

from streams.sources.file import CHUNK_BYTES, read_file


async def lines_of(path):
    return [line async for batch in read_file(path, 1_000_000) for line in batch]


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"\n\r\n", []),
        (b'{"a":1}\r\n{"a":2}', [b'{"a":1}', b'{"a":2}']),
        (b'\xef\xbb\xbf{"a":1}\n', [b'{"a":1}']),
        (b'{"a":1}\n\xef\xbb\xbf{"a":2}\n', [b'{"a":1}', b'\xef\xbb\xbf{"a":2}']),
    ],
    ids=["nothing", "blank lines", "no line end at the end", "a mark before UTF-8", "a mark elsewhere is kept"],
)
async def test_lines(tmp_path, content, lines):
    (tmp_path / "events.jsonl").write_bytes(content)

    assert await lines_of(tmp_path / "events.jsonl") == lines


async def test_a_line_longer_than_a_chunk_is_one(tmp_path):
    line = b'"' + b"x" * (2 * CHUNK_BYTES) + b'"'
    (tmp_path / "events.jsonl").write_bytes(line + b"\n{}")

    assert await lines_of(tmp_path / "events.jsonl") == [line, b"{}"]


async def test_a_file_that_cannot_be_read_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        await lines_of(tmp_path / "nothing")
