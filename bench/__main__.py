"""This module runs the benchmarks: everybody in turn, several rounds, medians; a page with plots and one JSON line.

`python -m bench [--quick] [--page FILE]`. On real Apache Kafka and a lean EventBridge that takes 20 ms (bench/race.py).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

from bench.contestants.all import BARE, FAUST, PROJECT, PROJECT_TWICE, QUIX, TUTORIAL, contestants
from bench.load import Load
from bench.page import page
from bench.pipeline import kafka
from bench.race import Contestant, Race
from bench.sources import measure as measure_sources

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured. `flow_s`: seconds that events are written at a rate; `growth`: whether by size as well."""

    rounds: int
    events: int
    flow_s: int
    growth: bool


QUICK, WHOLE = Plan(1, 30_000, 15, False), Plan(5, 60_000, 60, True)

#: What the latency is measured at, of the top rate.
SHARES = (0.25, 0.5, 0.8)

#: Half of it once more, with all events of a conversation within two milliseconds: each waits for the one before it.
TOGETHER = "50 %, conversations together"

#: What cost for an event is compared over, against the load that everybody gets.
GROWTH = (
    Load(10_000),
    Load(100_000),
    Load(1_000_000),
    Load(partitions=1),
    Load(partitions=16),
    Load(size=2_000),
    Load(events=10_000, size=20_000),
)


@dataclass(slots=True)
class Results:
    """Everything that was measured: by contestant, of 50 routes, by share of the top rate, by load, by way in."""

    contestants: dict[str, list[Figures]] = field(default_factory=dict)
    routes: list[Figures] = field(default_factory=list)
    latency: dict[str, Figures] = field(default_factory=dict)
    growth: dict[str, Figures] = field(default_factory=dict)
    sources: dict[str, Figures] = field(default_factory=dict)

    def middle(self, contestant: Contestant, figure: Callable[[Figures], float]) -> float | None:
        """The median of a figure over the rounds; None of who did not run."""
        found = self.contestants.get(contestant.name)
        return median(map(figure, found)) if found else None

    def line(self) -> Figures:
        """The figures that the project is judged by."""
        mine = self.middle(PROJECT, _rate)
        half = self.latency.get("50 %", {})
        return {
            "events_per_second": mine,
            "p99_ms_half_rate": half.get("p99_ms"),
            "p99_ms_half_rate_together": self.latency.get(TOGETHER, {}).get("p99_ms"),
            "ratio_stock_faust": _ratio(mine, self.middle(FAUST, _rate)),
            "ratio_tutorial": _ratio(mine, self.middle(TUTORIAL, _rate)),
            "ratio_quix_streams": _ratio(mine, self.middle(QUIX, _rate)),
            "ratio_bare_loop_cpu": _ratio(self.middle(BARE, _cpu), self.middle(PROJECT, _cpu)),
            "ratio_two_workers": _ratio(self.middle(PROJECT_TWICE, _rate), mine),
            "ratio_50_routes": _ratio(median(map(_cpu, self.routes)), self.middle(PROJECT, _cpu)),
            "notifications_per_second": self.sources.get("sockets", {}).get("events_per_second"),
            "dry_run_events_per_second": self.sources.get("dry run", {}).get("events_per_second"),
        }


def _rate(figures: Figures) -> float:
    return float(figures["events_per_second"])


def _cpu(figures: Figures) -> float:
    return float(figures["own_us"] + figures["mapping_us"])


def _ratio(one: float | None, other: float | None) -> float | None:
    return round(one / other, 2) if one and other else None


def run(servers: str, plan: Plan) -> Results:
    """Everything of a plan; each figure is told on the way, as it may be stopped."""
    results = Results()
    load = Load(plan.events)
    for _ in range(plan.rounds):
        for one in contestants():
            theirs = replace(load, events=int(plan.events * one.share))
            results.contestants.setdefault(one.name, []).append(_measure(servers, one, theirs, one.name))
        results.routes.append(_measure(servers, PROJECT, replace(load, routes=50), "50 routes"))
    top = results.middle(PROJECT, _rate) or 0.0
    for share in SHARES:
        flow = Load(int(plan.flow_s * top * share), rate=top * share, together=False)
        results.latency[f"{share:.0%}".replace("%", " %")] = _measure(servers, PROJECT, flow, f"at {share:.0%}")
    flow = Load(int(plan.flow_s * top / 2), rate=top / 2)
    results.latency[TOGETHER] = _measure(servers, PROJECT, flow, TOGETHER)
    for other in GROWTH if plan.growth else ():
        name = f"{other.events:,} events, {other.size:,} bytes, {other.partitions} partitions"
        results.growth[name] = _measure(servers, PROJECT, other, name)
    for figures in measure_sources(servers, plan.events):
        results.sources[figures["way"]] = figures
        print(json.dumps(figures), file=sys.stderr, flush=True)
    return results


def _measure(servers: str, contestant: Contestant, load: Load, name: str) -> Figures:
    with Race(servers, contestant, load, {}) as race:
        found = race.run()
    print(name, json.dumps(found), file=sys.stderr, flush=True)
    return found


def main(arguments: Iterable[str] | None = None) -> None:
    """Run, write the page, print the line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under ten minutes: one round, less of everything")
    parser.add_argument("--page", type=Path, default=Path("build/bench.html"))
    options = parser.parse_args(list(arguments) if arguments is not None else None)
    began = time.monotonic()
    with kafka() as servers:
        results = run(servers, QUICK if options.quick else WHOLE)
    options.page.parent.mkdir(parents=True, exist_ok=True)
    tables = {"Cost of an event, by load": results.growth, "Into raw, and tried in a dry run": results.sources}
    options.page.write_text(page(results.contestants, results.routes, results.latency, tables, results.line()))
    print(f"{time.monotonic() - began:.0f} s; the page: {options.page}", file=sys.stderr)
    print(json.dumps(results.line()), flush=True)


if __name__ == "__main__":
    main()
