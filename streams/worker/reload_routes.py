"""This module takes over routes that change while the worker runs: in ROUTES_DIR, or a schema in the registry.

Routes that are wrong are left, with the reason told to health; the worker goes on with those it has. What waits
because most events failed on the old routes is mapped by the new ones (streams/routes/breaker.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import structlog

from processors.routes.routes import Routes
from streams.app import app, settings
from streams.checks.aws import buses_of, check_buses
from streams.checks.finding import Finding
from streams.checks.routes import check_routes
from streams.delivery import deduplication
from streams.health import health
from streams.routes import sandboxes
from streams.routes.breaker import breaker

log = structlog.get_logger(__name__)

#: Seconds between two looks at the folder.
LOOK_S = 3.0

#: Seconds before somebody who was away is asked again, unless the folder changes; less when the registry's are.
AWAY_S = 30.0

#: The part that health names.
PART = "new routes"

#: Path, time of change in ns and size of every file.
Stamp = frozenset[tuple[str, int, int]]


class RouteWatch:
    """Looks for changes since it was made, or since the last look."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._stamp = stamp(settings.routes_dir)
        self._asked = clock()
        self._away: tuple[Stamp, float] | None = None  # what was looked at in vain, and until when that is left

    async def look(self) -> None:
        """Take over what has changed, if it is right."""
        seen, now = stamp(settings.routes_dir), self._clock()
        if seen == self._stamp and not (_from_registry() and now - self._asked >= settings.schema_registry_refresh):
            return
        if self._away is not None and seen == self._away[0] and now < self._away[1]:
            return
        routes, wrong = await _checked()
        if wrong is not None and wrong.away:
            self._away = (seen, self._clock() + min(AWAY_S, settings.schema_registry_refresh))
            log.warning("routes are looked at again later", reason=str(wrong))
            return
        self._away = None
        self._stamp, self._asked = seen, now
        if routes is None:
            health.trouble(PART, f"left as they were: {wrong}")
            return
        health.well(PART)
        if [route.texts for route in routes] != [route.texts for route in app.routes]:
            await take_over(routes)


async def take_over(routes: Routes) -> None:
    """Use these routes from now on, for what waits too."""
    app.routes = routes
    deduplication.forget_fingerprints()
    await sandboxes.renew()
    breaker.renew()
    log.info("routes taken over", routes=[route.name for route in routes])


def stamp(folder: Path) -> Stamp:
    """What tells a changed folder; a file that goes at that moment counts as gone."""
    found = set()
    for path in folder.rglob("*"):
        try:
            state = path.stat()
        except OSError:
            continue
        if path.is_file():
            found.add((str(path), state.st_mtime_ns, state.st_size))
    return frozenset(found)


async def _checked() -> tuple[Routes | None, Finding | None]:
    """The routes, or what is wrong with them: a bus that is not there is, as PutEvents would lose events on it."""
    routes, findings = await check_routes(settings)
    if routes is not None and "sink" in settings.worker_roles:
        findings += await check_buses(settings, buses_of(settings, routes))
    wrong = next((finding for finding in findings if not finding.ok), None)
    return (routes if wrong is None else None), wrong


def _from_registry() -> bool:
    return any(route.texts.schema_origin.startswith("registry ") for route in app.routes)


_watch = RouteWatch()  # from before the routes are read at the start


@app.timer(LOOK_S)  # type: ignore[untyped-decorator]  # as Faust declares it
async def watch_routes() -> None:
    """Look again and again."""
    await _watch.look()
