"""Tests of what the group has committed, by the answers that brokers give while its coordinator changes."""

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    NotCoordinatorForGroupError,
)
from aiokafka.protocol.commit import OffsetFetchResponse_v1, OffsetFetchResponse_v2, OffsetFetchResponse_v3
from aiokafka.structs import OffsetAndMetadata

from clients.kafka.offset_fetch import do_fetch

PLACES = [TopicPartition("raw", 0), TopicPartition("raw", 1)]
FOUND = [("raw", [(0, 7, "note", 0), (1, -1, "", 0)])]


class Coordinator:
    """Answers one after the other, as brokers do; aiokafka's own waiting and asking again around it."""

    group_id, _retry_backoff_ms = "group", 1
    fetch_committed_offsets = GroupCoordinator.fetch_committed_offsets
    _do_fetch_commit_offsets = do_fetch

    def __init__(self, *answers):
        self.answers, self.looked_for = list(answers), 0

    async def ensure_coordinator_known(self):
        pass

    def coordinator_dead(self):
        self.looked_for += 1

    async def _send_req(self, request):
        return self.answers.pop(0)


@pytest.mark.parametrize(
    "answer",
    [OffsetFetchResponse_v1(FOUND), OffsetFetchResponse_v2(FOUND, 0), OffsetFetchResponse_v3(0, FOUND, 0)],
    ids=["v1", "v2", "v3"],
)
async def test_what_was_committed_is_given(answer):
    assert await do_fetch(Coordinator(answer), PLACES) == {PLACES[0]: OffsetAndMetadata(7, "note")}


@pytest.mark.parametrize(
    ("error", "looks"),
    [(GroupLoadInProgressError, 0), (NotCoordinatorForGroupError, 1), (GroupCoordinatorNotAvailableError, 1)],
)
async def test_an_error_of_the_whole_answer_is_no_group_without_commits(error, looks):
    coordinator = Coordinator(OffsetFetchResponse_v3(0, [], error.errno), OffsetFetchResponse_v3(0, FOUND, 0))

    assert await coordinator.fetch_committed_offsets(PLACES) == {PLACES[0]: OffsetAndMetadata(7, "note")}
    assert coordinator.looked_for == looks


async def test_a_right_that_is_missing_is_told():
    refused = OffsetFetchResponse_v2([], GroupAuthorizationFailedError.errno)
    with pytest.raises(GroupAuthorizationFailedError):
        await Coordinator(refused).fetch_committed_offsets(PLACES)
