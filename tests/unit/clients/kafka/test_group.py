"""Tests of the right on the consumer group, on an admin client that answers by script."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import GroupAuthorizationFailedError, GroupLoadInProgressError, UnknownMemberIdError
from aiokafka.structs import OffsetAndMetadata

from clients.kafka import group as module
from settings import load_settings


class FakeAdmin:
    """Finds the coordinator, or raises, and answers a heartbeat with an error code."""

    def __init__(self, answer, refuses):
        self.answer, self.refuses = answer, refuses

    async def find_coordinator(self, group):
        if self.refuses:
            raise GroupAuthorizationFailedError(group)
        return 1

    async def _send_request(self, request, node):
        return SimpleNamespace(error_code=self.answer)

    async def list_consumer_group_offsets(self, group, partitions):
        return self.answer


@pytest.mark.parametrize(
    ("answer", "refuses", "may"),
    [
        (UnknownMemberIdError.errno, False, True),
        (0, False, True),
        (GroupAuthorizationFailedError.errno, False, False),
        (0, True, False),
    ],
    ids=["a member that is unknown", "taken", "no Read", "no Describe"],
)
async def test_the_right_is_told_from_what_the_group_knows(monkeypatch, answer, refuses, may):
    monkeypatch.setattr(module, "open_admin", lambda _: nullcontext(FakeAdmin(answer, refuses)))
    assert await module.may_use_group(load_settings()) is may


RAW = [TopicPartition("raw", 0), TopicPartition("raw", 1)]


async def test_what_is_committed_is_told(monkeypatch):
    answer = {RAW[0]: OffsetAndMetadata(5, ""), RAW[1]: OffsetAndMetadata(-1, "")}
    monkeypatch.setattr(module, "open_admin", lambda _: nullcontext(FakeAdmin(answer, False)))
    assert await module.committed(load_settings(), [("raw", 0), ("raw", 1)]) == {("raw", 0): 5}


async def test_an_answer_without_the_partitions_is_none(monkeypatch):
    """aiokafka gives it for an error of the whole answer, as of a coordinator that loads."""
    monkeypatch.setattr(module, "open_admin", lambda _: nullcontext(FakeAdmin({}, False)))
    with pytest.raises(GroupLoadInProgressError):
        await module.committed(load_settings(), [("raw", 0), ("raw", 1)])
