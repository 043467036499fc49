"""Tests of the demo's books: what Genesys sent and is nowhere is lost, whatever the worker says."""

import httpx
import pytest

from streams.demo.accounts import DemoLedger

SENT = {"match": ["m1", "m2"], "invalid": ["i1"], "filtered": ["f1", "f2"]}


@pytest.fixture
async def books():
    """DemoLedger of a stream of five events that all ended; with notifications, of two conversations."""

    def answer(request: httpx.Request) -> httpx.Response:
        told = {"/_emulator/ledger": SENT, "/_emulator/conversations": {"sent": ["c1", "c2"]}}
        return httpx.Response(200, json=told[request.url.path])

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        made = DemoLedger("http://genesys", "http://aws", "http://worker", "", client)
        made._bus = [("e1", '"m1"'), ("e2", '"m2"'), ("e1", '"m1"')]
        made._records = {
            "genesys.raw": {"e1": '"m1"', "e2": '"m2"', "e3": '"i1"', "e4": '"f1"', "e5": '"f2"'},
            "genesys.failures": {"e3": '"i1"'},
        }
        yield made


async def test_when_all_have_ended_nothing_is_lost(books):
    assert await books._lost(filtered=2) == 0


@pytest.mark.parametrize(
    ("spoil", "filtered", "lost"),
    [
        (lambda books: books._bus.remove(("e2", '"m2"')), 2, 1),
        (lambda books: books._records["genesys.failures"].clear(), 2, 1),
        (lambda books: None, 1, 1),
        (lambda books: (books._bus.clear(), books._records["genesys.failures"].clear()), 0, 5),
    ],
    ids=["not on the bus", "not among the failures", "a filtered one nobody counted", "all"],
)
async def test_what_is_nowhere_is_lost(books, spoil, filtered, lost):
    spoil(books)
    assert await books._lost(filtered) == lost


@pytest.mark.parametrize(
    ("raw", "filtered", "lost"),
    [
        ({"e1": '"c1"', "e2": '"c2"', "e4": '"c2"'}, 1, 0),
        ({"e1": '"c1"', "e2": '"c2"', "e4": '"c2"'}, 0, 1),
        ({"e1": '"c1"'}, 0, 1),
    ],
    ids=["all ended", "a state that is nowhere", "a conversation that never came"],
)
async def test_of_notifications_conversations_and_states_are_looked_for(books, raw, filtered, lost):
    books.source = "notifications"
    books._records = {"genesys.raw": raw, "genesys.failures": {}}
    assert await books._lost(filtered) == lost


@pytest.mark.parametrize(
    ("gap", "missed_ms", "sent"),
    [
        ({"state": "open", "start_ms": 900, "end_ms": 1_050}, [], False),
        ({"state": "open", "start_ms": 1_100, "end_ms": 1_200}, [], True),
        ({"state": "healed", "start_ms": 900, "end_ms": 1_050}, [], True),
        ({"state": "healed", "start_ms": 900, "end_ms": 1_050}, [950, 1_040], True),
        ({"state": "open", "start_ms": 1_100, "end_ms": 1_200}, [1_150], False),
        ({"state": "healed", "start_ms": 900, "end_ms": 1_050}, [1_150], False),
        ({"state": "healed", "start_ms": 900, "end_ms": 1_050}, [500], True),
    ],
    ids=[
        "one that may hide events",
        "one after the last event",
        "one that is filled",
        "one that had events and is filled",
        "one with an event that nobody heard",
        "one that is not told yet",
        "none, long after an event that nobody heard",
    ],
)
async def test_all_is_sent_when_no_gap_can_hide_events_any_more(gap, missed_ms, sent):
    told = {
        "/_emulator/summary": {"notifications": {"ended": True, "lastEventMs": 1_000, "missedMs": missed_ms}},
        "/api/tables/gaps/": {"rows": [gap]},
    }
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=told[request.url.path]))
    async with httpx.AsyncClient(transport=transport) as client:
        books = DemoLedger(
            "http://genesys", "http://aws", "http://worker", "", client, source="notifications", clock=lambda: 30.7
        )
        assert await books.all_sent(5) is sent


class StillBooks(DemoLedger):
    """DemoLedger whose sides the test writes itself."""

    async def report(self):
        return {"filtered": 2}

    async def _read_bus(self):
        pass

    async def _read_topics(self):
        pass


async def test_only_what_is_older_than_all_that_is_on_its_way_can_be_lost(books):
    """What is on its way is nowhere as well; it is lost when all that is on its way was sent later."""
    still = StillBooks(books.genesys, books.aws, books.web, "", books.client)
    still._bus, still._records = [one for one in books._bus if one[0] != "e2"], books._records
    looks = [
        await still.lost_by_now(at, oldest_s) for at, oldest_s in ((0.0, 1.0), (20.0, 1.0), (22.0, 1.0), (23.0, 60.0))
    ]
    assert looks == [0, 0, 1, 0]
