"""Tests of live and told snapshots side by side: after a cut, what was missed comes once, and nothing else comes."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clients.genesys.notifications.channel_reader import ReceivedFrame
from clients.genesys.notifications.repetition_filter import RepetitionFilter
from clients.genesys.queues import QueueNames
from processors.genesys.analytics.snapshots import snapshots
from processors.genesys.frames import read_frame
from processors.genesys.interval import Interval, epoch_ms_of

CASES = Path(__file__).parents[4] / "cases/genesys"
QUEUE, USER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
START = 1_795_428_000_000
MEDIA = {"voice": "calls", "callback": "callbacks", "chat": "chats", "message": "messages", "email": "emails",
         "video": "videos", "screenshare": "screenshares"}  # fmt: skip


def iso(at_ms):
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Person:
    """One participant with one session: its live fields, and its segments as the query tells them."""

    ident: str
    purpose: str
    live: dict
    segments: list = field(default_factory=list)
    person: dict = field(default_factory=dict)

    def turn(self, at_ms, kind, **segment):
        """The segment that goes on ends, another begins (None: none)."""
        if self.segments and "segmentEnd" not in self.segments[-1]:
            self.segments[-1]["segmentEnd"] = iso(at_ms)
        if kind:
            self.segments.append({"segmentType": kind, "segmentStart": iso(at_ms), **segment})


class History:
    """A conversation that goes on step by step, told live in the shape of a topic, and afterwards by the query."""

    def __init__(self, medium, *, variant, waits, apart_ms=100):
        self.medium, self.variant, self.apart_ms = medium, variant, apart_ms
        self.ended = "terminated" if medium == "voice" else "disconnected"
        self.topic = f"v2.routing.queues.{QUEUE}.conversations" + (f".{MEDIA[medium]}" if variant else "")
        self.people = []
        self.frames = []
        self._waits = waits

    def run(self, actions):
        now = START
        for action, wait in actions:
            now += wait
            if getattr(self, action)(now):
                self.frames.append((now, orjson.dumps(self.snapshot())))
        return self

    def begin(self, now):
        if self.people:
            return False
        for ident, purpose, kind in (("k", "customer", "interact"), ("q", "acd", "delay")):
            live = {"state": "scheduled" if self._waits else "connected", "held": False}
            one = Person(ident, purpose, live, person={"queue": QUEUE})
            if not self._waits:
                live["connectedTime"] = iso(now)
            one.turn(now, kind, **({"queueId": QUEUE} if purpose == "acd" else {}))
            self.people.append(one)
        return True

    def alert(self, now):
        if not self.people or self.is_over or self.agent:
            return False
        one = Person(f"a{len(self.people)}", "agent", {"state": "alerting", "held": False},
                     person={"queue": QUEUE, "user": USER})  # fmt: skip
        one.turn(now, "alert", queueId=QUEUE)
        self.people.append(one)
        return True

    def answer(self, now):
        if not self.agent or self.agent.live["state"] != "alerting":
            return False
        for one in self.people[:1]:
            one.live["state"] = "connected"
        self.agent.live |= {"state": "connected", "connectedTime": iso(now)}
        self.agent.turn(now, "interact", queueId=QUEUE)
        if self.people[1].live["state"] != self.ended:
            self._end(self.people[1], now, "transfer")
        return True

    def decline(self, now):
        if not self.agent or self.agent.live["state"] != "alerting":
            return False
        self._end(self.agent, now, "client")
        return True

    def hold(self, now):
        """On hold, or no more; not so soon after another change."""
        is_soon = bool(self.frames) and now - self.frames[-1][0] < self.apart_ms
        if not self.agent or self.agent.live["state"] != "connected" or is_soon:
            return False
        held = not self.agent.live["held"]
        self.agent.live["held"] = held
        self.agent.turn(now, "hold" if held else "interact", queueId=QUEUE)
        return True

    def hang_up(self, now):
        if not self.agent or self.agent.live["state"] != "connected":
            return False
        for one in (self.agent, self.people[0]):
            self._end(one, now, "client")
        return True

    def _end(self, one, now, why):
        one.live |= {"state": self.ended, "held": False, "disconnectType": why}
        one.person["endTime"] = iso(now)
        one.turn(now, None)
        one.segments[-1]["disconnectType"] = why.upper()

    @property
    def agent(self):
        """Who is alerted or talks."""
        return next((one for one in self.people[2:] if one.live["state"] != self.ended), None)

    @property
    def is_over(self):
        return self.people[0].live["state"] == self.ended

    def snapshot(self):
        tell = self._nested if self.variant else self._flat
        return {"topicName": self.topic, "eventBody": {"id": "c-1", "participants": [tell(one) for one in self.people]}}

    def _flat(self, one):
        ids = {"queueId": one.person["queue"]} | ({"userId": USER} if "user" in one.person else {})
        ends = {"endTime": one.person["endTime"]} if "endTime" in one.person else {}
        session = {"id": f"s-{one.ident}", **one.live}
        return {"id": one.ident, "purpose": one.purpose, **ids, **ends, MEDIA[self.medium]: [session]}

    def _nested(self, one):
        ids = {"queue": {"id": one.person["queue"]}} | ({"user": {"id": USER}} if "user" in one.person else {})
        return {"id": one.ident, "purpose": one.purpose, **ids, **one.live}

    def told(self):
        """As the query tells it: the customer without a queue, ends by their `disconnectType`."""
        return {
            "conversationId": "c-1",
            "conversationStart": iso(START),
            "participants": [
                {"participantId": one.ident, "purpose": one.purpose,
                 **({"userId": USER} if "user" in one.person else {}),
                 "sessions": [{"sessionId": f"s-{one.ident}", "mediaType": self.medium, "segments": one.segments}]}
                for one in self.people
            ],
        }  # fmt: skip


WAITS = st.one_of(st.integers(6, 150), st.integers(150, 3_000), st.integers(3_000, 60_000))
ACTIONS = ["alert", "answer", "decline", "hold", "hold", "hang_up"]


def histories(latency_ms):
    """With a latency: what comes back sooner than it takes to arrive can be taken for what was before."""
    return st.tuples(
        st.sampled_from(sorted(MEDIA)),
        st.booleans(),
        st.booleans(),
        st.lists(st.tuples(st.sampled_from(ACTIONS), WAITS), max_size=14),
    ).map(
        lambda drawn: (
            History(drawn[0], variant=drawn[1], waits=drawn[2], apart_ms=max(100, latency_ms + 200)).run(
                [("begin", 0), *drawn[3]]
            ),
            latency_ms,
        )
    )


HISTORIES = st.sampled_from([20, 120, 1_400]).flatmap(histories)


class Nameless(QueueNames):
    """Queues whose names nobody looks up."""

    async def name(self, queue_id):
        return None


@pytest.fixture
def sieves(rest):
    return lambda: RepetitionFilter(rest, Nameless(rest), window=300.0, drop_unchanged=True, events=("snapshots",))


async def live(sieve, frames, latency_ms=120):
    """The times of the changes that go on, of live frames `(time, bytes)`."""
    found = []
    for at_ms, value in frames:
        if await sieve.live(ReceivedFrame(value, read_frame(value), at_ms, at_ms + latency_ms)):
            found.append(at_ms)
    return found


async def healed(sieve, history, interval, until_ms):
    """What the query makes go on, as `(moment, id)`.

    It is asked for a gap near by, which knows nothing of this one, and twice for this one: all but 4.5 s at its edges.
    """
    found = []
    unheard = [Interval(interval.start_ms + 4_500, interval.end_ms - 4_500)]
    for gaps in ([], unheard, unheard):
        told_of = Interval(interval.start_ms, max(interval.end_ms, until_ms))
        for one in snapshots(history.told(), told_of, frozenset([history.topic]), gaps):
            found += [(one.moment_ms, line.event_id) for line in await sieve.past(one)]
    return found


@given(HISTORIES, st.integers(-1, 14), st.integers(0, 6))
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_what_was_missed_comes_once_and_nothing_else(sieves, drawn, first, missed):
    history, latency_ms = drawn
    sieve = sieves()
    gone = history.frames[first : first + missed] if first >= 0 else []
    came = await live(sieve, [one for one in history.frames if one not in gone], latency_ms)
    cut = (gone[0][0], gone[-1][0]) if gone else (START + 1_000, START + 3_000)
    found = await healed(sieve, history, Interval(cut[0] - 5_000, cut[1] + 5_000), history.frames[-1][0] + 1)
    assert len(set(found)) == len(found)
    every = sorted(at_ms for at_ms, _ in history.frames)
    assert sorted(came + [moment for moment, _ in found]) == every


@pytest.mark.parametrize("apart_ms", [6, 20, 99])
async def test_what_was_missed_comes_though_the_next_change_was_heard_at_once(sieves, apart_ms):
    actions = [("begin", 0), ("alert", 2_000), ("answer", apart_ms), ("hang_up", 5_000)]
    history = History("voice", variant=False, waits=False).run(actions)
    gap = Interval(START + 1_500, START + 2_000 + apart_ms // 2)
    sieve = sieves()
    await live(sieve, [one for one in history.frames if one[0] not in gap], 20)
    interval = Interval(gap.start_ms - 5_000, gap.end_ms + 5_000)
    assert [moment for moment, _ in await healed(sieve, history, interval, START + 9_000)] == [START + 2_000]


@pytest.mark.parametrize("apart_ms", [150, 700, 1_500])
@pytest.mark.parametrize("missed", [3, 4, 5], ids=["unhold", "second hold", "second unhold"])
async def test_what_came_back_at_once_while_nobody_listened_is_not_taken_for_what_was_before(sieves, apart_ms, missed):
    actions = [("begin", 0), ("alert", 3_000), ("answer", 3_000), *[("hold", apart_ms)] * 4, ("hang_up", 20_000)]
    history = History("voice", variant=False, waits=False).run(actions)
    gone = history.frames[missed + 1]
    sieve = sieves()
    heard = [one for one in history.frames if one is not gone]
    came = await live(sieve, heard)
    found = await healed(sieve, history, Interval(gone[0] - 5_000, gone[0] + 5_000), history.frames[-1][0] + 1)
    told = sorted(came + [moment for moment, _ in found])
    assert told == [at_ms for at_ms, _ in history.frames]


async def test_two_stamps_of_one_answer_share_a_snapshot(sieves):
    actions = [("begin", 0), ("alert", 2_000), ("decline", 2_000), ("alert", 1)]
    history = History("voice", variant=False, waits=False).run(actions)
    sieve = sieves()
    await live(sieve, [*history.frames[:2], history.frames[3]], 20)
    assert await healed(sieve, history, Interval(START - 4_000, START + 8_000), START + 9_000) == []


@pytest.mark.parametrize("medium", sorted(MEDIA))
@pytest.mark.parametrize("missed", [1, 2, 3], ids=["begin", "alert too", "answer too"])
async def test_an_answer_that_was_missed_is_not_taken_for_heard_when_a_hold_ends(sieves, medium, missed):
    actions = [("begin", 0), ("alert", 150), ("answer", 150), ("hold", 1_600), ("hold", 1_600), ("hold", 4_000)]
    history = History(medium, variant=False, waits=False).run([*actions, ("hold", 1_600)])
    came = await live(sieves(), history.frames[missed:], 20)
    assert len(came) == len(history.frames) - missed
    sieve = sieves()
    await live(sieve, history.frames[missed:], 20)
    found = await healed(sieve, history, Interval(START - 5_000, START + 5_000), history.frames[-1][0] + 1)
    assert [moment for moment, _ in found] == [at_ms for at_ms, _ in history.frames[:missed]]


CALLBACK = ("4/1-ended-acw-pending", "4/2-acw-complete-no-code", "4/3-wrapup-code")


def told_callback():
    """The captured callback as the query tells it, without the customer's queue."""
    queue = "1eb8020b-edb0-57e8-b519-49754454f562"
    agent = "5151853c-ca28-48da-bdcd-f15c46f0712"
    at = {"declined": "20:04:35.306", "answered": "20:07:20.528", "over": "20:08:25.397", "done": "20:09:40.001"}
    at = {name: f"2022-07-04T{time}Z" for name, time in at.items()}

    def part(ident, purpose, *segments, **more):
        session = {"sessionId": f"s-{ident}", "mediaType": "callback", "provider": "PureCloud Callback"}
        told = [{"segmentType": kind, "segmentStart": start, **({"segmentEnd": end} if end else {}), **extra}
                for kind, start, end, extra in segments]  # fmt: skip
        return {"participantId": ident, "purpose": purpose, "sessions": [{**session, "segments": told}], **more}

    who, of_queue = {"userId": "07ea919f-3bbe-550c-a3dc-c44febd173f8"}, {"queueId": queue}
    created, begins, queued = "2022-07-04T19:00:00Z", "2022-07-04T20:04:12.131Z", "2022-07-04T20:04:12.132Z"
    return {
        "conversationId": "3b1a11df-587f-4280-bbab-6c398d88348a",
        "conversationStart": created,
        "participants": [
            part("9a0231a0-8882-41bb-9b2c-d2f275736270", "customer", ("scheduled", created, begins, {}),
                 ("interact", begins, None, {})),
            part("a5d47ef7-3e85-4c2b-81cb-13590bdaa184", "acd", ("scheduled", created, queued, of_queue),
                 ("delay", queued, at["answered"], {**of_queue, "disconnectType": "TRANSFER"})),
            part(f"{agent}1", "agent", ("alert", "2022-07-04T20:04:12.500Z", at["declined"],
                                        {**of_queue, "disconnectType": "CLIENT"}), **who),
            part(f"{agent}3", "agent", ("alert", "2022-07-04T20:07:15.000Z", at["answered"], of_queue),
                 ("interact", at["answered"], at["over"], {**of_queue, "disconnectType": "CLIENT"}),
                 ("wrapup", at["over"], at["done"], {**of_queue, "wrapUpCode": "7fb334b0-0e9e-11e4-9191-0800200c9a66"}),
                 **who),
        ],
    }  # fmt: skip


@pytest.mark.parametrize("cut", ["20:08:24", "20:09:41", "20:08:11"], ids=["before", "after", "12 s before"])
async def test_of_a_captured_callback_nothing_is_told_again_when_nothing_was_missed(sieves, cut):
    sieve, topic = sieves(), "v2.users.07ea919f-3bbe-550c-a3dc-c44febd173f8.conversations"
    for name, time in zip(CALLBACK, ["20:08:25.397", "20:09:40.001", "20:09:40.001"], strict=True):
        value, at_ms = (CASES / f"{name}.json").read_bytes(), epoch_ms_of(f"2022-07-04T{time}Z")
        assert await sieve.live(ReceivedFrame(value, read_frame(value), at_ms, at_ms + 150)), name
    cut_ms = epoch_ms_of(f"2022-07-04T{cut}.000Z")
    told_of = Interval(cut_ms - 5_000, epoch_ms_of("2022-07-04T20:10:40.000Z"))
    told = list(snapshots(told_callback(), told_of, frozenset([topic])))
    assert told
    assert [line for one in told for line in await sieve.past(one)] == []
