"""Tests of the one REST client that the parts of a worker share."""

import pytest

from clients.genesys.rest.observer import Observer
from settings import Settings, SettingsError
from streams.sources.genesys import SharedClient

GIVEN = {"genesys_source": "notifications", "genesys_client_id": "id", "genesys_client_secret": "secret"}


async def test_parts_share_one_client_and_the_last_one_closes_it():
    shared = SharedClient(Settings(**GIVEN), Observer)
    async with shared.use() as (first, resolver):
        async with shared.use() as (second, same):
            assert (second, same) == (first, resolver)
        assert not first.http.is_closed
    assert first.http.is_closed
    async with shared.use() as (anew, _):
        assert anew is not first


async def test_without_credentials_there_is_none():
    shared = SharedClient(Settings(genesys_source="notifications"), Observer)
    with pytest.raises(SettingsError, match="GENESYS_CLIENT_ID"):
        async with shared.use():
            pass
