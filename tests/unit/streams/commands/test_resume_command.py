"""The command `resume` against a worker that answers as it is told to."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from click.testing import Result

from tests.unit.streams.commands.answering import Answers, answering

Invoke = Callable[..., Result]


@dataclass
class Worker:
    """What it answers, and what it was asked."""

    port: int = 0
    status: int = 200
    workers: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker()

    class Handler(Answers):
        def answer(self) -> None:
            made.asked.append((self.path, self.headers["Authorization"]))
            self.reply(json.dumps({"workers": made.workers}).encode(), made.status)

    with answering(Handler) as server:
        made.port = server.server_port
        yield made


@pytest.mark.parametrize("secret", ["secret", " spaces ", "s\u00e9cret\u2713", 'quo"te:colon', "tab\tnew\nline"])
def test_the_worker_of_the_settings_is_asked_with_the_token(invoke: Invoke, worker: Worker, secret: str):
    worker.workers = [{"worker": "http://one", "resumed": True}, {"worker": "http://two", "resumed": False}]
    result = invoke("resume", WEB_HOST="0.0.0.0", WEB_PORT=str(worker.port), WEB_TOKEN=secret)
    assert result.exit_code == 0
    [(path, authorization)] = worker.asked
    assert path == "/api/resume/"
    assert base64.b64decode(authorization.removeprefix("Basic ")).decode() == f"command:{secret}"
    for text in ("http://one", "resumed", "http://two", "had not paused by itself"):
        assert text in result.output
    assert secret.strip() not in result.output


def test_the_advertised_address_wins_over_host_and_port(invoke: Invoke, worker: Worker):
    assert invoke("resume", WEB_ADVERTISED_URL=worker.url, WEB_PORT="1").exit_code == 0
    assert worker.asked == [("/api/resume/", None)]


def test_a_worker_that_did_not_answer_is_told_and_the_exit_code_is_1(invoke: Invoke, worker: Worker):
    worker.status = 502
    worker.workers = [{"worker": "http://one", "resumed": True}, {"worker": "http://two", "error": "away"}]
    result = invoke("resume", "--url", worker.url, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {"workers": worker.workers}


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (401, "wants a token: set WEB_TOKEN"),
        (403, "with the right act"),
        (404, "answered 404"),
        (421, "name the host in its WEB_ALLOWED_HOSTS"),
    ],
)
def test_a_refusal_says_what_to_do(invoke: Invoke, worker: Worker, status: int, says: str):
    worker.status = status
    result = invoke("resume", "--url", worker.url)
    assert result.exit_code == 2
    assert says in result.stderr


def test_a_token_that_the_worker_does_not_know_is_told_as_that(invoke: Invoke, worker: Worker):
    worker.status = 401
    result = invoke("resume", "--url", worker.url, WEB_TOKEN="old")
    assert result.exit_code == 2
    assert "does not know the token that was sent" in result.stderr


def test_nobody_there_is_one_line_and_exit_code_2(invoke: Invoke):
    result = invoke("resume", "--url", "http://127.0.0.1:1")
    assert result.exit_code == 2
    assert "no worker answers at http://127.0.0.1:1" in result.stderr
