"""The trial of routes: one that breaks its process is named, the others are tried all the same."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import psutil
import pytest

from processors.routes.examples import failing_examples
from processors.routes.route import Example, RouteTexts, compile_route
from streams.checks.routes import check_routes
from streams.routes.folder import read_routes
from streams.routes.sandbox import child_process, protocol, trial
from streams.routes.sandbox.child_process import SandboxError
from streams.routes.sandbox.inside import route_trial
from streams.routes.sandbox.trial import TrialLimits, try_routes

SCHEMAS = Path(__file__).parents[5] / "schemas"
BOUNDS = TrialLimits(0.3, 128 * 1024 * 1024)
PATIENT = TrialLimits(60.0, 64 * 1024 * 1024)
DISTINCT = '{"detail": {"found": $count($distinct([1..90000]))}}'
PAD = '{"detail": {"length": $length($pad("", 200000000))}}'
DOUBLING = '{"detail": {"length": $length($reduce([1..40], function($a, $i) { $a & $a }, text))}}'
ENDLESS = '{"detail": ($f := function($x) { $f($x) }; $f(1))}'
HARMLESS = '{"detail": {"text": text}}'
TOO_MUCH = "^example one took more than 67108864 bytes of memory$|MappingCrash: out of memory"


def texts(name: str, mapping: str = HARMLESS) -> RouteTexts:
    examples = (Example("one", {"id": "1", "text": "a" * 40 + "!"}, {}),)
    return RouteTexts(name, "", "test", "test", None, "", "true", mapping, {"type": "object"}, examples)


@pytest.fixture(autouse=True)
async def nothing_left() -> AsyncIterator[None]:
    yield
    assert not processes()


def processes() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if "streams.routes.sandbox" in one.cmdline()]


async def a_process() -> psutil.Process:
    for _ in range(1_000):
        if found := processes():
            return found[0]
        await asyncio.sleep(0.01)
    raise TimeoutError


@pytest.mark.parametrize(
    ("mapping", "bounds", "reason"),
    [
        (DISTINCT, BOUNDS, "^example one took more than 0.3 s$"),
        (PAD, PATIENT, TOO_MUCH),
        (DOUBLING, PATIENT, TOO_MUCH),
        (ENDLESS, BOUNDS, "^example one does not hold: it failed with MappingTimeout"),
        ("{", BOUNDS, "^poison/mapping.jsonata:1:1: the JSONata does not compile"),
    ],
    ids=["distinct", "pad", "doubling", "endless recursion", "no JSONata"],
)
async def test_a_poison_example_is_refused_and_the_others_are_tried(mapping: str, bounds: TrialLimits, reason: str):
    first, poison, last = await try_routes([texts("first"), texts("poison", mapping), texts("last")], bounds)
    assert re.search(reason, poison.wrong)
    assert (first.wrong, first.engine, last.wrong, last.engine) == ("", "jsonatapy", "", "jsonatapy")


def test_many_slow_examples_are_bounded_together():
    said: list[tuple[bytes, bytes]] = []
    route = texts("slow", '{"detail": {"v": $sum([1..1000].($ * 2))}}')
    route = replace(route, examples=tuple(replace(route.examples[0], name=str(n)) for n in range(10_000)))
    trial_of_one = route_trial.RouteTrial(0.02, lambda *frame: said.append(frame), lambda _: None)
    trial_of_one.floor_s = 0.0
    trial_of_one.run(route)
    kind, body = said[-1]
    assert (kind, orjson.loads(body)) == (protocol.VERDICT, {"wrong": "its examples took more than 0.1 s in all"})


async def test_the_loop_is_free_meanwhile():
    working = asyncio.create_task(try_routes([texts("poison", DISTINCT)], BOUNDS))
    turns = 0
    while not working.done():
        await asyncio.sleep(0.01)
        turns += 1
    assert turns > 10
    assert working.result()[0].wrong


async def test_who_ends_the_process_blames_no_route():
    working = asyncio.create_task(try_routes([texts("slow", DISTINCT)], PATIENT))
    (await a_process()).send_signal(signal.SIGKILL)
    with pytest.raises(SandboxError, match="died of SIGKILL"):
        await working


async def test_a_trial_that_is_given_up_leaves_no_process():
    working = asyncio.create_task(try_routes([texts("slow", DISTINCT)], PATIENT))
    await a_process()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working


@pytest.mark.parametrize(
    ("program", "wrong"),
    [
        ("time.sleep(60)", "example e took more than 0.01 s"),
        ("os._exit(3)", "example e ended the process that tried it: it ended with exit code 3"),
        ("os.abort()", "example e took more than 1 bytes of memory"),
        ("worker.sendall(protocol.frame(b'?', b'')); worker.recv(1)", "example e broke the process that tried it"),
        ("os.kill(0, signal.SIGSEGV)", "it died of SIGSEGV"),
    ],
    ids=["hangs", "exits", "aborts", "speaks nonsense", "dies"],
)
async def test_each_way_a_process_can_end(monkeypatch: pytest.MonkeyPatch, program: str, wrong: str):
    begin = (
        "import os, signal, socket, sys, time; from streams.routes.sandbox import protocol; "
        "worker = socket.socket(fileno=0); worker.sendall("
        "protocol.frame(protocol.ROUTE, b'r') + protocol.frame(protocol.EXAMPLE, b'e')); "
        "sys.stderr.close(); "
    )
    monkeypatch.setattr(child_process, "PROGRAM", ("-c", begin + program))
    if "sleep" in program:
        monkeypatch.setattr(trial, "SILENCE_S", 4.0 - trial.COMPILE_S)
    [verdict] = await try_routes([texts("r")], TrialLimits(0.01, 1))
    assert wrong in verdict.wrong


@pytest.fixture
def settings(tmp_path: Path) -> Any:
    """Settings that name a copy of the shipped routes."""
    shutil.copytree(SCHEMAS, tmp_path / "routes")
    return SimpleNamespace(routes_dir=tmp_path / "routes", mapping_timeout=0.3, mapping_memory_bytes=128 * 1024 * 1024)


async def test_the_shipped_routes_are_fit_and_take_little_longer_than_in_process(settings: Any):
    began = time.perf_counter()
    routes, findings = await check_routes(settings)
    apart = time.perf_counter() - began
    assert routes is not None
    assert all(finding.ok for finding in findings)
    for texts in read_routes(SCHEMAS):
        failing_examples(compile_route(texts))
    print(f"\nroutes checked in {apart:.2f} s, in process in {time.perf_counter() - began - apart:.2f} s")
    assert [route.texts for route in routes] == read_routes(SCHEMAS)
    assert {route.engine for route in routes} == {"jsonatapy"}


async def test_findings_name_the_poison_route_and_tell_of_the_others(settings: Any):
    poison = settings.routes_dir / "poison"
    shutil.copytree(SCHEMAS / "interaction", poison)
    (poison / "mapping.jsonata").write_text('{"detail": {"v": $count($distinct([1..90000]))}}')
    routes, findings = await check_routes(settings)
    assert routes is None
    told = {finding.name: finding for finding in findings}
    assert {name for name, finding in told.items() if not finding.ok} == {"route poison"}
    assert re.fullmatch(r"route poison: example \S+ took more than 0.3 s \(fix .*\)", str(told["route poison"]))
    assert "examples hold, runs on jsonatapy" in told["route interaction"].detail


async def test_an_example_that_does_not_hold_names_the_command_that_shows_all(settings: Any):
    (settings.routes_dir / "interaction/examples/x.json").write_text('{"event": {}, "expect": {}}')
    (settings.routes_dir / "interaction/examples/y.json").write_text('{"event": {}, "expect": {}}')
    routes, findings = await check_routes(settings)
    assert routes is None
    [wrong] = [finding for finding in findings if not finding.ok]
    assert wrong.name == "route interaction"
    assert wrong.detail == "example x does not hold: it was filtered, and 1 more"
    assert "`genesys-eventbridge routes test` shows all" in wrong.fix


async def test_a_process_that_does_not_start_may_pass_by_itself(settings: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(child_process.sys, "executable", "/nonexistent/python")
    routes, [finding] = await check_routes(settings)
    assert routes is None
    assert finding.unreachable
    assert finding.detail == "the process that runs routes did not start: No such file or directory"
