"""Tests of what the benchmarks make of figures; nobody is measured."""

import time
from xml.etree import ElementTree

import orjson

from bench.__main__ import TOGETHER, Results
from bench.contestants.all import BARE, FAUST, PROJECT, PROJECT_TWICE, TUTORIAL
from bench.lean_bus import Taken
from bench.load import PUBLISHED, Load, event, published
from bench.page import page
from processors.event.strict_json import parse_object


def figures(rate, own_us=100.0):
    return {
        "events_per_second": rate, "own_us": own_us, "mapping_us": 50.0, "cores": 1.2, "beside_cores": 0.6,
        "entries_a_request": 9.9, "mib": 300,
    }  # fmt: skip


def results():
    rates = {PROJECT: 8000, PROJECT_TWICE: 12000, FAUST: 500, TUTORIAL: 80}
    found = {one.name: [figures(rate - 10), figures(rate), figures(rate + 500)] for one, rate in rates.items()}
    found[BARE.name] = [figures(4000, 250.0)]
    ages = {f"p{rank}_ms": rank for rank in (50, 95, 99)}
    latency = {name: {**figures(4000), **ages, "rate": 4000} for name in ("50 %", TOGETHER)}
    ways = {name: {"way": name, "events_per_second": rate} for name, rate in (("sockets", 4_000), ("dry run", 20_000))}
    return Results(found, [figures(6000, 160.0)], latency, {}, ways)


def test_the_line_is_of_medians_and_who_did_not_run_has_no_ratio():
    assert results().line() == {
        "events_per_second": 8000,
        "p99_ms_half_rate": 99,
        "p99_ms_half_rate_together": 99,
        "ratio_stock_faust": 16.0,
        "ratio_tutorial": 100.0,
        "ratio_quix_streams": None,
        "ratio_bare_loop_cpu": 2.0,
        "ratio_two_workers": 1.5,
        "ratio_50_routes": 1.4,
        "notifications_per_second": 4_000,
        "dry_run_events_per_second": 20_000,
    }


def test_the_page_shows_everybody():
    found = results()
    tables = {"Cost of an event, by load": found.growth, "Into raw": found.sources}
    shown = page(found.contestants, found.routes, found.latency, tables, found.line())
    root = ElementTree.fromstring(shown.removeprefix("<!doctype html>").replace('<meta charset="utf-8">', ""))
    cells = {cell.text for cell in root.iter("td")}
    assert {*found.contestants, "this project, 50 routes", "50 %", "dry run", *found.line()} <= cells
    headings = [heading.text for heading in root.iter("h2")]
    assert ("Into raw" in headings, "Cost of an event, by load" in headings) == (True, False), (
        "of what was not measured"
    )


def test_events_of_a_conversation_are_together_or_as_far_apart_as_can_be():
    assert list(Load(20).numbers(100)) == [*range(100, 120)]
    apart = list(Load(20, together=False).numbers(100))
    assert apart[:5] == [100, 105, 110, 115, 101]
    assert sorted(apart) == [*range(100, 120)]


def test_the_lean_bus_knows_how_long_an_event_was_on_its_way():
    sent_at = int(time.time() * 1000) - 5_000
    mapped = orjson.dumps({"type": parse_object(event(0, 500, sent_at))["payload"]["type"]}).decode()
    taken = Taken()
    assert taken.take(orjson.dumps({"Entries": [{"DetailType": "d", "Detail": mapped}]})) == 1
    assert 5_000 <= parse_object(taken.told_ages())["p50_ms"] < 60_000
    assert taken.told_ages() == b"{}", "each is told once"


def test_as_many_events_are_published_as_are_waited_for():
    found = [parse_object(event(number, 500)) for number in range(100)]
    assert sum(one["payload"].get("priority") == "high" for one in found) == PUBLISHED == published(100)
    assert {len(event(number, 500)) for number in range(100)} == {500}
