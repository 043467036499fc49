"""This module tests the look at where events come from."""

from __future__ import annotations

import pytest

from clients.genesys.errors import CredentialsError, GenesysRequestError, PermissionMissingError
from clients.genesys.rest import GenesysRest
from streams import source_checks
from streams.settings import load_settings
from streams.source_checks import check_source

CLIENT = {"genesys_client_id": "id", "genesys_client_secret": "secret", "genesys_source": "stream"}


async def test_a_file_that_is_there_is_well(tmp_path):
    (tmp_path / "events.jsonl").write_bytes(b"{}\n")

    [found] = await check_source(load_settings(genesys_source=f"file:{tmp_path}/events.jsonl"))

    assert (found.ok, found.detail, found.fix) == (True, f"{tmp_path}/events.jsonl, 3 bytes", "")


@pytest.mark.parametrize(
    ("name", "words"), [("nothing", "cannot be read"), ("", "is a folder")], ids=["missing", "a folder"]
)
async def test_a_file_that_cannot_be_read_is_not(tmp_path, name, words):
    [found] = await check_source(load_settings(genesys_source=f"file:{tmp_path}/{name}"))

    assert not found.ok
    assert words in found.detail
    assert "GENESYS_SOURCE" in found.fix


async def test_nobody_at_home_says_what_kept_it_from_answering(monkeypatch):
    monkeypatch.setattr(source_checks, "GENESYS_S", 0.5)

    [found] = await check_source(load_settings(**CLIENT, genesys_base_url="http://127.0.0.1:1"))

    assert found.away
    assert found.detail == "login not reached: All connection attempts failed"
    assert "GENESYS_BASE_URL" in found.fix


@pytest.mark.parametrize(
    ("error", "detail", "fix"),
    [
        (CredentialsError("login refused: 401; check GENESYS_CLIENT_ID"), "login refused: 401", "check GENESYS_CLIENT"),
        (PermissionMissingError("GET /x", ["a:b:view"]), "GET /x: permission missing: a:b:view", "give the OAuth"),
        (GenesysRequestError("GET /x", 404, "not.found", "gone"), "GET /x: 404 not.found: gone", "mend GENESYS_BASE"),
    ],
    ids=["credentials", "permission", "request"],
)
async def test_a_refusal_is_told_apart_from_its_remedy(monkeypatch, error, detail, fix):
    async def refuse(self: GenesysRest) -> str:
        raise error

    monkeypatch.setattr(GenesysRest, "token", refuse)

    [found] = await check_source(load_settings(**CLIENT, genesys_base_url="http://127.0.0.1:1"))

    assert (found.ok, found.detail) == (False, detail)
    assert found.fix.startswith(fix)
