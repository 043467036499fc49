"""This module asks another worker of the group over HTTP."""

from __future__ import annotations

from dataclasses import dataclass

import aiohttp
from aiohttp import ClientSession
from faust.web import Request, Response, View

#: Set on a request that one worker makes of another, so that two that disagree do not ask each other for ever.
ASKED_BY_WORKER = "X-Asked-By-Worker"

#: Seconds that a worker gets to answer.
PATIENCE_S = 5.0


class NoAnswerError(Exception):
    """A worker does not answer; the text says in a word why."""


@dataclass(frozen=True, slots=True)
class WorkerAnswer:
    """What a worker answered, or what else is at its address."""

    status: int
    content_type: str
    body: bytes

    def shown(self, view: View) -> Response:
        """The same as an answer of our own."""
        return view.bytes(self.body, content_type=self.content_type, status=self.status)


def is_asked_by_worker(request: Request) -> bool:
    """Whether another worker asks, which would not ask if it knew."""
    return bool(request.headers.get(ASKED_BY_WORKER))


async def ask(
    client: ClientSession,
    url: str,
    authorization: str | None,
    *,
    method: str = "GET",
    patience_s: float = PATIENCE_S,
) -> WorkerAnswer:
    """Ask with the caller's token. Raises NoAnswerError."""
    headers = {ASKED_BY_WORKER: "1", **({"Authorization": authorization} if authorization else {})}
    timeout = aiohttp.ClientTimeout(total=patience_s)
    try:
        async with client.request(method, url, headers=headers, timeout=timeout) as answer:
            return WorkerAnswer(answer.status, answer.content_type, await answer.read())
    except (aiohttp.ClientError, TimeoutError) as error:
        raise NoAnswerError(type(error).__name__) from error


async def pass_on(client: ClientSession, request: Request, address: str) -> WorkerAnswer:
    """Ask a worker the same, with the same token. Raises NoAnswerError."""
    authorization = request.headers.get("Authorization")
    return await ask(client, address.rstrip("/") + str(request.rel_url), authorization, method=request.method)
