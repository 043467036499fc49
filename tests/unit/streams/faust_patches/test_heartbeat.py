"""Tests of how a worker knows that it is a member: by a heartbeat that was answered within the session."""

import asyncio
import time
from types import SimpleNamespace

import pytest
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import IllegalGenerationError, NoError, UnknownMemberIdError

from streams.faust_patches import heartbeat

SESSION_MS = 8_000


class Coordinator:
    """aiokafka's, as far as heartbeats go; `answer` is the next one's: an error, or a future that may never end."""

    _session_timeout_ms = SESSION_MS
    group_id, generation, member_id, coordinator_id = "group", 3, "me", 1

    reset_generation = heartbeat.reset_generation

    def __init__(self):
        self.answer, self.dead, self.joins = NoError, 0, True
        self._subscription = SimpleNamespace(partitions_auto_assigned=lambda: self.joins)

    async def _send_req(self, request):
        code = (await self.answer if isinstance(self.answer, asyncio.Future) else self.answer).errno
        return SimpleNamespace(error_code=code, member_assignment=b"")

    def coordinator_dead(self):
        self.dead += 1

    def request_rejoin(self):
        self.rejoins = True


@pytest.fixture
def coordinator():
    return Coordinator()


@pytest.fixture
def is_certain(coordinator):
    consumer = SimpleNamespace(
        _thread=SimpleNamespace(_ensure_consumer=lambda: SimpleNamespace(_coordinator=coordinator))
    )
    return lambda: heartbeat.is_certain(consumer)


@pytest.fixture
def clock(monkeypatch):
    moved = SimpleNamespace(now=time.monotonic())
    monkeypatch.setattr(heartbeat, "time", SimpleNamespace(monotonic=lambda: moved.now))
    return moved


async def test_who_was_never_answered_is_no_member_for_certain(is_certain):
    assert not is_certain()


async def test_an_answer_holds_for_a_session_from_when_it_was_asked_for(coordinator, is_certain, clock):
    assert await heartbeat.do_heartbeat(coordinator)
    clock.now += SESSION_MS / 1000 - 0.1
    assert is_certain()
    clock.now += 0.2  # as after a standstill
    assert not is_certain()


async def test_an_answer_that_took_long_holds_for_what_is_left_of_the_session(coordinator, is_certain, clock):
    coordinator.answer = asyncio.get_running_loop().create_future()
    asking = asyncio.create_task(heartbeat.do_heartbeat(coordinator))
    await asyncio.sleep(0)
    clock.now += SESSION_MS / 1000 + 0.1
    coordinator.answer.set_result(NoError)
    assert await asking
    assert not is_certain()


@pytest.mark.parametrize("error", [UnknownMemberIdError, IllegalGenerationError])
async def test_who_is_not_known_is_no_member_at_once(coordinator, is_certain, error):
    await heartbeat.do_heartbeat(coordinator)
    coordinator.answer = error
    assert not await heartbeat.do_heartbeat(coordinator)
    assert not is_certain()


async def test_a_coordinator_that_does_not_answer_is_looked_for_anew(coordinator, is_certain, monkeypatch):
    coordinator._session_timeout_ms = 20
    coordinator.answer = asyncio.get_running_loop().create_future()
    assert not await heartbeat.do_heartbeat(coordinator)
    assert (coordinator.dead, is_certain()) == (1, False)


async def test_who_is_given_partitions_is_a_member(coordinator, is_certain):
    joining = SimpleNamespace(_coordinator=coordinator, group_id="group")
    assert await heartbeat.send_sync_group_request(joining, None) == b""
    assert is_certain()
    coordinator.reset_generation()
    assert not is_certain()


def test_what_is_replaced_is_still_called_by_aiokafka():
    assert {"_do_heartbeat", "reset_generation"} <= set(vars(GroupCoordinator))


async def test_who_is_no_member_commits_nothing(coordinator, monkeypatch):
    commits = []

    async def commit(self, assignment, offsets):
        commits.append(offsets)

    monkeypatch.setattr(heartbeat, "_do_commit_offsets", commit)
    await heartbeat.do_commit_offsets(coordinator, None, {"a": 1})
    coordinator.reset_generation()
    with pytest.raises(IllegalGenerationError):  # as a group without members would take it
        await heartbeat.do_commit_offsets(coordinator, None, {"a": 0})
    coordinator.joins = False
    await heartbeat.do_commit_offsets(coordinator, None, {"b": 1})
    assert commits == [{"a": 1}, {"b": 1}]
