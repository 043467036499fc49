"""Fixtures of the tests of what is looked up: topics that are no Kafka's."""

from contextlib import asynccontextmanager

import pytest


@pytest.fixture
def stands_for_kafka(monkeypatch):
    """Has a module read other topics: `counts`: their partitions by name, `reader_of` gives what reads one."""

    def stands(module, counts, reader_of):
        async def known(settings):
            return counts

        @asynccontextmanager
        async def opened(settings, name, known, wait_ms):
            yield reader_of(name)

        for name, own in {"partition_counts": known, "open_reader": opened}.items():
            monkeypatch.setattr(module, name, own)

    return stands
