"""Tests of routes that change while the worker runs: what is right is taken over, what is wrong is left."""

import os
import shutil
from pathlib import Path

import pytest

from processors.routes.routes import Routes, TriedRoute
from streams.app import app
from streams.checks.finding import Finding
from streams.health import health
from streams.routes.folder import read_routes
from streams.worker import reload_routes
from streams.worker.reload_routes import PART, RouteWatch

SCHEMAS = Path(__file__).parents[4] / "schemas"


class Settings:
    """What the watch reads of the settings."""

    worker_roles = ("process",)
    schema_registry_refresh = 300.0
    deduplication_window = 0.0
    mapping_timeout = 0.3
    mapping_memory_bytes = 128 * 1024 * 1024

    def __init__(self, folder):
        self.routes_dir = folder


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


#: The names of the shipped routes, in order.
SHIPPED = sorted(path.parent.name for path in SCHEMAS.glob("*/route.toml"))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of routes that the app has loaded."""
    found = tmp_path / "routes"
    shutil.copytree(SCHEMAS, found)
    monkeypatch.setattr(reload_routes, "settings", Settings(found))
    monkeypatch.setattr(app, "routes", Routes(TriedRoute(one, "fast") for one in read_routes(found)), raising=False)
    yield found
    health.well(PART)


@pytest.fixture
def taken(monkeypatch):
    """The routes that were taken over, and that the breaker and the mapping processes heard of it."""
    heard = []

    async def renew():
        heard.append([route.name for route in app.routes])

    monkeypatch.setattr(reload_routes.sandboxes, "renew", renew)
    monkeypatch.setattr(reload_routes.breaker, "renew", lambda: heard.append("breaker"))
    return heard


def change(file, text):
    file.write_text(text)
    os.utime(file, ns=(1, 1))  # whatever the file system's clock makes of it


async def test_what_did_not_change_is_not_read(folder, taken, monkeypatch):
    monkeypatch.setattr(reload_routes, "check_routes", None)
    await RouteWatch().look()
    assert taken == []


async def test_a_changed_mapping_is_taken_over(folder, taken):
    watch = RouteWatch()
    mapping = folder / "interaction" / "mapping.jsonata"
    change(mapping, mapping.read_text() + "/* mended */")
    await watch.look()
    assert taken == [SHIPPED, "breaker"]
    assert app.routes.get("interaction").texts.mapping.endswith("/* mended */")
    await watch.look()
    assert len(taken) == 2, "once is enough"


async def test_a_new_route_and_one_that_is_gone_are_taken_over(folder, taken):
    watch = RouteWatch()
    shutil.move(folder / "interaction", folder / "calls")
    await watch.look()
    assert taken[0] == sorted({*SHIPPED, "calls"} - {"interaction"})


async def test_what_makes_no_difference_renews_nothing(folder, taken):
    watch = RouteWatch()
    os.utime(folder / "interaction" / "route.toml", ns=(1, 1))
    (folder / "README").write_text("of no route")
    await watch.look()
    assert taken == []


async def test_wrong_routes_are_left_and_health_says_why_until_they_are_mended(folder, taken):
    watch = RouteWatch()
    mapping = folder / "interaction" / "mapping.jsonata"
    good = mapping.read_text()
    change(mapping, "{ not JSONata")
    await watch.look()
    assert taken == []
    assert "interaction" in health.troubles()[PART]["reason"]
    change(mapping, good)
    await watch.look()
    assert PART not in health.troubles()
    assert taken == []


async def test_a_route_whose_mapping_never_ends_is_left(folder, taken):
    watch = RouteWatch()
    change(folder / "interaction" / "mapping.jsonata", f'$match("{"a" * 40}!", /^(a+)+$/)')
    await watch.look()
    assert taken == []
    assert "took more than 0.3 s" in health.troubles()[PART]["reason"]


async def test_a_route_to_a_bus_that_is_not_there_is_left(folder, taken, monkeypatch):
    async def check_buses(settings, buses):
        return [Finding("event bus", False, f"{buses[-1]} does not exist")]

    monkeypatch.setattr(reload_routes, "check_buses", check_buses)
    monkeypatch.setattr(reload_routes, "buses_of", lambda settings, routes: ["other"])
    monkeypatch.setattr(Settings, "worker_roles", ("process", "sink"))
    watch = RouteWatch()
    toml = folder / "interaction" / "route.toml"
    change(toml, 'event-bus = "other"\n' + toml.read_text())
    await watch.look()
    assert taken == []
    assert "other does not exist" in health.troubles()[PART]["reason"]


async def test_a_registry_is_asked_again_when_its_time_has_come_and_waited_for_when_away(folder, taken, monkeypatch):
    asked, clock = [], Clock()

    async def check_routes(settings):
        asked.append(clock.now)
        return None, [Finding("schema registry", False, "does not answer", away=True)]

    monkeypatch.setattr(reload_routes, "check_routes", check_routes)
    monkeypatch.setattr(reload_routes, "_from_registry", lambda: True)
    watch = RouteWatch(clock)
    for now in (1.0, 299.0, 301.0, 304.0, 330.0, 331.0):
        clock.now = now
        await watch.look()
    assert asked == [301.0, 331.0], "one that is away is asked again after a while"
    assert PART not in health.troubles()


async def test_a_folder_that_changes_again_is_looked_at_though_somebody_was_away(folder, taken, monkeypatch):
    asked, clock = [], Clock()

    async def check_routes(settings):
        asked.append(clock.now)
        return None, [Finding("event bus", False, "does not answer", away=True)]

    monkeypatch.setattr(reload_routes, "check_routes", check_routes)
    watch = RouteWatch(clock)
    for now in (3.0, 6.0, 9.0):
        clock.now = now
        if now != 6.0:
            (folder / "README").write_text("x" * int(now))
        await watch.look()
    assert asked == [3.0, 9.0]
