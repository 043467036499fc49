"""Tests what composes faults from a seed, and what tells of a run: without Kafka."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.kafka import ledger
from tests.kafka.nemesis import clock, harm, plot
from tests.kafka.nemesis.findings import skipped, unseen
from tests.kafka.nemesis.history import History
from tests.kafka.nemesis.schedule import BROKERS_PEACE_S, KINDS, PEACE_S, schedule

SEEDS = range(30)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_is_a_schedule(seed: int):
    assert schedule(seed, 600) == schedule(seed, 600)
    assert schedule(seed, 600) != schedule(seed + 1, 600)


def test_the_first_seed_stays_what_it_is():
    assert [(step.at, step.kind.name, step.seconds, step.whom) for step in schedule(1, 600, 5.0)][:2] == [
        (5.0, "frozen", 15.56, 0.764),
        (8.42, "leaves", 0.0, 0.789),
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_schedule_keeps_its_bounds(seed: int):
    steps = schedule(seed, 600)
    assert steps, "ten minutes without a fault"
    for step in steps:
        assert step.at >= PEACE_S
        assert step.at + step.seconds <= 600 - PEACE_S
        assert step.kind.shortest <= step.seconds <= step.kind.longest
        assert step.kind.least <= step.figure <= step.kind.most


@pytest.mark.parametrize("seed", SEEDS)
def test_brokers_are_struck_one_at_a_time(seed: int):
    brokers = [step for step in schedule(seed, 600) if step.kind.room == "broker"]
    for one, next_one in pairwise(brokers):
        assert next_one.at >= one.at + one.seconds + BROKERS_PEACE_S - 0.02


def test_all_kinds_come_in_an_hour_and_overlap():
    steps = schedule(7, 3600)
    assert {step.kind for step in steps} == set(KINDS)
    assert any(later.at < one.at + one.seconds for one, later in pairwise(steps))


def test_every_fault_of_aws_is_known():
    assert {kind.name for kind in KINDS if kind.room == "aws"} == harm.ENTRIES.keys() | harm.REQUESTS.keys()


def test_history_is_json_lines(tmp_path: Path):
    said: list[str] = []
    with History(tmp_path / "history.jsonl", said.append) as history:
        history.note("begins", fault="frozen", whom="worker 1")
        history.span("frozen", 0.0)
    line = json.loads((tmp_path / "history.jsonl").read_text("utf-8"))
    assert (line["event"], line["fault"], line["whom"]) == ("begins", "frozen", "worker 1")
    assert line.keys() >= {"t", "at"}
    assert "fault=frozen" in said[0]
    assert history.spans[0][:2] == ("frozen", 0.0)


def test_what_is_lost_and_committed_was_skipped():
    places = {1: (0, 10), 2: (0, 20), 3: (1, 5)}
    assert skipped([1, 2, 3, 4], places, {0: 11}) == (1,)


def test_unseen_lasts_from_given_to_the_first_end():
    assert unseen([1000, 2000, 3000], {0: 1500, 2: 10_000, 7: 1, ledger.NOBODY: 5}) == {0: 0.5, 2: 7.0}


def test_the_line_counts_what_is_given_and_not_ended():
    given = [0, 1000, 1000, 2000]  # number 2 is filtered: it leaves no trace
    line = plot.unseen_over_time(given, {0: 1500, 3: 3000}, 0, 4.0)
    assert [line[0], line[2], line[3], line[4], line[6], line[8]] == [1, 2, 1, 2, 1, 1]


def test_the_plot_is_an_svg_with_a_bar_for_each_fault():
    text = plot.draw([0, 5, 3], [("frozen", 0.1, 0.6), ("killed <b>", 0.2, 0.2)], "Seed 1")
    root = ElementTree.fromstring(text)
    words = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Seed 1", "frozen", "killed <b>", "events unseen"} <= set(words)
    bars = [one for one in root.iter("{http://www.w3.org/2000/svg}rect") if one.get("height") == "10"]
    assert len(bars) == 2
    assert all(float(bar.get("width", "0")) >= 2 for bar in bars)


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_a_clock_jumps_alone_and_what_measures_time_goes_on(tmp_path: Path):
    own = clock.OwnClock(tmp_path / "clock")
    told = "import sys, time; [print(time.time(), time.monotonic(), flush=True) for _ in iter(sys.stdin.readline, '')]"
    environment = {**os.environ, **own.environment()}
    with subprocess.Popen(
        [sys.executable, "-c", told], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for ahead_s in (0.0, 100.5, -60.0, 0.0):
            own.set(ahead_s)
            before = time.time(), time.monotonic()
            process.stdin.write("\n")
            process.stdin.flush()
            wall, measured = map(float, process.stdout.readline().split())
            assert before[0] + ahead_s <= wall <= time.time() + ahead_s
            assert before[1] <= measured <= time.monotonic()
        process.stdin.close()
