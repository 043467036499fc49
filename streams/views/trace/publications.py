"""This module tells what EventBridge answered to entries, which the worker that put them remembers for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast
from urllib.parse import urlencode

from aiohttp import web
from faust.web import Request, Response, View

from processors.delivery.publications import Publication
from processors.event.strict_json import object_or_empty
from streams.app import app
from streams.views.common.answers import RefusedError
from streams.views.common.other_workers import other_workers
from streams.views.common.worker_client import NoAnswerError, ask
from streams.web.access import own_authorization

PATH = "/api/publications/"

#: Ids that are asked for at once.
MAX_IDS = 50

#: Seconds that another worker gets to answer.
PATIENCE_S = 3.0


@app.page(PATH)
class PublicationsHere(View):
    """Those of this worker."""

    async def get(self, request: Request) -> Response:
        """`{"publications": [{entry_id, event_id, partition, offset, at_ms, codes}]}` of each `?id=` that is given."""
        ids = cast(web.Request, request).query.getall("id", [])[:MAX_IDS]
        if not ids:
            raise RefusedError("bad request", "give id", 400)
        return self.json({"publications": [one.as_json() for one in _here(ids)]})


async def publications_of(ids: Sequence[str]) -> tuple[list[Publication], list[str]]:
    """Those that any worker of the group remembers, and the workers that do not answer."""
    ids = ids[:MAX_IDS]
    asked = other_workers()
    answers = await asyncio.gather(*(_ask(url, ids) for url in asked))
    found = [one for answer in answers if answer is not None for one in answer]
    unheard = [url for url, answer in zip(asked, answers, strict=True) if answer is None]
    return [*_here(ids), *found], unheard


def _here(ids: Sequence[str]) -> list[Publication]:
    return [one for ident in ids for one in app.publications.find(ident)]


async def _ask(url: str, ids: Sequence[str]) -> list[Publication] | None:
    asked = f"{url}{PATH}?{urlencode([('id', ident) for ident in ids])}"
    try:
        answer = await ask(app.http_client, asked, own_authorization(app.settings.tokens), patience_s=PATIENCE_S)
        return [Publication.of(one) for one in object_or_empty(answer.body)["publications"]]
    except (NoAnswerError, KeyError, TypeError, ValueError):
        return None
