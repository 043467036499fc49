"""This module gives many listeners the same few things once a second; they are made once, however many listen.

Each listener holds the newest of each thing alone: one that reads slowly misses what is outdated, and fills no memory.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
import structlog

log = structlog.get_logger(__name__)

#: Seconds between two tellings.
PERIOD_S = 1.0

#: Listeners of one worker, and times that they may ask of at once: each is added up for itself.
MAX_LISTENERS, MAX_RANGES = 100, 8

Take = Callable[[str], Awaitable[Mapping[str, Any]]]


class Listener:
    """Who listens to one range; see the module."""

    def __init__(self) -> None:
        self._news: dict[str, bytes] = {}
        self._stir = asyncio.Event()
        self.closed = False

    def tell(self, news: Mapping[str, bytes]) -> None:
        """Keep what is new until it is fetched."""
        self._news.update(news)
        self._stir.set()

    def close(self) -> None:
        """There will be no more."""
        self.closed = True
        self._stir.set()

    async def next(self, patience_s: float) -> dict[str, bytes]:
        """What is new; nothing when there was none for so long, or the end has come."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stir.wait(), patience_s)
        self._stir.clear()
        news, self._news = self._news, {}
        return news


class Broadcast:
    """Tells the listeners of each range what `take` gives of it: name → what is sent as JSON."""

    def __init__(self, take: Take, *, period_s: float = PERIOD_S, max_listeners: int = MAX_LISTENERS) -> None:
        self._take, self._period_s, self._max_listeners = take, period_s, max_listeners
        self._listeners: dict[str, set[Listener]] = {}
        self._sent: dict[str, dict[str, bytes]] = {}
        self._telling: asyncio.Task[None] | None = None
        self._closed = False

    def listen(self, range_: str) -> Listener | None:
        """A new listener, who hears at once what is known; None when there are too many, or the worker ends."""
        number = sum(map(len, self._listeners.values()))
        is_new = range_ not in self._listeners
        if self._closed or number >= self._max_listeners or (is_new and len(self._listeners) >= MAX_RANGES):
            return None
        listener = Listener()
        self._listeners.setdefault(range_, set()).add(listener)
        if self._sent.get(range_):
            listener.tell(self._sent[range_])
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell_all())
        return listener

    def leave(self, range_: str, listener: Listener) -> None:
        """Tell a listener no more."""
        others = self._listeners.get(range_, set())
        others.discard(listener)
        if not others:
            self._listeners.pop(range_, None)
            self._sent.pop(range_, None)

    def close(self) -> None:
        """Let all listeners go, as the worker ends."""
        self._closed = True
        for listener in [one for some in self._listeners.values() for one in some]:
            listener.close()

    async def _tell_all(self) -> None:
        while self._listeners:
            for range_ in list(self._listeners):
                try:
                    self._tell(range_, await self._take(range_))
                except Exception as error:  # listeners are told of no more than they can see; work goes on
                    log.error("what is shown live could not be taken", range=range_, exc_info=error)
            await asyncio.sleep(self._period_s)

    def _tell(self, range_: str, taken: Mapping[str, Any]) -> None:
        before, now = self._sent.get(range_, {}), {name: orjson.dumps(value) for name, value in taken.items()}
        if range_ not in self._listeners:
            return
        self._sent[range_] = now
        if news := {name: data for name, data in now.items() if before.get(name) != data}:
            for listener in self._listeners[range_]:
                listener.tell(news)


def sse(news: Mapping[str, bytes]) -> bytes:
    """Server-sent events of some news; a comment when there is none, so that nobody on the way thinks it is over."""
    if not news:
        return b": keep-alive\n\n"
    return b"".join(b"event: %b\ndata: %b\n\n" % (name.encode(), data) for name, data in news.items())
