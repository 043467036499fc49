"""This module lets a page run the command `backfill`, in a process of its own, one at a time on a worker.

It is the very command: what it does, and what it says at its end, is what an operator at a terminal gets. The worker
waits for nothing of it, and ends it when it ends itself.
"""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass, field
from typing import Any

import structlog
from faust.web import Request, Response, View

from processors.event.formats import iso
from processors.event.strict_json import JsonObject, object_or_empty
from processors.replay.moments import moment
from settings import Settings
from streams.app import app
from streams.replay.actions import ACTS_FOR
from streams.views.actions import who_acts
from streams.views.common.answers import RefusedError, asked_object, now_ms, refusing
from streams.views.common.other_workers import from_others

log = structlog.get_logger(__name__)

#: Runs of which the end is remembered.
MAX_RUNS = 20

#: Seconds that a command has to end in order when its worker ends.
STOP_S = 5.0

#: The longest stretch of time that a page may ask for; a longer one is for a terminal, where it can be seen to go on.
MAX_MS = 24 * 3_600_000


def is_possible(settings: Settings) -> bool:
    """Whether there is something to ask: the notifications of an organisation are what the query knows."""
    return settings.genesys_source == "notifications" and settings.genesys_client_id is not None


@dataclass(slots=True)
class Run:
    """One run. `who` wants it; `result`: what the command printed; `message`: why it ended before its end."""

    since_ms: int
    until_ms: int
    is_rehearsal: bool
    began_ms: int
    who: str
    state: str = "running"
    result: JsonObject = field(default_factory=dict)
    message: str | None = None

    def as_json(self, ident: str) -> JsonObject:
        return {
            "id": ident,
            "from": iso(self.since_ms),
            "to": iso(self.until_ms),
            "dryRun": self.is_rehearsal,
            "began": iso(self.began_ms),
            "state": self.state,
            "message": self.message,
            **{name: self.result.get(name) for name in ("read", "written", "failed", "notTold", "resume")},
        }


class Runs:
    """The runs of this worker."""

    def __init__(self) -> None:
        self.known: dict[str, Run] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        return self._task is not None and not self._task.done()

    def begin(self, run: Run) -> str:
        """Begin a run; gives its id."""
        ident = f"backfill-{run.began_ms}"
        self.known[ident] = run
        for old in list(self.known)[:-MAX_RUNS]:
            del self.known[old]
        self._task = asyncio.create_task(self._go(run))
        return ident

    def close(self) -> None:
        """End what runs, as Ctrl-C does: the command confirms what is on its way."""
        if self._task is not None:
            self._task.cancel()

    async def _go(self, run: Run) -> None:
        try:
            await self._run(run)
        except asyncio.CancelledError:
            run.state, run.message = "failed", "the worker ended"
            await self._end()
            raise

    async def _end(self) -> None:
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await self._process.communicate()
        except TimeoutError:
            self._process.kill()
            await self._process.communicate()

    async def _run(self, run: Run) -> None:
        arguments = ["--since", iso(run.since_ms), "--until", iso(run.until_ms), "--json"]
        if run.is_rehearsal:
            arguments.append("--dry-run")
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "streams", "backfill", *arguments,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
                env=os.environ | {ACTS_FOR: run.who}, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            run.state, run.message = "failed", f"the command did not start: {error.strerror}"
            return
        printed, said = await self._process.communicate()
        run.state = "done" if self._process.returncode == 0 else "failed"
        run.result, run.message = object_or_empty(printed), _last_line(said) if run.state == "failed" else None
        log.info("backfill from a page", state=run.state, since=iso(run.since_ms), until=iso(run.until_ms))


def _last_line(said: bytes) -> str:
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:500] if lines else "the command ended without a word"


runs = Runs()
app.on_before_shutdown.connect(lambda *_, **__: runs.close(), weak=False)


@app.page("/api/backfill/")
class Backfill(View):
    """POST `{from, to, dryRun}`."""

    async def post(self, request: Request) -> Response:
        """`{"id", "state": "running", …}`; 503 while another runs on this worker, 422 where there is nothing to ask.

        It needs a token that may act, where tokens are set; but for a rehearsal, the command records it as an action.
        """
        who = who_acts(request)
        if not is_possible(app.settings):
            words = "GENESYS_SOURCE is not notifications: nothing tells what was missed"
            raise RefusedError("not possible", words, 422)
        with refusing("bad request", 400, ValueError):
            run = _asked(await asked_object(request), now_ms(), who.name)
        if runs.is_running:
            raise RefusedError("busy", "another backfill runs on this worker; ask again when it has ended", 503)
        ident = runs.begin(run)
        return self.json({**run.as_json(ident), "worker": app.worker_name})


@app.page("/api/backfill/{ident}/")
class BackfillRun(View):
    """How far it is."""

    async def get(self, request: Request, ident: str) -> Response:
        """`{"id", "state": "running" | "done" | "failed", "read", "written", "failed", "message", "worker"}`.

        Any worker says it; the one that runs it is asked.
        """
        run = runs.known.get(ident)
        if run is None:
            return await from_others(self, request, f"a backfill {ident!r}")
        return self.json({**run.as_json(ident), "worker": app.worker_name})


def _asked(body: JsonObject, now_ms: int, who: str) -> Run:
    if not set(body) <= {"from", "to", "dryRun"} or not isinstance(body.get("dryRun", False), bool):
        raise ValueError("give from, and perhaps to and dryRun")
    since_ms, until_ms = _moment(body, "from", now_ms), now_ms
    if body.get("to") is not None:
        until_ms = min(now_ms, _moment(body, "to", now_ms))
    if not 0 < until_ms - since_ms <= MAX_MS:
        raise ValueError(f"from must be before to, and no more than {MAX_MS // 3_600_000} hours")
    return Run(since_ms, until_ms, body.get("dryRun", False), now_ms, who)


def _moment(body: JsonObject, name: str, now_ms: int) -> int:
    text: Any = body.get(name)
    if not isinstance(text, str):
        raise ValueError(f"{name} is an age or a time")
    return moment(text, now_ms)
