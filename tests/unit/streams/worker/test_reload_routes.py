"""Tests of routes that change while the worker runs: what is right is taken over, what is wrong is left."""

import os
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from processors.routes.routes import Routes, TriedRoute
from streams.checks.finding import Finding
from streams.routes.folder import read_routes
from streams.worker.reload_routes import PART, RouteWatch, checked

SCHEMAS = Path(__file__).parents[4] / "schemas"


class Settings:
    """What the watch reads of the settings."""

    worker_roles: tuple[str, ...] = ("process",)
    eventbus_name = "default"
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
def folder(tmp_path):
    """A folder of routes."""
    found = tmp_path / "routes"
    shutil.copytree(SCHEMAS, found)
    return found


class Scene:
    """A watch over the folder, whose routes are in use, and what was taken over since."""

    def __init__(self, folder, health):
        self.settings, self.health = Settings(folder), health
        self.routes = Routes(TriedRoute(one, "jsonatapy") for one in read_routes(folder))
        self.taken = []

    def watch(self, **changes):
        return RouteWatch(self.settings, self.health, lambda: self.routes, self._take_over, **changes)

    async def _take_over(self, routes):
        self.routes = routes
        self.taken.append([route.name for route in routes])


@pytest.fixture
def scene(folder, health):
    return Scene(folder, health)


def change(file, text):
    file.write_text(text)
    os.utime(file, ns=(1, 1))  # whatever the file system's clock makes of it


async def test_what_did_not_change_is_not_read(folder, scene):
    await scene.watch(check=None).check()
    assert scene.taken == []


async def test_a_changed_mapping_is_taken_over(folder, scene):
    watch = scene.watch()
    mapping = folder / "interaction" / "mapping.jsonata"
    change(mapping, mapping.read_text() + "/* fixed */")
    await watch.check()
    assert scene.taken == [SHIPPED]
    assert scene.routes.get("interaction").texts.mapping.endswith("/* fixed */")
    await watch.check()
    assert len(scene.taken) == 1, "once is enough"


async def test_a_new_route_and_one_that_is_gone_are_taken_over(folder, scene):
    watch = scene.watch()
    shutil.move(folder / "interaction", folder / "calls")
    await watch.check()
    assert scene.taken[0] == sorted({*SHIPPED, "calls"} - {"interaction"})


async def test_what_makes_no_difference_renews_nothing(folder, scene):
    watch = scene.watch()
    os.utime(folder / "interaction" / "route.toml", ns=(1, 1))
    (folder / "README").write_text("of no route")
    await watch.check()
    assert scene.taken == []


async def test_wrong_routes_are_left_and_health_says_why_until_they_are_fixed(folder, scene):
    watch = scene.watch()
    mapping = folder / "interaction" / "mapping.jsonata"
    good = mapping.read_text()
    change(mapping, "{ not JSONata")
    await watch.check()
    assert scene.taken == []
    assert "interaction" in scene.health.troubles()[PART]["reason"]
    change(mapping, good)
    await watch.check()
    assert PART not in scene.health.troubles()
    assert scene.taken == []


async def test_a_route_whose_mapping_never_ends_is_left(folder, scene):
    watch = scene.watch()
    change(folder / "interaction" / "mapping.jsonata", '{"detail": {"v": $count($distinct([1..90000]))}}')
    await watch.check()
    assert scene.taken == []
    assert "took more than 0.3 s" in scene.health.troubles()[PART]["reason"]


async def test_a_route_to_a_bus_that_is_not_there_is_left(folder, scene):
    async def check_buses(settings, buses, targets):
        return [Finding("event bus", False, f"{bus} does not exist") for bus in buses if bus != "default"]

    scene.settings.worker_roles = ("process", "sink")
    watch = scene.watch(check=partial(checked, check_buses=check_buses))
    toml = folder / "interaction" / "route.toml"
    change(toml, 'event-bus = "other"\n' + toml.read_text())
    await watch.check()
    assert scene.taken == []
    assert "other does not exist" in scene.health.troubles()[PART]["reason"]


class Silent:
    """Whoever has to be asked of the routes is unreachable."""

    def __init__(self, clock):
        self.asked, self._clock = [], clock

    async def __call__(self, settings):
        self.asked.append(self._clock.now)
        return None, Finding("schema registry", False, "does not answer", unreachable=True)


async def test_a_registry_is_asked_again_when_its_time_has_come_and_waited_for_when_unreachable(scene):
    clock = Clock()
    scene.routes = Routes(
        TriedRoute(replace(r.texts, schema_origin="registry calls"), "jsonatapy") for r in scene.routes
    )
    silent = Silent(clock)
    watch = scene.watch(check=silent, clock=clock)
    for now in (1.0, 299.0, 301.0, 304.0, 330.0, 331.0):
        clock.now = now
        await watch.check()
    assert silent.asked == [301.0, 331.0], "one that does not answer is asked again after a while"
    assert PART not in scene.health.troubles()


async def test_a_folder_that_changes_again_is_looked_at_though_somebody_was_unreachable(folder, scene):
    clock = Clock()
    silent = Silent(clock)
    watch = scene.watch(check=silent, clock=clock)
    for now in (3.0, 6.0, 9.0):
        clock.now = now
        if now != 6.0:
            (folder / "README").write_text("x" * int(now))
        await watch.check()
    assert silent.asked == [3.0, 9.0]
