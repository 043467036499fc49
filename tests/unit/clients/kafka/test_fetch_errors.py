"""Tests of a fetch that is refused, by the answers of brokers that lead a partition, or led it once."""

from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_UNCOMMITTED, Fetcher, OffsetResetStrategy
from aiokafka.consumer.subscription_state import TopicPartitionState
from aiokafka.errors import KafkaStorageError, NodeNotReadyError, OffsetOutOfRangeError, TopicAuthorizationFailedError
from aiokafka.protocol.fetch import FetchRequest, FetchResponse_v11
from aiokafka.protocol.offset import OffsetResponse_v1

from clients.kafka import fetch_errors

PLACE = TopicPartition("raw", 0)
ASKED = FetchRequest(500, 1, 1_000, READ_UNCOMMITTED, [("raw", [(0, 100, 1_000)])])
BEYOND = OffsetOutOfRangeError.errno


class Broker:
    """A client of one broker: it refuses each fetch with the next code, and says where its log begins."""

    def __init__(self, codes, begin=0):
        self.codes, self.begin, self.metadata_asked = list(codes), begin, 0

    async def send(self, node_id, request):
        if isinstance(request, FetchRequest):
            return FetchResponse_v11(0, 0, 0, [("raw", [(0, self.codes.pop(0), -1, -1, -1, [], -1, b"")])])
        if self.begin is None:
            raise NodeNotReadyError
        return OffsetResponse_v1([("raw", [(0, 0, -1, self.begin)])])

    def force_metadata_update(self):
        self.metadata_asked += 1


class OneFetcher:
    """As much of aiokafka's fetcher as one fetch needs, and its own way to take the answer."""

    _proc_fetch_request = fetch_errors.proc_fetch_request
    _proc_offset_request = Fetcher._proc_offset_request
    _set_error = Fetcher._set_error
    _isolation_level, _client_rack, _retry_backoff, _prefetch_backoff = READ_UNCOMMITTED, None, 0.0, 0.0
    _default_reset_strategy = OffsetResetStrategy.EARLIEST

    def __init__(self, broker):
        self._client, self._records, self._preferred_read_replica = broker, {}, {}


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(fetch_errors.time, "monotonic", lambda: now.seconds)

    async def pause(seconds):
        now.seconds += seconds

    monkeypatch.setattr(fetch_errors, "asyncio", SimpleNamespace(sleep=pause))
    return now


async def fetched(fetcher, offset=100):
    """Fetch once at an offset; gives the state of the partition afterwards."""
    state = TopicPartitionState(SimpleNamespace())
    state.seek(offset)
    assignment = SimpleNamespace(active=True, state_value=lambda _: state)
    await fetcher._proc_fetch_request(assignment, 1, ASKED)
    return state


async def test_aiokafka_itself_goes_to_the_beginning_at_once(clock):
    fetcher = OneFetcher(Broker([BEYOND]))
    fetcher._proc_fetch_request = fetch_errors._proc_fetch_request.__get__(fetcher)
    assert (await fetched(fetcher)).awaiting_reset


@pytest.mark.parametrize("begin", [0, 100, None], ids=["begins before", "begins there", "does not say"])
async def test_one_broker_whose_log_ends_too_early_is_not_believed(clock, begin):
    broker = Broker([BEYOND], begin)
    state = await fetched(OneFetcher(broker))
    assert (state.position, state.awaiting_reset) == (100, False)
    assert (broker.metadata_asked, clock.seconds) == (1, fetch_errors.PAUSE_S)


async def test_what_is_before_the_logs_beginning_is_gone_at_once(clock):
    broker = Broker([BEYOND], begin=101)
    assert (await fetched(OneFetcher(broker))).awaiting_reset
    assert clock.seconds == 0


async def test_what_nobody_contradicts_for_long_is_believed(clock):
    fetcher = OneFetcher(Broker([BEYOND] * 1_000))
    while not (await fetched(fetcher)).awaiting_reset:
        assert clock.seconds <= fetch_errors.BELIEVED_S
    assert clock.seconds == fetch_errors.BELIEVED_S


@pytest.mark.parametrize("between", ["another answer", "another offset", "silence"])
async def test_what_was_doubted_before_is_doubted_anew(clock, between):
    broker = Broker([BEYOND, *([0] if between == "another answer" else []), BEYOND])
    fetcher = OneFetcher(broker)
    await fetched(fetcher)
    clock.seconds = fetch_errors.BELIEVED_S if between != "silence" else fetch_errors.SILENT_S + 1
    if between == "another answer":
        await fetched(fetcher)
    if between == "another offset":
        fetcher.doubts[PLACE].offset = 99
    assert not (await fetched(fetcher)).awaiting_reset
    assert fetcher.doubts[PLACE].since == clock.seconds - fetch_errors.PAUSE_S


async def test_a_refusal_without_a_word_for_it_asks_who_leads(clock):
    broker = Broker([KafkaStorageError.errno])
    state = await fetched(OneFetcher(broker))
    assert (state.position, broker.metadata_asked, clock.seconds) == (100, 1, fetch_errors.PAUSE_S)


async def test_a_right_that_is_missing_is_told(clock):
    fetcher = OneFetcher(Broker([TopicAuthorizationFailedError.errno]))
    await fetched(fetcher)
    with pytest.raises(TopicAuthorizationFailedError):
        fetcher._records[PLACE].check_raise()
