"""This module asks the other workers of the group, where this one alone cannot answer."""

from __future__ import annotations

import asyncio
from typing import cast

import aiohttp
from faust.assignor.partition_assignor import PartitionAssignor
from faust.web import Request, Response, View

from streams.app import app
from streams.views.common.answers import RefusedError
from streams.views.common.table_owner import ASKED_BY_WORKER, TIMEOUT, asking


def other_workers() -> list[str]:
    """Web addresses of the group's other workers, as of its latest assignment."""
    # A worker that has partitions of neither a table nor a topic has nothing that could be paused, and runs nothing.
    assignor = cast(PartitionAssignor, app.assignor)
    known = {*assignor.tables_metadata(), *assignor.external_topics_metadata()}
    return sorted({str(url).rstrip("/") for url in known} - {app.worker_name})


def passed_on(request: Request) -> dict[str, str]:
    """Headers of a request that is made of another worker: the caller's own token, and that a worker asks."""
    return asking(request.headers.get("Authorization"))


async def from_others(view: View, request: Request, what: str) -> Response:
    """What another worker answers to the same request, as a run is known to who runs it; 404 when none does."""
    if not request.headers.get(ASKED_BY_WORKER):
        answers = await asyncio.gather(*(_answer(view, request, url) for url in other_workers()))
        if known := [one for one in answers if one is not None]:
            return min(known, key=lambda one: one.status)  # one that cannot say hides none that does
    raise RefusedError("not found", f"no worker of the group knows {what}; the one that ran it may have ended", 404)


async def _answer(view: View, request: Request, url: str) -> Response | None:
    asked = app.http_client.request(
        request.method, url + str(request.rel_url), headers=passed_on(request), timeout=TIMEOUT
    )
    try:
        async with asked as answer:
            if answer.status == 404:
                return None
            return view.bytes(await answer.read(), content_type=answer.content_type, status=answer.status)
    except (aiohttp.ClientError, TimeoutError):
        return None
