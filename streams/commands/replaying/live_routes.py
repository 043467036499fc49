"""This module gets the routes that live workers run, for the side of a comparison that is called `now`."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from processors.event.errors import RouteError
from processors.routes.route import compile_route
from settings import Settings
from streams.commands.terminal.ask_worker import NoWorkerError, asked
from streams.commands.terminal.options import refuse
from streams.replay.current_routes import CurrentRoutes
from streams.routes.load import compiled_routes
from streams.routes.sandbox.protocol import read_texts

PATH = "/api/routes/in-use/"


async def current_routes(settings: Settings, url: str | None) -> CurrentRoutes:
    """The routes of a worker, by default of the one that the settings name; where that is not there, of ROUTES_DIR.

    Raises RouteError.
    """
    try:
        answer = await asyncio.to_thread(asked, settings, url, "GET", PATH)
        return _of_worker(answer)
    except NoWorkerError as error:
        if url is not None:
            refuse(error)
        click.echo(f"genesys-eventbridge: {error}; compared with {settings.routes_dir} instead", err=True)
        return CurrentRoutes(await compiled_routes(settings), folder=str(settings.routes_dir))


def _of_worker(answer: Any) -> CurrentRoutes:
    try:
        texts = [read_texts(one) for one in answer["routes"]]
        worker, version = str(answer["worker"]), str(answer["version"])
    except (TypeError, KeyError, ValueError) as error:
        raise NoWorkerError(f"the answer names no routes ({type(error).__name__}): name a worker with --url") from None
    try:
        return CurrentRoutes(tuple(map(compile_route, texts)), worker, version)
    except RouteError as error:
        raise RouteError(f"the routes that {worker} runs do not compile here: {error}") from None
