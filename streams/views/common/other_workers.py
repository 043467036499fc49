"""This module asks the other workers of the group, where this one alone cannot answer."""

from __future__ import annotations

import asyncio
from typing import cast

from faust.assignor.partition_assignor import PartitionAssignor
from faust.web import Request, Response, View

from streams.app import app
from streams.views.common.answers import RefusedError
from streams.views.common.worker_client import NoAnswerError, is_asked_by_worker, pass_on


def other_workers() -> list[str]:
    """Web addresses of the group's other workers, as of its latest assignment."""
    # A worker that has partitions of neither a table nor a topic has nothing that could be paused, and runs nothing.
    assignor = cast(PartitionAssignor, app.assignor)
    known = {*assignor.tables_metadata(), *assignor.external_topics_metadata()}
    return sorted({str(url).rstrip("/") for url in known} - {app.worker_name})


async def from_others(view: View, request: Request, what: str) -> Response:
    """What another worker answers to the same request, as a run is known to who runs it; 404 when none does."""
    if not is_asked_by_worker(request):
        answers = await asyncio.gather(*(_answer(view, request, url) for url in other_workers()))
        if known := [one for one in answers if one is not None]:
            return min(known, key=lambda one: one.status)  # one that cannot say hides none that does
    raise RefusedError("not found", f"no worker of the group knows {what}; the one that ran it may have ended", 404)


async def _answer(view: View, request: Request, url: str) -> Response | None:
    try:
        answer = await pass_on(app.http_client, request, url)
    except NoAnswerError:
        return None
    return None if answer.status == 404 else answer.shown(view)
