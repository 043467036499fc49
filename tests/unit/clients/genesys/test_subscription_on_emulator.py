"""Tests that the HTTP event stream, read over every fault of the emulator, brings every event."""

import asyncio
from contextlib import aclosing

import pytest
from pydantic import SecretStr

from clients.genesys.rest.backoff import Clock
from clients.genesys.rest.client import GenesysRest
from clients.genesys.subscription import SubscriptionStream
from emulators.genesys import GenesysEmulator
from emulators.genesys.faults import AnswerFault, Faults
from processors.event.errors import MalformedEventError
from processors.event.lines import Line
from processors.event.strict_json import parse
from settings import Settings
from tests.unit.clients.genesys import unpacking

EVENTS = 500
SCENES = {
    "cuts": Faults(cut_every_events=37),
    "cuts within a line, ragged": Faults(cut_every_events=53, half_line=True, ragged_chunks=True),
    "arrays and blank lines": Faults(array_size=7, blank_every=5),
    "bad lines": Faults(garbage_every=40, invalid_utf8_every=60, huge_line_every=200, deep_nesting_every=90),
    "the last line without an end": Faults(unfinished_last_line=True),
    "refused connections": Faults(
        cut_every_events=100,
        answers=tuple(AnswerFault(path="/events", status=status, times=2) for status in (500, 429, 401, 503)),
    ),
}


async def quickly(seconds: float) -> None:
    """Waits of the client, without their length: only their order matters here."""
    await asyncio.sleep(min(seconds, 0.001))


async def arriving(emulator: GenesysEmulator, count: int) -> set[str]:
    """Ids of the events that the stream brings, until there are `count` different ones."""
    rest = GenesysRest(
        emulator.url,
        emulator.url,
        emulator.client_id,
        SecretStr(emulator.client_secret),
        clock=Clock(sleep=quickly),
        requests_per_minute=100_000,
    )
    ids: set[str] = set()
    stream = SubscriptionStream.from_settings(rest, Settings(genesys_idle_timeout=5.0))
    async with rest, aclosing(unpacking.lines(stream)) as lines:
        async for line in lines:
            ids.update(str(event["id"]) for event in events_of(line))
            if len(ids) >= count:
                break
    return ids


def events_of(line: Line) -> list[dict[str, object]]:
    """The events on one line; none on a bad one."""
    try:
        body = parse(line) if isinstance(line, bytes) else None
    except MalformedEventError:
        return []
    found = body if isinstance(body, list) else [body]
    return [one for one in found if isinstance(one, dict)]


@pytest.mark.parametrize("faults", SCENES.values(), ids=SCENES)
async def test_every_event_arrives(faults):
    async with GenesysEmulator(rate=0, count=EVENTS, faults=faults, api_limit=100_000) as emulator:
        ids = await asyncio.wait_for(arriving(emulator, EVENTS), 60)
        ledger = emulator.ledger
        handed_over = {str(one) for mark in ("match", "filtered", "invalid") for one in ledger.ids(mark)}
        assert len(ids) == EVENTS
        assert handed_over <= ids
