"""This module reads a file of JSON lines as a source, and shows how far it has come."""

from __future__ import annotations

import asyncio
import sys
from codecs import BOM_UTF8
from collections.abc import AsyncGenerator
from pathlib import Path

import structlog
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from processors.event.lines import Line, LineSplitter

log = structlog.get_logger(__name__)

CHUNK_BYTES = 256 * 1024

#: Where nobody watches a bar, a log line says every so many percent.
LOG_EVERY_PERCENT = 10


async def read_file(path: Path, max_line_bytes: int) -> AsyncGenerator[list[Line], None]:
    """Lines of the file in batches of one chunk; the next is read when the last has been taken. Raises OSError.

    The mark that some editors put before UTF-8 belongs to no line.
    """
    splitter = LineSplitter(max_line_bytes)
    size, done, logged = (await asyncio.to_thread(path.stat)).st_size, 0, 0
    with _progress() as progress, path.open("rb") as file:
        task = progress.add_task(path.name, total=size)
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            if lines := splitter.feed(chunk if done else chunk.removeprefix(BOM_UTF8)):
                yield lines
            done += len(chunk)
            progress.update(task, completed=done)
            percent = 100 * done // max(1, size)
            if not sys.stderr.isatty() and percent >= logged + LOG_EVERY_PERCENT:
                logged = percent
                log.info("file is being read", file=path.name, percent=percent, bytes=done)
        if lines := splitter.close():
            yield lines


def _progress() -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True)
