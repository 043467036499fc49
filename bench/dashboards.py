"""This module measures the pages against a demo: `python -m bench.dashboards [--rate N] [--minutes M] [--boards N]`.

In a real Chromium: how long a page takes until something is painted and until its numbers stand there, the first time
and again, and how its memory grows. Then what open dashboards cost the worker: programs that ask what the page Now asks
come and go in turns, and the CPU of the worker's own process is told for each event with and without them. A JSON line
for each; ratios are of times that follow each other on the same machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from contextlib import suppress
from typing import Any

import httpx
import psutil
from playwright.sync_api import Browser, Page

from docs.screenshots import chromium, ended, is_ready
from streams.demo.stack import Options, Stack
from tests.kafka.pipeline import wait_until

#: Seconds before anything is measured, of one turn with or without dashboards, and turns of each.
WARM_UP_S, TURN_S, TURNS = 15.0, 6.0, 10

#: What the page Now asks again and again: address, and every how many seconds.
ASKED = (("/api/report/?range=1h", 5.0), ("/api/history/?range=1h", 60.0))

PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def paint(browser: Browser, stack: Stack, name: str) -> dict[str, float]:
    """Milliseconds until a page is painted and until it is live, with an empty cache and with what it has kept."""
    context = browser.new_context()
    found: dict[str, float] = {}
    for turn in ("first", "again"):
        page = context.new_page()
        began = time.monotonic()
        page.goto(f"{stack.web}/?page={name}")
        page.locator(".freshness.fresh").wait_for()
        found[f"{turn}LiveMs"] = round(1000 * (time.monotonic() - began))
        found[f"{turn}PaintMs"] = round(page.evaluate(PAINT))
        page.close()
    context.close()
    return found


def heap(page: Page) -> dict[str, float]:
    """What a page holds, after a look of the garbage collector."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    told = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    return {"megabytes": round(told["JSHeapUsedSize"] / 1e6, 2), "nodes": told["Nodes"]}


def memory(browser: Browser, stack: Stack, minutes: float) -> dict[str, Any]:
    """How what the page Now holds changes while events come."""
    page = browser.new_page()
    page.goto(f"{stack.web}/?page=now&range=5m")
    page.locator(".freshness.fresh").wait_for()
    page.wait_for_timeout(20_000)  # the curves and the speeds are filled
    first, before = heap(page), ended(stack)
    began = time.monotonic()
    page.wait_for_timeout(60_000 * minutes)
    seconds, last = time.monotonic() - began, heap(page)
    page.close()
    rate = (ended(stack) - before) / seconds
    ratio = round(last["megabytes"] / first["megabytes"], 3)
    return {"minutes": minutes, "eventsPerSecond": round(rate), "first": first, "last": last, "ratio": ratio}


async def board(url: str) -> None:
    """One open page Now."""

    async def ask(client: httpx.AsyncClient, path: str, every_s: float) -> None:
        while True:
            with suppress(httpx.HTTPError):
                await client.get(url + path)
            await asyncio.sleep(every_s)

    async def listen(client: httpx.AsyncClient) -> None:
        while True:
            with suppress(httpx.HTTPError):
                async with client.stream("GET", f"{url}/api/stream/") as stream:
                    async for _ in stream.aiter_bytes():
                        pass
            await asyncio.sleep(1)

    async with httpx.AsyncClient(timeout=60) as client, asyncio.TaskGroup() as group:
        group.create_task(listen(client))
        for path, every_s in ASKED:
            group.create_task(ask(client, path, every_s))


async def turn(stack: Stack, boards: int) -> dict[str, float]:
    """Events a second and microseconds of the worker's CPU for each, with so many dashboards open."""
    assert stack.worker is not None
    process = psutil.Process(stack.worker.pid)
    tasks = [asyncio.create_task(board(stack.web)) for _ in range(boards)]
    try:
        await asyncio.sleep(2)
        began, used, before = time.monotonic(), sum(process.cpu_times()[:2]), ended(stack)
        await asyncio.sleep(TURN_S)
        seconds, cpu, events = time.monotonic() - began, sum(process.cpu_times()[:2]) - used, ended(stack) - before
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return {"rate": events / seconds, "us": 1e6 * cpu / max(1, events), "share": cpu / seconds}


def cost(stack: Stack, boards: int) -> dict[str, Any]:
    """What open dashboards cost: medians of turns, and of how one with them differs from its neighbour without."""
    found: dict[int, list[dict[str, float]]] = {0: [], boards: []}
    for number in range(TURNS):
        for which in (0, boards) if number % 2 else (boards, 0):
            found[which].append(asyncio.run(turn(stack, which)))
    pairs = list(zip(found[0], found[boards], strict=True))
    without, with_them = (
        {name: statistics.median(one[name] for one in turns) for name in ("rate", "us", "share")}
        for turns in found.values()
    )
    return {
        "boards": boards,
        "eventsPerSecond": [round(one["rate"]) for one in (without, with_them)],
        "microsecondsAnEvent": [round(one["us"]) for one in (without, with_them)],
        "cpuShare": [round(one["share"], 3) for one in (without, with_them)],
        "moreCpu": round(statistics.median(more["us"] / less["us"] - 1 for less, more in pairs), 3),
        "moreOfACore": round(statistics.median(more["share"] - less["share"] for less, more in pairs), 3),
        "lessThroughput": round(statistics.median(1 - more["rate"] / less["rate"] for less, more in pairs), 3),
    }


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.dashboards", description=__doc__)
    parser.add_argument("--rate", type=float, default=300.0, help="events a second of the demo; 0: as fast as it goes")
    parser.add_argument("--minutes", type=float, default=2.0, help="how long the memory of a page is watched")
    parser.add_argument("--boards", type=int, default=20, help="dashboards that are open at once")
    options = parser.parse_args()
    with Stack(Options(events=None, source="stream", faults=False, rate=options.rate, port=0)) as stack:
        wait_until("the first events to end", lambda: is_ready(stack))
        time.sleep(WARM_UP_S)
        with chromium() as browser:
            _tell("pages", {name: paint(browser, stack, name) for name in ("now", "failures", "routes", "trace")})
            if options.minutes:
                _tell("memory", memory(browser, stack, options.minutes))
        if options.boards:
            _tell("dashboards", cost(stack, options.boards))
        stack.check()


def _tell(what: str, found: dict[str, Any]) -> None:
    print(json.dumps({"measured": what, **found}), flush=True)


if __name__ == "__main__":
    main()
