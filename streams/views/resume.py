"""This module lets an operator resume what paused because most events failed, on every worker of the group."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
from faust.web import Request, Response, View

from streams.app import app
from streams.views.actions import who_acts
from streams.views.common.other_workers import other_workers, passed_on
from streams.views.common.table_owner import ASKED_BY_WORKER, TIMEOUT

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
        if not request.headers.get(ASKED_BY_WORKER):
            workers += await asyncio.gather(*(_pass_on(url, request) for url in other_workers()))
            if any(worker.get("resumed") for worker in workers):
                await app.actions.record(who.name, "resume", detail="what paused as most events failed")
        failed = any("error" in worker for worker in workers)
        return self.json({"workers": workers}, status=502 if failed else 200)


async def _pass_on(url: str, request: Request) -> dict[str, Any]:
    try:
        async with app.http_client.post(url + PATH, headers=passed_on(request), timeout=TIMEOUT) as answer:
            if answer.status != 200:
                return {"worker": url, "error": f"answered {answer.status}"}
            return dict((await answer.json())["workers"][0])
    except (aiohttp.ClientError, TimeoutError) as error:
        return {"worker": url, "error": f"does not answer: {type(error).__name__}"}
    except (LookupError, TypeError, ValueError):
        return {"worker": url, "error": "what answers there is no worker: look at its WEB_ADVERTISED_URL"}
