"""The sandbox: what breaks a mapping is found, fails alone, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import orjson
import psutil
import pytest

from processors.routes.outcome import Failed
from processors.routes.route import RouteTexts
from processors.routes.routes import Encoded, Raw, Routed
from streams.routes.sandbox import sandbox as bounded
from streams.routes.sandbox.child_process import SandboxError
from streams.routes.sandbox.mapping_process import MappingProcess, SandboxPlan
from streams.routes.sandbox.sandbox import Sandbox

#: A built-in that compares each with each knows no bound of the engine's.
MAPPING = """
($v := poison = "distinct" ? $count($distinct([1..90000]))
     : poison = "range" ? $sum([1..9999999])
     : poison = "loop" ? ($f := function($x) { $f($x) }; $f(1))
     : poison = "busy" ? $count($distinct([1..4000]))
     : poison = "memory" ? $length($pad("", 200000000))
     : poison = "doubling" ? $length($reduce([1..40], function($a, $i) { $a & $a }, "x"))
     : 0;
 {"detail": {"number": number, "v": $v}})
"""
HARMLESS = '{"detail": {"number": number}}'
SLOW = ("distinct", "range", "loop")
GREEDY = ("memory", "doubling")


def texts(name: str, mapping: str) -> RouteTexts:
    return RouteTexts(name, "", "test", "test", None, "", "number >= 0", mapping, {"type": "object"}, ())


PLAN = SandboxPlan((texts("a", MAPPING), texts("b", HARMLESS)), 0.4, 128 * 1024 * 1024, 100_000)


def event(number: int, poison: str = "", **fields: object) -> Raw:
    body = {"id": str(number), "number": number, "poison": poison, "text": "a" * 64 + "!"}
    return Raw(orjson.dumps(body | fields))


def results(answer: Routed) -> list[tuple[str | None, str]]:
    return [(one.route, one.error if isinstance(one, Failed) else "mapped") for one in answer.outcomes]


MAPPED = [("a", "mapped"), ("b", "mapped")]


@pytest.fixture
def troubles() -> list[str | None]:
    return []


@pytest.fixture
async def sandbox(troubles: list[str | None]) -> AsyncIterator[Sandbox]:
    made = Sandbox(PLAN, troubles.append)
    yield made
    await made.close()
    assert made.pid is None


async def test_answers_come_in_order_with_key_id_and_encoded_event(sandbox: Sandbox):
    answers = await sandbox.apply([event(number) for number in range(2_000)])
    found = [orjson.loads(one.value) for answer in answers for one in answer.outcomes if isinstance(one, Encoded)]
    assert [one["detail"]["number"] for one in found] == [number for number in range(2_000) for _ in "ab"]
    assert [answer.key for answer in answers] == [str(number) for number in range(2_000)]
    assert len({answer.event_id for answer in answers}) == 2_000


async def test_the_given_event_id_is_kept(sandbox: Sandbox):
    given = "11111111-1111-4111-8111-111111111111"
    [answer] = await sandbox.apply([event(1)._replace(event_id=given)])
    assert answer.event_id == given


async def test_bytes_that_are_no_event_and_events_that_no_route_takes(sandbox: Sandbox):
    malformed, nothing, filtered = await sandbox.apply([Raw(b"{garbage"), Raw(None), event(-1)])
    assert [one.stage for one in malformed.outcomes + nothing.outcomes if isinstance(one, Failed)] == ["source"] * 2
    assert (malformed.key, malformed.event_id) == (None, None)
    assert filtered.outcomes == ()


@pytest.mark.parametrize("poison", SLOW)
async def test_what_takes_too_long_fails_alone_and_on_its_route_alone(sandbox: Sandbox, poison: str):
    answers = await sandbox.apply([event(0), event(1, poison), event(2)])
    assert [results(answer) for answer in answers] == [
        MAPPED,
        [("a", "MappingTimeout"), ("b", "mapped")],
        MAPPED,
    ]
    failed = answers[1].outcomes[0]
    assert isinstance(failed, Failed)
    assert failed.stage == "transform"


@pytest.mark.parametrize("poison", GREEDY)
async def test_what_takes_too_much_memory_fails_alone(troubles: list[str | None], poison: str):
    patient = Sandbox(replace(PLAN, timeout_s=20.0), troubles.append)  # on a busy machine memory costs CPU time too
    answers = await patient.apply([event(0), event(1, poison), event(2)])
    await patient.close()
    assert [results(answer) for answer in answers] == [
        MAPPED,
        [("a", "MappingCrash"), ("b", "mapped")],
        MAPPED,
    ]


async def test_the_bound_on_memory_is_what_the_plan_says():
    mapping = '{"detail": {"length": $length($pad("", number * 1000000))}}'
    patient = Sandbox(replace(PLAN, timeout_s=20.0, routes=(texts("a", mapping),)), lambda _: None)
    answers = await patient.apply([event(30), event(130)])
    await patient.close()
    assert [results(answer) for answer in answers] == [[("a", "mapped")], [("a", "MappingCrash")]]


async def test_large_events_of_one_batch_do_not_fail_for_each_other(troubles: list[str | None]):
    plan = replace(PLAN, memory_bytes=64 * 1024 * 1024)
    sandbox = Sandbox(plan, troubles.append)
    try:
        answers = await sandbox.apply([event(number, fill="x" * 900_000) for number in range(60)])
        assert [results(answer) for answer in answers] == [MAPPED] * 60
    finally:
        await sandbox.close()


async def test_several_culprits_of_one_batch_are_all_found(sandbox: Sandbox):
    poisons = {3: "distinct", 4: "memory", 9: "range"}
    answers = await sandbox.apply([event(number, poisons.get(number, "")) for number in range(12)])
    failed = {number for number, answer in enumerate(answers) if results(answer) != MAPPED}
    assert failed == set(poisons)
    assert all(results(answers[number])[1] == ("b", "mapped") for number in poisons)


async def test_two_routes_that_break_over_one_event_both_fail():
    plan = replace(PLAN, timeout_s=20.0, routes=(texts("a", MAPPING), texts("b", HARMLESS), texts("c", MAPPING)))
    sandbox = Sandbox(plan, lambda _: None)
    answers = await sandbox.apply([event(0, "memory"), event(1)])
    await sandbox.close()
    assert results(answers[0]) == [("a", "MappingCrash"), ("b", "mapped"), ("c", "MappingCrash")]
    assert results(answers[1]) == [*MAPPED, ("c", "mapped")]


async def test_a_mapped_event_that_kafka_would_not_take_is_a_failure():
    plan = replace(PLAN, routes=(texts("a", '{"detail": {"text": $pad("", 2000, "x")}}'),), max_bytes=1_000)
    sandbox = Sandbox(plan, lambda _: None)
    [answer] = await sandbox.apply([event(1)])
    await sandbox.close()
    assert results(answer) == [("a", "EntryTooLarge")]


async def test_a_process_that_somebody_kills_costs_no_event(sandbox: Sandbox):
    await sandbox.start()
    assert sandbox.pid is not None
    killed = psutil.Process(sandbox.pid)
    killed.kill()
    answers = await sandbox.apply([event(number) for number in range(10)])
    assert [results(answer) for answer in answers] == [MAPPED] * 10
    assert not killed.is_running()  # reaped: no zombie is left


async def test_a_process_killed_at_work_costs_no_event(sandbox: Sandbox):
    await sandbox.start()
    working = asyncio.create_task(sandbox.apply([event(0, "loop"), *(event(number) for number in range(1, 50))]))
    pid = sandbox.pid
    assert pid is not None
    while psutil.Process(pid).cpu_times().user < 0.1 and not working.done():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    answers = await working
    assert [results(answer) for answer in answers[1:]] == [MAPPED] * 49


async def test_a_frozen_process_costs_no_event(sandbox: Sandbox):
    await sandbox.start()
    assert sandbox.pid is not None
    os.kill(sandbox.pid, signal.SIGSTOP)
    working = asyncio.create_task(sandbox.apply([event(number) for number in range(10)]))
    await asyncio.sleep(2 * PLAN.timeout_s)
    assert not working.done()
    os.kill(sandbox.pid, signal.SIGCONT)
    assert [results(answer) for answer in await working] == [MAPPED] * 10


async def test_an_event_at_work_while_the_machine_stands_still_does_not_fail(sandbox: Sandbox):
    await sandbox.start()
    pid = sandbox.pid
    assert pid is not None
    before = psutil.Process(pid).cpu_times().user
    working = asyncio.create_task(sandbox.apply([event(number, "busy") for number in range(40)]))
    while psutil.Process(pid).cpu_times().user < before + 0.1:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    os.kill(pid, signal.SIGSTOP)
    assert not working.done()
    await asyncio.sleep(2 * PLAN.timeout_s)
    os.kill(pid, signal.SIGCONT)
    assert [results(answer) for answer in await working] == [MAPPED] * 40
    assert sandbox.pid == pid


async def test_what_is_told_to_the_whole_group_leaves_the_process_at_work(sandbox: Sandbox):
    await sandbox.start()
    pid = sandbox.pid
    assert pid is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(pid, number)
    assert results((await sandbox.apply([event(1)]))[0]) == MAPPED
    assert sandbox.pid == pid


async def test_a_cancelled_batch_leaves_no_answers_for_the_next(sandbox: Sandbox):
    await sandbox.start()
    before = sandbox.pid
    working = asyncio.create_task(sandbox.apply([event(0, "distinct"), event(1)]))
    await asyncio.sleep(0.05)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert before is not None
    assert not psutil.pid_exists(before)
    [answer] = await sandbox.apply([event(7)])
    assert answer.key == "7"


async def test_callers_are_served_in_the_order_in_which_they_came(sandbox: Sandbox):
    served: list[int] = []

    async def caller(number: int) -> None:
        await sandbox.apply([event(number)])
        served.append(number)

    await asyncio.gather(*(caller(number) for number in range(5)))
    assert served == [0, 1, 2, 3, 4]


async def test_a_long_batch_is_trouble_until_it_ends(sandbox: Sandbox, troubles: list[str | None]):
    sandbox.slow_s = 0.05
    await sandbox.apply([event(0, "loop")])
    assert troubles == [bounded.SLOW, None]


async def test_the_process_knows_no_secret(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GENESYS_CLIENT_SECRET", "hush")
    await sandbox.start()
    assert sandbox.pid is not None
    assert "GENESYS_CLIENT_SECRET" not in psutil.Process(sandbox.pid).environ()


async def test_routes_that_do_not_compile_are_an_error_and_no_process_is_left():
    plan = replace(PLAN, routes=(texts("a", "(("),))
    with pytest.raises(SandboxError, match="did not start"):
        await MappingProcess.start(plan)
    assert not [child for child in psutil.Process().children() if "streams.routes.sandbox" in " ".join(child.cmdline())]


def test_the_process_ends_with_its_worker():
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.getcwd()}
    )
    assert worker.stdout is not None
    child = psutil.Process(int(worker.stdout.readline()))
    worker.kill()
    worker.wait()
    worker.stdout.close()
    _until(lambda: not child.is_running())


WORKER = """
import asyncio
from streams.routes.sandbox.sandbox import Sandbox
from streams.routes.sandbox.mapping_process import SandboxPlan

async def main():
    sandbox = Sandbox(SandboxPlan((), 1.0, 2**27, 1000), print)
    await sandbox.start()
    print(sandbox.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def _until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.02)


async def test_a_retired_sandbox_ends_its_process_after_each_work(sandbox: Sandbox):
    await sandbox.start()
    working = asyncio.create_task(sandbox.apply([event(number) for number in range(200)]))
    await asyncio.sleep(0)
    await sandbox.retire()
    assert len(await working) == 200
    assert sandbox.pid is None
    assert len(await sandbox.apply([event(1)])) == 1
    assert sandbox.pid is None
