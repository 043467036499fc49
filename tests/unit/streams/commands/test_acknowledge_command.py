"""The command `acknowledge` against a worker that answers as it is told to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from click.testing import Result

from processors.metrics.expired import expired_row
from tests.unit.streams.commands.answering import Answers, answering

Invoke = Callable[..., Result]
ROW = expired_row("raw", 3, (100, 420), 1_764_000_000_000, None)


@pytest.fixture
def worker() -> Iterator[Any]:
    class Handler(Answers):
        shown: ClassVar[Any] = {"acknowledged": [ROW]}
        status = 200

        def answer(self) -> None:
            body = json.dumps(self.shown).encode() if self.path == "/api/acknowledge/" else b""
            self.reply(body, self.status)

    with answering(Handler) as server:
        yield server


def url(worker: Any) -> str:
    return f"http://127.0.0.1:{worker.server_port}"


def test_what_was_acknowledged_is_shown(invoke: Invoke, worker: Any):
    result = invoke("acknowledge", "--url", url(worker))
    assert result.exit_code == 0
    for text in ("raw", "320", "100", "420"):
        assert text in result.output
    result = invoke("acknowledge", "--url", url(worker), "--json")
    assert json.loads(result.stdout) == {"acknowledged": [ROW]}


def test_nothing_to_acknowledge_is_said(invoke: Invoke, worker: Any):
    worker.RequestHandlerClass.shown = {"acknowledged": []}
    result = invoke("acknowledge", WEB_PORT=str(worker.server_port))
    assert result.exit_code == 0
    assert "nothing is to be acknowledged" in result.output


@pytest.mark.parametrize(
    ("status", "answer", "says"),
    [
        (503, {"error": "unavailable", "message": "the tables are being recovered"}, "the tables are being recovered"),
        (401, {}, "set WEB_TOKEN"),
        (404, {}, "is it a worker of this version?"),
    ],
)
def test_a_worker_that_cannot_is_one_line_and_exit_code_2(
    invoke: Invoke, worker: Any, status: int, answer: Any, says: str
):
    worker.RequestHandlerClass.status, worker.RequestHandlerClass.shown = status, answer
    result = invoke("acknowledge", "--url", url(worker))
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stderr.count("\n") == 1


def test_nobody_there_is_one_line_and_exit_code_2(invoke: Invoke):
    result = invoke("acknowledge", "--url", "http://127.0.0.1:1")
    assert result.exit_code == 2
    assert "name one with --url" in result.stderr
