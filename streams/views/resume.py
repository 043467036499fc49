"""This module lets an operator resume what paused because most events failed, on every worker of the group."""

from __future__ import annotations

import asyncio
from typing import Any

from faust.web import Request, Response, View

from processors.event.strict_json import object_or_empty
from streams.app import app
from streams.views.actions import who_acts
from streams.views.common.other_workers import other_workers
from streams.views.common.worker_client import NoAnswerError, is_asked_by_worker, pass_on

PATH = "/api/resume/"


@app.page(PATH)
class Resume(View):
    """POST lets paused batches go on."""

    async def post(self, request: Request) -> Response:
        """`{"workers": [{"worker": url, "resumed": true | false} | {"worker": url, "error": reason}]}`.

        Passed on to the other workers, with the caller's token. 502 when one of them does not answer.
        """
        who = who_acts(request)
        workers: list[dict[str, Any]] = [{"worker": app.worker_name, "resumed": app.resume()}]
        if not is_asked_by_worker(request):
            workers += await asyncio.gather(*(_pass_on(url, request) for url in other_workers()))
            if any(worker.get("resumed") for worker in workers):
                await app.actions.record(who.name, "resume", detail="what paused as most events failed")
        failed = any("error" in worker for worker in workers)
        return self.json({"workers": workers}, status=502 if failed else 200)


async def _pass_on(url: str, request: Request) -> dict[str, Any]:
    try:
        answer = await pass_on(app.http_client, request, url)
    except NoAnswerError as error:
        return {"worker": url, "error": f"does not answer: {error}"}
    if answer.status != 200:
        return {"worker": url, "error": f"answered {answer.status}"}
    match object_or_empty(answer.body):
        case {"workers": [dict() as own, *_]}:
            return own
    return {"worker": url, "error": "what answers there is no worker: look at its WEB_ADVERTISED_URL"}
