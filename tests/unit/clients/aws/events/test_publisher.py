"""Tests of the publisher's laws, on a scripted EventBridge; chance is 0, so no back-off takes time."""

import asyncio
import time
from collections import Counter

import pytest

from clients.aws.events.eventbridge import Accepted, Outage, RefusedEntry, Suspect
from clients.aws.events.publisher import Publisher
from processors.delivery.entries import Entry
from processors.delivery.refusals import RefusalLimits

LIMITS = RefusalLimits(share=0.5, least=100, window_s=60.0)


def entry(name, size=10):
    return Entry({"Detail": name}, size)


class Bus:
    """Answers each entry by its script (the last answer stands), and remembers the requests."""

    def __init__(self, **script):
        self.script = {name: list(answers) for name, answers in script.items()}
        self.requests = []
        self.flying = self.most_flying = 0
        self.called = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def put(self, entries):
        self.requests.append([entry.fields["Detail"] for entry in entries])
        self.flying += 1
        self.most_flying = max(self.most_flying, self.flying)
        self.called.set()
        await self.gate.wait()
        await asyncio.sleep(0)
        self.flying -= 1
        return [self.answer(entry.fields["Detail"]) for entry in entries]

    def answer(self, name):
        answers = self.script.get(name, [Accepted(name)])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    @property
    def sent(self):
        return Counter(name for request in self.requests for name in request)


@pytest.fixture
async def publisher():
    """Make publishers of a bus; what they tell of is kept in `troubles`, `retries` and `bugs`."""
    made = []

    def make(bus, **options):
        publisher = Publisher(
            bus.put,
            **{"max_bytes": 1_000, "linger_s": 0.0, "in_flight": 4, "max_retries": 3, "limits": LIMITS, **options},
            on_trouble=lambda reason: publisher.troubles.append(reason),
            on_retry=lambda code: publisher.retries.append(code),
            on_bug=lambda error: publisher.bugs.append(error),
            chance=lambda: 0.0,
        )
        publisher.troubles, publisher.retries, publisher.bugs = [], [], []
        made.append(publisher)
        return publisher

    yield make
    for one in made:
        await end(one)


async def end(publisher):
    """End the dispatcher and the requests in flight, which the app's end does in a worker."""
    lanes = publisher._lanes.values()
    tasks = [task for lane in lanes for task in (lane._dispatcher, *lane._requests) if task is not None]
    tasks += publisher._again_tasks
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def publish(publisher, names, key=None):
    return await asyncio.gather(*(publisher.publish(entry(name), key or name) for name in names))


THROTTLED = RefusedEntry("ThrottlingException", "slow down")


async def test_entries_of_different_callers_share_requests(publisher):
    bus = Bus()
    names = [f"e{number}" for number in range(25)]
    assert await publish(publisher(bus), names) == [Accepted(name) for name in names]
    assert [len(request) for request in bus.requests] == [10, 10, 5]
    assert bus.sent == Counter(names)


async def test_a_lone_entry_does_not_linger(publisher):
    bus = Bus()
    async with asyncio.timeout(60):
        await publish(publisher(bus, linger_s=3_600), ["a"])
        await publish(publisher(bus, linger_s=3_600), ["b"])
    assert bus.requests == [["a"], ["b"]]


@pytest.fixture
def behind(publisher):
    """A publisher with a request under way, and its bus, which has it until its gate is opened."""

    async def make(linger_s):
        bus = Bus()
        bus.gate.clear()
        one = publisher(bus, linger_s=linger_s)
        first = asyncio.create_task(one.publish(entry("first"), "first"))
        await bus.called.wait()
        return bus, one, first

    return make


async def test_an_unfilled_request_waits_until_none_is_under_way(behind):
    bus, one, first = await behind(3_600)
    others = [asyncio.create_task(one.publish(entry(name), name)) for name in "ab"]
    await asyncio.sleep(0)
    bus.gate.set()
    async with asyncio.timeout(60):
        await asyncio.gather(first, *others)
    assert bus.requests == [["first"], ["a", "b"]]


async def test_an_unfilled_request_waits_no_longer_than_the_linger(behind):
    bus, one, first = await behind(0.001)
    other = asyncio.create_task(one.publish(entry("a"), "a"))
    async with asyncio.timeout(60):
        while len(bus.requests) < 2:
            bus.called.clear()
            await bus.called.wait()
    assert bus.requests == [["first"], ["a"]]
    bus.gate.set()
    await asyncio.gather(first, other)


async def test_a_full_request_does_not_linger(publisher):
    bus = Bus()
    async with asyncio.timeout(60):
        await publish(publisher(bus, linger_s=3_600), [f"e{number}" for number in range(20)])
    assert [len(request) for request in bus.requests] == [10, 10]


async def test_only_the_refused_entry_is_sent_again(publisher):
    bus = Bus(b=[THROTTLED, THROTTLED, Accepted("b")])
    one = publisher(bus)
    assert await publish(one, ["a", "b", "c"]) == [Accepted("a"), Accepted("b"), Accepted("c")]
    assert bus.sent == {"a": 1, "b": 3, "c": 1}
    assert len(one.retries) == 2


async def test_a_permanent_code_ends_at_once(publisher):
    bus = Bus(bad=[RefusedEntry("MalformedDetail", "no")])
    one = publisher(bus)
    assert await publish(one, ["a", "bad"]) == [Accepted("a"), RefusedEntry("MalformedDetail", "no", 0)]
    assert (bus.sent["bad"], one.retries) == (1, [])


@pytest.mark.parametrize("max_retries", [0, 1, 5])
@pytest.mark.parametrize("code", ["ThrottlingException", "InternalFailure", "NeverHeardOf"])
async def test_a_retryable_code_gets_that_many_further_attempts(publisher, code, max_retries):
    bus = Bus(a=[RefusedEntry(code, "later")])
    assert await publish(publisher(bus, max_retries=max_retries), ["a"]) == [RefusedEntry(code, "later", max_retries)]
    assert bus.sent["a"] == 1 + max_retries


async def test_silence_is_waited_out_and_does_not_count(publisher):
    bus = Bus(a=[*[Outage("ReadTimeoutError")] * 20, THROTTLED, *[Outage("x")] * 5, Accepted("a")])
    one = publisher(bus, max_retries=1)
    assert await publish(one, ["a"]) == [Accepted("a")]
    assert one.troubles[0] == "ReadTimeoutError"
    assert one.troubles[-1] is None
    assert len(one.retries) == 1


async def test_entries_of_one_key_stay_in_order(publisher):
    bus = Bus(a=[THROTTLED, THROTTLED, Accepted("a")], b=[Outage("x"), Accepted("b")])
    await publish(publisher(bus), ["a", "b", "c"], key="one")
    order = [name for request in bus.requests for name in request]
    assert order == ["a", "a", "a", "b", "b", "c"]


async def test_one_key_does_not_hold_up_another(publisher):
    bus = Bus(a=[RefusedEntry("ThrottlingException", "")])
    one = publisher(bus, max_retries=10**6)
    stuck = asyncio.create_task(one.publish(entry("a"), "a"))
    async with asyncio.timeout(60):
        assert await publish(one, ["b", "c"]) == [Accepted("b"), Accepted("c")]
    stuck.cancel()
    await asyncio.gather(stuck, return_exceptions=True)


async def test_the_next_of_a_key_goes_on_after_a_refusal_and_after_a_cancelled_one(publisher):
    bus = Bus(a=[RefusedEntry("MalformedDetail", "")])
    one = publisher(bus)
    assert (await publish(one, ["a", "b"], key="k"))[1] == Accepted("b")
    bus.gate.clear()
    bus.called.clear()
    first = asyncio.create_task(one.publish(entry("c"), "k"))
    second = asyncio.create_task(one.publish(entry("d"), "k"))
    await bus.called.wait()
    first.cancel()
    bus.gate.set()
    assert await second == Accepted("d")


async def test_an_oversized_entry_is_refused_and_never_sent(publisher):
    bus = Bus()
    result = await publisher(bus).publish(entry("big", 1_001), "k")
    assert (result.code, bus.requests) == ("EntryTooLarge", [])


async def test_requests_stay_within_their_bytes(publisher):
    bus = Bus()
    one = publisher(bus)
    sizes = {"a": 600, "b": 600, "c": 400, "d": 1_000, "e": 1}
    await asyncio.gather(*(one.publish(entry(name, size), name) for name, size in sizes.items()))
    assert bus.requests == [["a"], ["b", "c"], ["d"], ["e"]]


@pytest.mark.parametrize("in_flight", [1, 3])
async def test_no_more_requests_are_in_flight_than_allowed(publisher, in_flight):
    bus = Bus()
    await publish(publisher(bus, in_flight=in_flight), [f"e{number}" for number in range(100)])
    assert bus.most_flying == in_flight


async def test_each_entry_ends_exactly_once_whatever_the_bus_answers(publisher):
    endings = [
        [Accepted("x")], [THROTTLED, Accepted("x")], [Outage("x"), Accepted("x")], [THROTTLED],
        [RefusedEntry("MalformedDetail", "")], [Outage("x"), THROTTLED, Outage("x"), Accepted("x")],
    ]  # fmt: skip
    script = {f"e{number}": endings[number % len(endings)] for number in range(300)}
    bus = Bus(**script)
    one = publisher(bus)
    results = await asyncio.gather(*(one.publish(entry(name), f"k{index % 17}") for index, name in enumerate(script)))
    assert Counter(type(result) for result in results) == {Accepted: 200, RefusedEntry: 100}
    assert [bus.sent[f"e{number}"] for number in range(6)] == [1, 2, 2, 4, 1, 4]


async def test_an_entry_whose_caller_went_away_is_not_sent(behind):
    bus, one, first = await behind(3_600)
    gone = asyncio.create_task(one.publish(entry("gone"), "g"))
    stays = asyncio.create_task(one.publish(entry("stays"), "s"))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    bus.gate.set()
    assert await asyncio.gather(first, stays) == [Accepted("first"), Accepted("stays")]
    assert bus.requests == [["first"], ["stays"]]


@pytest.mark.parametrize("answer", [RuntimeError("a bug"), []], ids=["it raises", "answers are missing"])
async def test_a_bug_in_a_request_is_told(publisher, answer):
    async def put(entries):
        if isinstance(answer, Exception):
            raise answer
        return answer

    bus = Bus()
    bus.put = put
    one = publisher(bus)
    one.submit(entry("a"), "a", lambda answer: None)
    await until(lambda: one.bugs)
    assert isinstance(one.bugs[0], RuntimeError | ValueError)


@pytest.mark.parametrize("answers", [[Accepted("a")], [Outage("away"), Accepted("a")]], ids=["request", "probe"])
async def test_a_bug_in_what_becomes_of_an_answer_is_told(publisher, answers):
    def heard(answer):
        raise RuntimeError("a bug")

    one = publisher(Bus(a=answers))
    one.submit(entry("a"), "a", heard)
    await until(lambda: one.bugs)
    assert str(one.bugs[0]) == "a bug"


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  # it tells nobody else
            await asyncio.sleep(0)


async def test_an_answer_to_what_was_under_way_ends_the_wait_of_all(publisher):
    bus = Bus(a=[Outage("away"), Accepted("a")])
    one = publisher(bus, in_flight=2)
    one._chance = lambda: 3_600.0
    bus.gate.clear()
    both = []
    for name in "ab":
        both.append(asyncio.create_task(one.publish(entry(name), name)))
        await until(lambda: len(bus.requests) == len(both))
    bus.gate.set()
    async with asyncio.timeout(60):
        assert await asyncio.gather(*both) == [Accepted("a"), Accepted("b")]


async def test_an_outage_is_asked_about_by_one_request_of_one_entry(publisher):
    names = [f"e{number}" for number in range(40)]
    bus = Bus(**{name: [Outage("x"), Outage("x"), Accepted(name)] for name in names})
    one = publisher(bus, in_flight=1)
    assert await publish(one, names) == [Accepted(name) for name in names]
    outage = [len(request) for request in bus.requests[1:]]
    assert outage[:10] == [1] * 10
    assert one.troubles[0] == "x"
    assert one.troubles[-1] is None


async def test_a_refusal_of_unknown_fault_waits_until_others_pass_beside_it(publisher):
    bus = Bus(bad=[Suspect("AccessDeniedException", "no"), Suspect("AccessDeniedException", "no"),
                   RefusedEntry("AccessDeniedException", "no")])  # fmt: skip
    one = publisher(bus)
    bad = asyncio.create_task(one.publish(entry("bad"), "bad"))
    await until(lambda: bus.sent["bad"] >= 2)
    assert "allow events:PutEvents" in one.troubles[-1]
    assert "resume" in one.troubles[-1]
    assert await one.publish(entry("good"), "good") == Accepted("good")
    async with asyncio.timeout(60):
        assert (await bad).code == "AccessDeniedException"
    assert one.troubles[-1] is None


async def test_an_operator_lets_fail_what_nobody_can_tell(publisher):
    bus = Bus(bad=[Suspect("ValidationException", "no")])
    one = publisher(bus)
    bad = asyncio.create_task(one.publish(entry("bad"), "bad"))
    await until(lambda: one.troubles)
    assert one.resume()
    async with asyncio.timeout(60):
        assert (await bad).code == "ValidationException"
    assert not one.resume()


async def test_too_many_refusals_pause_publishing_until_they_end(publisher):
    names = [f"e{number:03}" for number in range(200)]
    bus = Bus(**{name: [RefusedEntry("MalformedDetail", "no")] for name in names})
    one = publisher(bus)
    waiting = [asyncio.create_task(one.publish(entry(name), name)) for name in names]
    await until(lambda: one.troubles)
    assert "100 of 100 entries were refused" in one.troubles[-1]
    await asyncio.sleep(0)  # who was told returns
    failed = sum(task.done() for task in waiting)
    assert failed < 100
    bus.script = {}
    async with asyncio.timeout(60):
        results = await asyncio.gather(*waiting)
    assert sum(isinstance(result, RefusedEntry) for result in results) == failed
    assert one.troubles[-1] is None


async def test_too_many_refusals_go_on_by_an_operator_s_word(publisher):
    names = [f"e{number:03}" for number in range(300)]
    bus = Bus(**{name: [RefusedEntry("MalformedDetail", "no")] for name in names})
    one = publisher(bus)
    waiting = [asyncio.create_task(one.publish(entry(name), name)) for name in names]
    await until(lambda: one.troubles)
    assert one.resume()
    async with asyncio.timeout(60):
        results = await asyncio.gather(*waiting)
    assert {result.code for result in results} == {"MalformedDetail"}


async def test_few_refusals_pause_nothing(publisher):
    names = [f"e{number:03}" for number in range(300)]
    bus = Bus(**{name: [RefusedEntry("MalformedDetail", "no")] for name in names[::2]})
    one = publisher(bus)
    results = await publish(one, names)
    assert sum(isinstance(result, RefusedEntry) for result in results) == 150
    assert set(one.troubles) <= {None}


async def test_nothing_goes_to_a_bus_that_is_gone_and_what_it_dropped_goes_again(publisher):
    bus = Bus()
    one = publisher(bus)
    one.seen("", 0.0)
    assert await publish(one, ["a", "b"]) == [Accepted("a"), Accepted("b")]
    one.gone("", "event bus does not exist (create it)")
    later = asyncio.create_task(one.publish(entry("c"), "c"))
    for _ in range(20):
        await asyncio.sleep(0)
    assert bus.sent == {"a": 1, "b": 1}
    assert one.troubles[-1] == "event bus does not exist (create it)"
    one.seen("", time.monotonic())
    async with asyncio.timeout(60):
        assert await later == Accepted("c")
    await until(lambda: bus.sent == {"a": 2, "b": 2, "c": 1})
    assert one.troubles[-1] is None


async def test_what_was_put_before_the_bus_was_seen_is_not_put_again(publisher):
    bus = Bus()
    one = publisher(bus)
    await publish(one, ["a"])
    one.seen("", time.monotonic() + 1)
    one.gone("", "gone")
    one.seen("", time.monotonic())
    assert await publish(one, ["b"]) == [Accepted("b")]
    assert bus.sent == {"a": 1, "b": 1}


async def test_what_was_under_way_when_the_bus_was_found_gone_goes_again(publisher):
    bus = Bus()
    one = publisher(bus)
    bus.gate.clear()
    first = asyncio.create_task(one.publish(entry("a"), "a"))
    await bus.called.wait()
    one.gone("", "gone")
    bus.gate.set()
    assert await first == Accepted("a")
    one.seen("", time.monotonic())
    await until(lambda: bus.sent == {"a": 2})


async def test_one_bus_that_takes_nothing_holds_up_no_other(publisher):
    def to(name, bus):
        return Entry({"Detail": name, "EventBusName": bus}, 10)

    bus = Bus(a=[Outage("x")])
    one = publisher(bus)
    stuck = asyncio.create_task(one.publish(to("a", "one"), "a"))
    await until(lambda: one.troubles)
    async with asyncio.timeout(60):
        assert await one.publish(to("b", "two"), "b") == Accepted("b")
    assert not stuck.done()
    stuck.cancel()
    await asyncio.gather(stuck, return_exceptions=True)


class Waits:
    """Hears of entries' ends, by their names."""

    def __init__(self):
        self.heard = {}

    def submit(self, publisher, *names, key=None):
        return [
            publisher.submit(entry(one), key or one, lambda end, one=one: self.heard.setdefault(one, end))
            for one in names
        ]


async def test_what_is_withdrawn_is_not_sent_and_what_is_under_way_ends(publisher):
    bus, waits = Bus(), Waits()
    bus.gate.clear()
    one = publisher(bus, in_flight=1)
    names = [f"e{number}" for number in range(12)]
    pending = waits.submit(one, *names)
    await bus.called.wait()
    one.withdraw(pending)
    assert waits.heard == {"e10": None, "e11": None}
    bus.gate.set()
    assert await one.publish(entry("other"), "other") == Accepted("other")
    assert waits.heard == {name: Accepted(name) for name in names[:10]} | {"e10": None, "e11": None}
    assert bus.sent == Counter([*names[:10], "other"])


async def test_what_is_withdrawn_holds_up_nothing_of_its_key(publisher):
    bus, waits = Bus(), Waits()
    bus.gate.clear()
    one = publisher(bus)
    pending = waits.submit(one, "a", "b", "c", key="k")
    await bus.called.wait()
    one.withdraw(pending)
    later = asyncio.create_task(one.publish(entry("d"), "k"))
    bus.gate.set()
    assert await later == Accepted("d")
    assert (bus.requests, waits.heard) == ([["a"], ["d"]], {"a": Accepted("a"), "b": None, "c": None})


@pytest.mark.parametrize(
    "answer", [Outage("HTTP 503"), THROTTLED, RefusedEntry("MalformedDetail", "no"), Suspect("X", "")]
)
async def test_what_is_withdrawn_goes_out_once_more_for_no_answer(publisher, answer):
    bus, waits = Bus(a=[answer]), Waits()
    bus.gate.clear()
    one = publisher(bus)
    pending = waits.submit(one, "a")
    await bus.called.wait()
    one.withdraw(pending)
    bus.gate.set()
    async with asyncio.timeout(60):
        while "a" not in waits.heard:  # noqa: ASYNC110  # what is waited for tells nobody
            await asyncio.sleep(0)
    for _ in range(10):
        await asyncio.sleep(0)
    assert (waits.heard, bus.sent, one._keys) == ({"a": None}, Counter("a"), {})


async def test_what_is_withdrawn_is_not_kept_while_a_bus_is_gone(publisher):
    bus, waits = Bus(), Waits()
    one = publisher(bus)
    one.gone("", "gone")
    one.withdraw(waits.submit(one, "a", "b", "c", key="k") + waits.submit(one, "d"))
    assert (waits.heard, one._keys) == (dict.fromkeys("abcd"), {})
    assert not any(lane._waiting for lane in one._lanes.values())


async def test_no_request_is_made_before_it_may_be(publisher):
    bus, may = Bus(), asyncio.Event()
    one, waits = publisher(bus, may_send=may.wait), Waits()
    pending = waits.submit(one, "a", "b")
    for _ in range(10):
        await asyncio.sleep(0)
    assert not bus.requests
    one.withdraw(pending[:1])
    may.set()
    await bus.called.wait()
    assert bus.requests == [["b"]]
