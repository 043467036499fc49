"""This module tests the look at where events come from."""

from __future__ import annotations

import pytest

from clients.genesys.rest.client import GenesysRest
from clients.genesys.rest.errors import CredentialsError, GenesysRequestError, PermissionMissingError
from emulators.genesys import GenesysEmulator
from emulators.genesys.access.permissions import CONVERSATION_VIEW, DETAIL_VIEW, QUEUE_VIEW
from settings import load_settings
from streams.checks.source import check_source

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


async def test_nobody_at_home_says_what_kept_it_from_answering():
    [found] = await check_source(load_settings(**CLIENT, genesys_base_url="http://127.0.0.1:1"), patience_s=5.0)

    assert found.unreachable
    assert found.detail == "login not reached: it refuses the connection"
    assert "GENESYS_BASE_URL" in found.fix


@pytest.mark.parametrize(
    ("error", "detail", "fix"),
    [
        (CredentialsError("login refused: 401; check GENESYS_CLIENT_ID"), "login refused: 401", "check GENESYS_CLIENT"),
        (PermissionMissingError("GET /x", ["a:b:view"]), "GET /x: permission missing: a:b:view", "give the OAuth"),
        (GenesysRequestError("GET /x", 404, "not.found", "gone"), "GET /x: 404 not.found: gone", "fix GENESYS_BASE"),
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


@pytest.mark.parametrize(
    ("taken", "name", "words"),
    [
        (None, None, ""),
        (CONVERSATION_VIEW, "genesys topics", "conversation:communication:view"),
        (DETAIL_VIEW, "genesys backfill", "analytics:conversationDetail:view"),
    ],
    ids=["all", "the topics", "the query"],
)
async def test_each_permission_that_is_missing_is_named(taken, name, words):
    granted = {QUEUE_VIEW, CONVERSATION_VIEW, DETAIL_VIEW} - {taken}
    async with GenesysEmulator(conversation_rate=0.0, permissions=granted) as emulator:
        settings = load_settings(
            genesys_source="notifications",
            genesys_base_url=emulator.url,
            genesys_client_id=emulator.client_id,
            genesys_client_secret=emulator.client_secret,
        )
        findings = await check_source(settings)

    assert [one.name for one in findings] == ["genesys", "genesys topics", "genesys backfill"]
    wrong = [one for one in findings if not one.ok]
    assert [one.name for one in wrong] == ([name] if name else [])
    assert all(words in str(one) for one in wrong)
