"""The command `top` against a worker that answers as it is told to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import Result

from tests.unit.streams.commands.answering import Answers, answering

Invoke = Callable[..., Result]

REPORT = {
    "raw": 12,
    "published": 7,
    "filtered": 3,
    "failed": 1,
    "repeated": 0,
    "inFlight": 1,
    "balanced": True,
    "failedBy": {},
}
LIVE = {
    "report": REPORT,
    "lag": {"partitions": []},
    "status": {"works": False, "reasons": ["sink is paused by anna"], "workers": []},
    "minutes": {"minutes": []},
}
FAILURE = {"at": "2026-11-25T10:11:12Z", "stage": "validate", "error": "SchemaViolation", "route": "r", "message": "m"}


@pytest.fixture
def pages() -> dict[str, Any]:
    return {"/api/live/": LIVE, "/api/failures/": {"failures": [FAILURE]}}


@pytest.fixture
def port(pages: dict[str, Any]) -> Iterator[str]:
    class Handler(Answers):
        def answer(self) -> None:
            found = pages.get(self.path.partition("?")[0])
            body = json.dumps(found or {"error": "unavailable", "message": "the tables are being recovered"}).encode()
            self.reply(body, 200 if found else 503)

    with answering(Handler) as server:
        yield str(server.server_port)


def test_one_moment_is_drawn(invoke: Invoke, port: str):
    result = invoke("top", "--once", WEB_PORT=port)
    assert result.exit_code == 0
    for part in ("sink is paused by anna", "✓ balanced", "10:11:12 validate/SchemaViolation r: m"):
        assert part in result.output


def test_the_numbers_are_json_for_programs(invoke: Invoke, port: str):
    result = invoke("top", "--json", "--url", f"http://127.0.0.1:{port}")
    assert json.loads(result.stdout) == LIVE


def test_failures_that_are_not_told_are_the_sums(invoke: Invoke, port: str, pages: dict[str, Any]):
    del pages["/api/failures/"]
    assert "failed, by stage and error" in invoke("top", "--once", WEB_PORT=port).output


def test_tables_that_move_are_one_line(invoke: Invoke, port: str, pages: dict[str, Any]):
    pages.clear()
    result = invoke("top", WEB_PORT=port)
    assert result.exit_code == 2
    assert "the tables are being recovered: ask again" in result.stderr


def test_nobody_there_is_one_line(invoke: Invoke):
    result = invoke("top", "--url", "http://127.0.0.1:1")
    assert result.exit_code == 2
    assert "no worker answers at http://127.0.0.1:1" in result.stderr
