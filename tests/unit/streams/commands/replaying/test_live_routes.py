"""Tests of whose routes others are compared with: a worker's, or those of the folder, said with a word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import orjson
import pytest

from processors.event.errors import RouteError
from settings import Settings
from streams.commands.replaying.live_routes import PATH, current_routes
from streams.routes.folder import read_routes
from tests.unit.streams.commands.answering import Answers, answering

TEXTS = [replace(one, examples=()) for one in read_routes(Path(__file__).parents[5] / "schemas")]


@pytest.fixture
def worker() -> Iterator[Any]:
    class Handler(Answers):
        shown: ClassVar[Any] = {"worker": "http://one:6066", "version": "1.2.3", "routes": TEXTS}

        def answer(self) -> None:
            self.reply(orjson.dumps(self.shown) if self.path == PATH else b"{}")

    with answering(Handler) as server:
        yield server


@pytest.fixture
def settings() -> Settings:
    return Settings(genesys_source="none", web_port=1, _env_file=None)  # type: ignore[call-arg]


async def test_a_worker_that_answers_has_the_word(worker: Any, settings: Settings):
    found = await current_routes(settings, f"http://127.0.0.1:{worker.server_port}")
    assert [one.name for one in found.routes] == [one.name for one in TEXTS]
    assert found.as_json() | {"digest": ""} == {
        "worker": "http://one:6066", "version": "1.2.3", "routes": sorted(one.name for one in TEXTS), "digest": "",
    }  # fmt: skip
    assert "what http://one:6066 runs (version 1.2.3, " in str(found)
    local = await current_routes(settings, None)
    assert local.digest == found.digest, "they are the same routes"


async def test_without_a_worker_the_folder_is_taken_and_that_is_said(settings: Settings, capsys: Any):
    found = await current_routes(settings, None)
    assert found.as_json()["folder"] == str(settings.routes_dir)
    said = capsys.readouterr().err
    assert "no worker answers at http://127.0.0.1:1" in said
    assert f"compared with {settings.routes_dir} instead" in said


async def test_a_worker_that_was_named_must_answer(settings: Settings, capsys: Any):
    with pytest.raises(SystemExit) as ended:
        await current_routes(settings, "http://127.0.0.1:1")
    assert ended.value.code == 2
    assert "no worker answers" in capsys.readouterr().err


@pytest.mark.parametrize("answer", [[], {}, {"routes": [{"name": "a"}]}, {"routes": 3, "worker": "", "version": ""}])
async def test_an_answer_of_another_shape_is_no_worker(worker: Any, settings: Settings, answer: Any, capsys: Any):
    worker.RequestHandlerClass.shown = answer
    with pytest.raises(SystemExit):
        await current_routes(settings, f"http://127.0.0.1:{worker.server_port}")
    assert "names no routes" in capsys.readouterr().err


async def test_routes_that_do_not_compile_here_are_named(worker: Any, settings: Settings):
    worker.RequestHandlerClass.shown = {**worker.RequestHandlerClass.shown, "routes": [replace(TEXTS[0], filter="(")]}
    with pytest.raises(RouteError, match="the routes that http://one:6066 runs do not compile here"):
        await current_routes(settings, f"http://127.0.0.1:{worker.server_port}")
