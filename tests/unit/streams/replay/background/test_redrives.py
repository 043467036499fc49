"""Tests of the redrives of the pages; what each does: tests/unit/streams/replay/redriving/test_redrive.py."""

import asyncio
import threading

import pytest

from clients.kafka.ranges import RangeError
from processors.replay.redrive_form import RedriveForm
from processors.replay.selection import FailureSelection, Span
from settings import Settings
from streams.replay.background import redrives
from streams.replay.background.background_loop import BackgroundLoop
from streams.replay.background.redrives import AnotherRedriveError, RedriveJobs, _bounds


def asked(*, dry_run):
    """All that there is, as fast as it goes."""
    return RedriveForm(FailureSelection(), dry_run=dry_run, again=False, rate=None, limit=None)


@pytest.fixture
async def recorded():
    return []


@pytest.fixture
def kafka(monkeypatch):
    """Sets what Kafka answers to who asks for its topics."""
    return lambda answer: monkeypatch.setattr(redrives, "partition_counts", answer)


@pytest.fixture
async def jobs(recorded):
    loop = BackgroundLoop("redrives")

    async def record(who, what, *, detail):
        assert what == "redrive"
        recorded.append((who, detail))

    yield RedriveJobs(Settings(), loop, record)
    await loop.close()


async def until_it_ends(jobs, job):
    await asyncio.wait(jobs._tasks)
    assert job.state != "running"


async def test_why_it_cannot_be_done_is_said(jobs, recorded, kafka):
    async def nobody(settings, touch=()):
        raise RangeError("no Kafka broker answers")

    kafka(nobody)
    job = jobs.begin(asked(dry_run=False), "ana")
    assert job.as_json()["state"] == "running"
    await until_it_ends(jobs, job)
    assert (job.as_json()["state"], job.as_json()["message"]) == ("failed", "no Kafka broker answers")
    assert jobs.get(job.plan.run) is job
    [(who, words)] = recorded
    assert (who, words.split()[0]) == ("ana", job.plan.run)


async def test_an_error_of_ours_ends_it_too_and_a_rehearsal_is_no_action(jobs, recorded, kafka):
    async def broken(settings, touch=()):
        raise LookupError("x")

    kafka(broken)
    job = jobs.begin(asked(dry_run=True), "")
    await until_it_ends(jobs, job)
    assert job.state == "failed"
    assert "LookupError" in job.message
    assert recorded == []


async def test_one_runs_at_a_time_and_its_end_is_its_begin(jobs, kafka):
    go_on = threading.Event()

    async def waits(settings, touch=()):
        await asyncio.to_thread(go_on.wait, 30)
        raise RangeError("enough")

    kafka(waits)
    job = jobs.begin(asked(dry_run=True), "")
    with pytest.raises(AnotherRedriveError, match=job.plan.run):
        jobs.begin(asked(dry_run=True), "")
    assert job.plan.selection.span == Span(None, job.plan.at_ms)
    go_on.set()
    await until_it_ends(jobs, job)
    jobs.begin(asked(dry_run=True), "")
    await jobs.close()


def test_of_single_records_no_more_is_read_than_lies_between_them():
    bounds = _bounds(FailureSelection(spots=frozenset({(0, 5), (0, 9), (2, 1)})))
    assert (dict(bounds.first.by_partition), dict(bounds.end.by_partition)) == ({0: 5, 2: 1}, {0: 10, 2: 2})
    assert _bounds(FailureSelection(span=Span(1, 2))).span == Span(1, 2)
