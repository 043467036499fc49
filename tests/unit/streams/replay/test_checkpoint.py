"""This module tests that a replay's file says where it stands, and that what is no such file is passed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clients.kafka.ranges import MissingRange, Range, RangeBounds
from processors.replay.selection import Span
from settings import Settings
from streams.replay.checkpoint import Checkpoints, ReplayCheckpoint
from streams.replay.replay import ReplayPlan, ReplayProgress

TYPED = ("--since", "2h", "--into", "copy")
PLAN = ReplayPlan(RangeBounds(Span(since=1_000)), into="copy", run="replay-1")


@pytest.fixture
def settings(tmp_path):
    return Settings(data_dir=tmp_path)


def progress(**more):
    what = Range("raw", {0: 5, 1: 9}, {0: 10, 1: 9}, [MissingRange("raw", 0, 0, 3, True)])
    return ReplayProgress(what, read=4, written=3, skipped=1, **more)


@pytest.fixture
def one(settings):
    return ReplayCheckpoint.of(settings, TYPED, PLAN, progress())


def test_what_is_saved_is_found_by_the_options_that_were_typed(settings, one):
    files = Checkpoints(settings)
    files.save(one)
    assert files.find("raw", "copy", TYPED) == one
    assert files.find("raw", "copy", ("--into", "copy")) is None
    assert (one.read, one.written, one.skipped, len(one.missing)) == (4, 3, 1, 1)


def test_a_later_checkpoint_takes_the_place_of_the_one_before(settings, one):
    files = Checkpoints(settings)
    for at in (5, 7):
        files.save(replace(one, next={0: at, 1: 9}))
    assert [found.next[0] for found in files.all()] == [7]
    assert [path.suffix for path in files.folder.iterdir()] == [".json"]


def test_what_is_left_begins_where_it_stood_also_when_it_is_nothing(one):
    assert (one.bounds.first.of(0), one.bounds.end.of(0), one.bounds.span) == (5, 10, Span(since=1_000))
    done = replace(one, next=one.end).bounds
    assert [(done.first.of(partition), done.end.of(partition)) for partition in done.partitions] == [(10, 10), (9, 9)]


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"next": {"a": 1}, "end": {}}'])
def test_a_file_that_is_none_is_passed_and_known(settings, one, content):
    files = Checkpoints(settings)
    files.save(one)
    (files.folder / "0.json").write_bytes(content)
    assert list(files.all()) == [one]
    assert files.damaged() == [files.folder / "0.json"]


def test_a_replay_of_another_cluster_is_not_this_ones(settings, one):
    files = Checkpoints(settings)
    files.save(replace(one, cluster="elsewhere:9092"))
    assert list(files.all()) == []


@pytest.mark.parametrize(
    ("begun", "kept"),
    [(Range("raw", {0: 5}, {0: 10}), False), (Range("raw", {0: 6}, {0: 10}), True), (Range("raw", {}, {}), True)],
    ids=["by its offsets", "elsewhere", "nothing to read"],
)
def test_a_run_that_goes_on_by_offsets_takes_the_place_of_the_one_that_stopped(settings, one, begun, kept):
    files = Checkpoints(settings)
    files.save(one)
    files.supersede(ReplayProgress(begun), "copy")
    assert bool(list(files.all())) is kept


def test_what_is_done_leaves_no_file(settings, one):
    files = Checkpoints(settings)
    files.save(one)
    files.remove(one)
    files.remove(one)
    assert list(files.folder.iterdir()) == []
