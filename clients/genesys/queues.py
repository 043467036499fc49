"""This module knows the queues and users of the organisation: lists for the topics, names for the events."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from clients.genesys.rest.client import GenesysRest
from clients.genesys.rest.errors import GenesysError
from processors.event.identity import is_uuid

log = structlog.get_logger(__name__)

QUEUES = "/api/v2/routing/queues"
USERS = "/api/v2/users"
PAGE_SIZE = 100

#: Seconds that a name may take.
LOOKUP_S = 10.0


async def listed(rest: GenesysRest, path: str) -> dict[str, str]:
    """Every entity of a paged listing, id -> name. Raises PermissionMissingError, GenesysRequestError.

    A success without a list is not one of nothing, for which every topic would be given up: it is asked for again.
    """
    found: dict[str, str] = {}
    page = 1
    while True:
        params = {"pageSize": PAGE_SIZE, "pageNumber": page}
        body = await rest.read("GET", path, params=params, background=True, accepts=_is_page)
        entities = body["entities"]
        before = len(found)
        for entity in entities:
            if isinstance(entity, dict) and isinstance(entity.get("id"), str):
                found[entity["id"]] = str(entity.get("name") or "")
        if len(found) == before or page >= _pages(body, len(entities)):  # the same page again has no next one
            return found
        page += 1


def _is_page(body: Mapping[str, object]) -> bool:
    return isinstance(body.get("entities"), list)


def _pages(body: Mapping[str, object], given: int) -> float:
    """How many pages there are; by what came when nothing is said: a page may hold less than was asked for."""
    page_count, total, size = body.get("pageCount"), body.get("total"), body.get("pageSize")
    if isinstance(page_count, int):
        return page_count
    if isinstance(total, int):
        return math.ceil(total / (size if isinstance(size, int) and size > 0 else given))
    return math.inf if given >= PAGE_SIZE or body.get("nextUri") else 0


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str | None
    good_until: float


class QueueNames:
    """Names of queues by id, cached; the stream of events never waits long for one.

    One request is under way at a time. The first event of an unknown queue waits for it `patience` s; if the
    name is not there then, the event goes without (counted), and after a failure nothing is asked for
    `retry` s. A name past its `ttl` is still given while it is fetched anew.
    """

    def __init__(
        self,
        rest: GenesysRest,
        *,
        ttl: float = 3_600.0,
        patience: float = 1.0,
        retry: float = 60.0,
        capacity: int = 20_000,
    ) -> None:
        self._rest = rest
        self._ttl, self._patience, self._retry = ttl, patience, retry
        self._capacity = capacity
        self._names: dict[str, _Entry] = {}
        self._lookup: asyncio.Task[None] | None = None

    def learn(self, names: Mapping[str, str]) -> None:
        """Take names that a listing gave."""
        for queue_id, name in names.items():
            if name:
                self._keep(queue_id, name, self._ttl)

    def known(self, queue_id: str) -> str | None:
        """The queue's name as far as it is known; nothing is asked for."""
        entry = self._names.get(queue_id)
        return entry.name if entry else None

    async def name(self, queue_id: str) -> str | None:
        """The queue's name; None when it cannot be had now. Raises nothing."""
        entry = self._names.get(queue_id)
        if entry is None or entry.good_until <= self._rest.clock.now():
            free = self._lookup is None or self._lookup.done()
            if free:
                self._lookup = asyncio.create_task(self._fetch(queue_id))
            if free and entry is None and self._lookup is not None:
                await asyncio.wait({self._lookup}, timeout=self._patience)
                entry = self._names.get(queue_id)
        if entry is None or entry.name is None:
            self._rest.observer.count("queue_name_missing")
            return None
        return entry.name

    async def aclose(self) -> None:
        """End a lookup that is under way."""
        if self._lookup is not None:
            self._lookup.cancel()
            await asyncio.gather(self._lookup, return_exceptions=True)

    async def _fetch(self, queue_id: str) -> None:
        try:
            if not is_uuid(queue_id):  # it goes into a path: only what can be an id
                raise ValueError("not a queue id")
            async with asyncio.timeout(LOOKUP_S):
                body = await self._rest.read("GET", f"{QUEUES}/{queue_id}", background=True)
        except (GenesysError, TimeoutError, ValueError) as error:
            log.warning("genesys.queue.name_missing", queue=queue_id[:64], reason=str(error) or "no answer in time")
            known = self._names.get(queue_id)
            self._keep(queue_id, known.name if known else None, self._retry)
            return
        name = body.get("name")
        if isinstance(name, str) and name:
            self._keep(queue_id, name, self._ttl)
        else:
            self._keep(queue_id, None, self._retry)

    def _keep(self, queue_id: str, name: str | None, seconds: float) -> None:
        self._names.pop(queue_id, None)
        self._names[queue_id] = _Entry(name, self._rest.clock.now() + seconds)
        if len(self._names) > self._capacity:
            del self._names[next(iter(self._names))]
