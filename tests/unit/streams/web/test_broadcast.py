"""Tests of the broadcast: made once however many listen, the newest alone is kept, and nobody is waited for."""

import asyncio

import orjson

from streams.web.broadcast import MAX_RANGES, Broadcast, sse


class Source:
    """Gives what the test says, and counts how often it was asked."""

    def __init__(self):
        self.value, self.asked, self.broken = {"report": 1}, [], False
        self.takes = asyncio.Semaphore(0)

    async def take(self, range_):
        self.asked.append(range_)
        self.takes.release()
        if self.broken:
            raise RuntimeError("no")
        return dict(self.value)

    async def taken_anew(self):
        """Until something was taken that had not begun before."""
        while not self.takes.locked():
            await self.takes.acquire()
        await self.takes.acquire()
        await self.takes.acquire()


def broadcast(source, **changes):
    return Broadcast(source.take, **{"period_s": 0.0, **changes})


async def test_many_listeners_cost_one_taking_and_hear_the_same():
    source = Source()
    told = broadcast(source, period_s=60.0)
    listeners = [told.listen("1h") for _ in range(20)]
    assert [await one.next(5.0) for one in listeners] == [{"report": b"1"}] * 20
    assert source.asked == ["1h"]
    assert await told.listen("1h").next(5.0) == {"report": b"1"}
    assert source.asked == ["1h"]


async def test_what_has_not_changed_is_not_told_again_and_of_what_has_the_newest_alone():
    source = Source()
    source.value = {"report": 1, "lag": 1}
    told = broadcast(source)
    listener = told.listen("")
    assert await listener.next(5.0) == {"report": b"1", "lag": b"1"}
    for number in (2, 3):
        source.value["report"] = number
        await source.taken_anew()
    assert await listener.next(5.0) == {"report": b"3"}
    assert await listener.next(0.01) == {}


async def test_nothing_is_taken_while_nobody_listens():
    source = Source()
    told = broadcast(source)
    listener = told.listen("")
    await listener.next(5.0)
    told.leave("", listener)
    await asyncio.wait_for(told._telling, 60)
    asked = len(source.asked)
    await asyncio.sleep(0.01)
    assert len(source.asked) == asked
    assert await told.listen("").next(5.0) == {"report": b"1"}


async def test_there_is_a_bound_on_listeners_and_on_ranges():
    told = broadcast(Source(), max_listeners=3)
    assert [told.listen("") is not None for _ in range(4)] == [True, True, True, False]
    told = broadcast(Source())
    assert all(told.listen(str(number)) for number in range(MAX_RANGES))
    assert told.listen("one more") is None
    assert told.listen("0") is not None


async def test_an_error_in_taking_ends_nobody_s_listening():
    source = Source()
    source.broken = True
    told = broadcast(source)
    listener = told.listen("")
    await source.taken_anew()
    source.broken = False
    assert await listener.next(5.0) == {"report": b"1"}


async def test_the_end_of_the_worker_lets_all_go():
    told = broadcast(Source())
    listener = told.listen("")
    told.close()
    await listener.next(60.0)
    assert listener.closed
    assert told.listen("") is None


def test_news_are_named_events_and_none_is_a_comment():
    lines = sse({"lag": orjson.dumps({"asOf": None})})
    assert lines == b'event: lag\ndata: {"asOf":null}\n\n'
    assert sse({}).startswith(b":")
