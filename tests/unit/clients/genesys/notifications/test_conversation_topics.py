"""Tests of topics by conversation: subscribed when one is seen, dropped after its end, within the room."""

import pytest

from clients.genesys.notifications.part_channels import ConversationRoom

QUEUE_TOPIC = "v2.routing.queues.{queue}.conversations"
ENDS = "v2.detail.events.conversation.{id}.acd.end"
STARTS = "v2.detail.events.conversation.{id}.acd.start"


def ident(number):
    return f"{number:08x}-cccc-4ccc-8ccc-cccccccccccc"


def held(emulator):
    """The topics by conversation, on all channels that are listened to."""
    channels = emulator.notifications.channels_as_json()
    return sorted(topic for one in channels if one["connected"] for topic in one["topics"] if ".detail." in topic)


@pytest.fixture
def calls(emulator):
    """The names of the calls that change subscriptions."""
    made, channels = [], emulator.notifications.channels
    subscribe = channels.subscribe

    def noted(channel, topics, *, replace=False):
        made.append("PUT" if replace else "POST")
        return subscribe(channel, topics, replace=replace)

    channels.subscribe = noted
    return made


@pytest.fixture
def begin(emulator, start):
    async def listener(*templates, room=None, **settings):
        topics = (QUEUE_TOPIC, *(templates or (ENDS,)))
        begun = start(emulator, options={"room": room} if room else None, genesys_topics=topics, **settings)
        await begun.ready()
        return begun

    return listener


async def test_a_conversation_is_subscribed_when_seen_and_its_events_arrive(emulator, begin, eventually):
    listener = await begin()
    listener.say(listener.queue_topic(), listener.snapshot(ident(1), "connected"))
    topic = ENDS.replace("{id}", ident(1))
    await eventually(lambda: held(emulator) == [topic])
    listener.say(topic, {"eventTime": 1_765_551_750_107, "conversationId": ident(1), "acdOutcome": "ANSWERED"})
    await eventually(lambda: len(listener.lines) == 2)
    assert listener.events[1]["topicName"] == topic
    assert listener.channels["created"] == 1


async def test_many_conversations_take_few_calls(emulator, begin, eventually, calls):
    listener = await begin(ENDS, STARTS)
    await eventually(lambda: calls)
    calls.clear()
    for number in range(300):
        listener.say(listener.queue_topic(), listener.snapshot(ident(number), "connected"))
    await eventually(lambda: len(held(emulator)) == 600)
    assert set(calls) == {"POST"}
    assert len(calls) <= 5


async def test_topics_are_dropped_after_the_end(emulator, begin, eventually):
    listener = await begin(genesys_queue_refresh=0.3, genesys_conversation_linger=0.1)
    for number in (1, 2):
        listener.say(listener.queue_topic(), listener.snapshot(ident(number), "connected"))
    await eventually(lambda: len(held(emulator)) == 2)
    listener.say(listener.queue_topic(), listener.snapshot(ident(1), "terminated"))
    await eventually(lambda: held(emulator) == [ENDS.replace("{id}", ident(2))])
    assert listener.observer.counts["topic_lost"] == 0
    assert listener.reports == []


async def test_a_full_channel_is_followed_by_another_and_what_has_no_room_is_told(emulator, begin, eventually, logged):
    room = ConversationRoom(channels=2, topics=12, calls_s=0.05)  # nine of the topics are for the queues
    listener = await begin(room=room)
    for number in range(20):
        listener.say(listener.queue_topic(), listener.snapshot(ident(number), "connected"))
    await eventually(lambda: len(held(emulator)) == 15)
    await eventually(lambda: listener.observer.counts["topic_left_out"] == 5)
    assert [entry["of"] for entry in logged if entry["event"] == "genesys.conversations.left_out"] == [5]
    assert listener.channels["created"] == 2
    listener.say(listener.queue_topic(), listener.snapshot(ident(0), "terminated"))
    assert listener.observer.reason is None


async def test_room_that_becomes_free_goes_to_those_that_wait(emulator, begin, eventually):
    room = ConversationRoom(channels=1, topics=10, calls_s=0.05)
    listener = await begin(room=room, genesys_conversation_linger=0.0)
    for number in (1, 2):
        listener.say(listener.queue_topic(), listener.snapshot(ident(number), "connected"))
    await eventually(lambda: listener.observer.counts["topic_left_out"] == 1)
    listener.say(listener.queue_topic(), listener.snapshot(ident(1), "terminated"))
    listener.say(listener.queue_topic(), listener.snapshot(ident(3), "connected"))
    await eventually(lambda: held(emulator) == [ENDS.replace("{id}", ident(2))])


async def test_topics_of_conversations_survive_a_new_channel_and_a_silent_loss(emulator, begin, eventually):
    listener = await begin(genesys_queue_refresh=0.3)
    listener.say(listener.queue_topic(), listener.snapshot(ident(1), "connected"))
    topic = ENDS.replace("{id}", ident(1))
    await eventually(lambda: held(emulator) == [topic])
    emulator.notifications.notify("no_longer_subscribed")
    await eventually(lambda: listener.channels["created"] == 2 and held(emulator) == [topic])
    emulator.notifications.forget()
    await eventually(lambda: held(emulator) == [topic])
    await eventually(lambda: listener.observer.counts["topic_lost"] > 0)


async def test_whoever_takes_a_part_over_knows_the_conversations_that_go_on(emulator, start, eventually):
    queue = next(iter(emulator.notifications.directory.queues))
    of_ours = b'{"topicName":"%s","eventBody":{"id":"%s","participants":[{"state":"connected"}]}}'
    topic = QUEUE_TOPIC.replace("{queue}", queue)

    async def recent():
        yield of_ours % (topic.encode(), ident(1).encode()), 1_000
        yield of_ours % (b"v2.routing.queues.another.conversations", ident(2).encode()), 1_000

    listener = start(emulator, options={"recent": recent}, genesys_topics=(QUEUE_TOPIC, ENDS))
    await listener.ready()
    await eventually(lambda: held(emulator) == [ENDS.replace("{id}", ident(1))])


async def test_a_gap_says_that_topics_of_conversations_are_not_told(emulator, begin, eventually):
    listener = await begin()
    emulator.cut()
    await eventually(lambda: listener.states() == ["open", "partly healed"])
    assert "v2.detail.events.conversation.{conversation}.acd.end" in listener.reports[-1].reason
