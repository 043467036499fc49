"""This module takes over routes that change while the worker runs: in ROUTES_DIR, or a schema in the registry.

Routes that are wrong are left, with the reason in health; the worker goes on with those it has. What waits
because most events failed on the old routes is mapped by the new ones (streams/routes/breaker.py).
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import structlog

from processors.routes.routes import Routes
from processors.routes.target import Target, targets_of
from settings import Settings
from streams.checks.aws import buses_of, check_buses
from streams.checks.finding import Finding
from streams.checks.routes import check_routes
from streams.health import Health

log = structlog.get_logger(__name__)

#: Seconds between two looks at the folder.
CHECK_S = 3.0

#: Seconds before somebody who was unreachable is asked again, unless the folder changes; less when the registry's are.
UNREACHABLE_S = 30.0

#: The part that health names.
PART = "new routes"

#: Path, time of change in ns and size of every file.
Stamp = frozenset[tuple[str, int, int]]


Checked = tuple[Routes | None, Finding | None]


class RouteWatch:
    """Looks for changes since it was made, or since the last look.

    `in_use` gives the routes that are in use, `take_over` puts others in their place, `check` reads and tries those
    that the settings name.
    """

    def __init__(
        self,
        settings: Settings,
        health: Health,
        in_use: Callable[[], Routes],
        take_over: Callable[[Routes], Awaitable[None]],
        *,
        check: Callable[[Settings], Awaitable[Checked]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._health, self._clock = settings, health, clock
        self._in_use, self._take_over, self._check = in_use, take_over, check or checked
        self._stamp = stamp(settings.routes_dir)
        self._asked = clock()
        self._unreachable: tuple[Stamp, float] | None = None  # what was looked at in vain, and until when that is left

    async def check(self) -> None:
        """Take over what has changed, if it is right."""
        seen, now, refresh_s = stamp(self._settings.routes_dir), self._clock(), self._settings.schema_registry_refresh
        if seen == self._stamp and not (self._from_registry() and now - self._asked >= refresh_s):
            return
        if self._unreachable is not None and seen == self._unreachable[0] and now < self._unreachable[1]:
            return
        routes, wrong = await self._check(self._settings)
        if wrong is not None and wrong.unreachable:
            self._unreachable = (seen, self._clock() + min(UNREACHABLE_S, refresh_s))
            log.warning("routes are looked at again later", reason=str(wrong))
            return
        self._unreachable = None
        self._stamp, self._asked = seen, now
        if routes is None:
            self._health.trouble(PART, f"left as they were: {wrong}")
            return
        self._health.healthy(PART)
        if [route.texts for route in routes] != [route.texts for route in self._in_use()]:
            await self._take_over(routes)
            log.info("routes taken over", routes=[route.name for route in routes])

    def _from_registry(self) -> bool:
        return any(route.texts.schema_origin.startswith("registry ") for route in self._in_use())


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


async def checked(
    settings: Settings,
    check_buses: Callable[[Settings, list[str], Mapping[str, Target]], Awaitable[list[Finding]]] = check_buses,
) -> Checked:
    """The routes, or what is wrong with them: a bus that is not there is, as PutEvents would lose events on it."""
    routes, findings = await check_routes(settings)
    if routes is not None and "sink" in settings.worker_roles:
        findings += await check_buses(settings, buses_of(settings, routes), targets_of(routes))
    wrong = next((finding for finding in findings if not finding.ok), None)
    return (routes if wrong is None else None), wrong
