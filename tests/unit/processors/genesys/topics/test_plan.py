"""Tests of the topic plan: filling in, combining, sharing out, and the reasons for what cannot be."""

import pytest

from processors.genesys.topics.available import AvailableTopic
from processors.genesys.topics.plan import (
    TOPICS_PER_CHANNEL,
    channels_of,
    combine,
    named,
    objection,
    of_conversation,
    plan,
    separate,
    spare_channels,
    spread,
)

A, B = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa", "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
QUEUE_TOPIC = "v2.routing.queues.{queue}.conversations"


def queue_ids(number):
    return [f"{index:08x}-aaaa-4aaa-8aaa-aaaaaaaaaaaa" for index in range(number)]


def available(*entities):
    topics = map(AvailableTopic.from_json, entities)
    return {topic.template: topic for topic in topics if topic is not None}


OFFER = available(
    {
        "id": "v2.routing.queues.{id}.conversations",
        "transports": ["All"],
        "requiresPermissions": ["routing:queue:view"],
        "permissionDetails": [{"type": "requiresPermissions", "permissions": ["conversation:communication:view"]}],
    },
    {"id": "v2.users.{id}.conversations", "transports": ["Websocket", "EventBridge"]},
    {"id": "v2.users.{id}.presence"},
    {"id": "v2.analytics.flow.{id}.aggregates", "transports": ["EventBridge"]},
    {"id": "v2.users.{id}.tokens", "permissionDetails": [{"type": "requiresCurrentUser"}]},
    {"id": "v2.users.{id}.badges", "requiresCurrentUser": True},
    {"id": "v2.detail.events.conversation.{id}.acd.start"},
    {"id": "v2.detail.events.conversation.{id}.acd.end"},
    {"no": "id"},
)


def test_templates_are_filled_in_and_their_permissions_told():
    made = plan([QUEUE_TOPIC, "v2.users.{user}.conversations"], [A, B], [A], OFFER, 1)
    assert made.topics == (
        f"v2.routing.queues.{A}.conversations",
        f"v2.routing.queues.{B}.conversations",
        f"v2.users.{A}.conversations",
    )
    assert made.refused == ()
    assert made.permissions[QUEUE_TOPIC] == ("routing:queue:view", "conversation:communication:view")


def test_topics_of_one_user_are_combined():
    made = plan(["v2.users.{user}.presence", "v2.users.{user}.conversations"], [], [A], OFFER, 1)
    assert made.topics == (f"v2.users.{A}?conversations&presence",)
    again = plan(["v2.users.{user}?presence&conversations"], [], [A], OFFER, 1)
    assert again.topics == made.topics


def test_a_wildcard_of_a_known_conversation_becomes_every_topic_listed():
    made = plan([f"v2.detail.events.conversation.{A}.*"], [], [], OFFER, 1)
    assert made.topics == (
        f"v2.detail.events.conversation.{A}.acd.end",
        f"v2.detail.events.conversation.{A}.acd.start",
    )


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("v2.users.{id}.presence", "v2.users.{user}.presence"),
        ("v2.users.{id}?presence&routingStatus", "v2.users.{user}?presence&routingStatus"),
        ("v2.analytics.users.{id}.aggregates", "v2.analytics.users.{user}.aggregates"),
        ("v2.routing.queues.{id}.conversations.calls", "v2.routing.queues.{queue}.conversations.calls"),
        ("v2.analytics.queues.{id}.observations", "v2.analytics.queues.{queue}.observations"),
        ("v2.conversations.{id}.transcription", "v2.conversations.{conversation}.transcription"),
        ("v2.conversations.chats.{id}.messages", "v2.conversations.chats.{conversation}.messages"),
        ("v2.detail.events.conversation.{id}.*", "v2.detail.events.conversation.{conversation}.*"),
        ("v2.analytics.conversation.{id}.metrics", "v2.analytics.conversation.{conversation}.metrics"),
        ("v2.outbound.campaigns.{id}.stats", "v2.outbound.campaigns.{id}.stats"),
        ("v2.users.{user}.conversations", "v2.users.{user}.conversations"),
        (f"v2.users.{A}.presence", f"v2.users.{A}.presence"),
    ],
)
def test_genesys_own_id_is_read_as_what_fits(template, expected):
    assert named(template) == expected


@pytest.mark.parametrize(("parts", "channels"), [(1, 1), (8, 1), (8, 3), (8, 20), (4, 17), (4, 18), (3, 5)])
def test_every_spare_channel_belongs_to_one_part_that_listens(parts, channels):
    dealt = [spare_channels(part, parts, channels, 18) for part in range(parts)]
    assert sorted(channel for share in dealt for channel in share) == list(range(channels, 18))
    assert all(channels_of(part, parts, channels) for part, share in enumerate(dealt) if share)


def test_topics_of_conversations_are_kept_for_when_one_is_seen():
    templates = [QUEUE_TOPIC, "v2.detail.events.conversation.{conversation}.*"]
    made = plan(templates, [A], [], OFFER, 1)
    assert made.topics == (f"v2.routing.queues.{A}.conversations",)
    assert made.conversation == (
        "v2.detail.events.conversation.{conversation}.acd.end",
        "v2.detail.events.conversation.{conversation}.acd.start",
    )
    assert of_conversation(made.conversation, B) == (
        f"v2.detail.events.conversation.{B}.acd.end",
        f"v2.detail.events.conversation.{B}.acd.start",
    )


def test_without_another_topic_no_conversation_is_ever_seen():
    made = plan(["v2.detail.events.conversation.{conversation}.acd.end"], [], [], OFFER, 1)
    assert "for conversations that other topics bring" in made.refused[0].reason


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("v2.analytics.flow.{id}.aggregates", "write {queue}, {user} or {conversation}, or the id itself"),
        ("v2.routing.queues.*.conversations", "no wildcard"),
        (f"v2.unknown.{A}.*", "no wildcard"),
        ("v2.conversations.{queue}.everything", "not among the organisation's available topics"),
        ("v2.analytics.flow.{queue}.aggregates", "not sent over WebSockets"),
        ("v2.users.{user}.tokens", "signed-in user"),
        ("v2.users.{user}.badges", "signed-in user"),
        (f"v2.users.{{user}}.{'x' * 180}", "longer than 200"),
    ],
)
def test_the_impossible_is_refused_with_the_reason(template, reason):
    made = plan([template, QUEUE_TOPIC], [A], [B], OFFER, 1)
    assert made.topics == (f"v2.routing.queues.{A}.conversations",)
    (refused,) = made.refused
    assert refused.topic == template
    assert reason in refused.reason


def test_a_template_that_nothing_fills_in_is_told():
    made = plan([QUEUE_TOPIC, "v2.users.{user}.presence"], [], [], OFFER, 1)
    assert made.topics == ()
    assert [one.topic for one in made.refused] == [QUEUE_TOPIC, "v2.users.{user}.presence"]
    assert "GENESYS_QUEUES names no queue" in made.refused[0].reason
    assert "GENESYS_USERS names no user" in made.refused[1].reason


def test_nothing_is_checked_when_the_organisation_does_not_tell():
    assert objection("v2.who.knows.{queue}", {}) is None
    assert plan(["v2.who.knows.{queue}"], [A], [], {}, 1).topics == (f"v2.who.knows.{A}",)


@pytest.mark.parametrize(
    ("number", "least", "channels"),
    [(1, 1, 1), (1_000, 1, 1), (1_001, 1, 2), (2_500, 1, 3), (9, 3, 3), (20_000, 3, 20)],
)
def test_channels_are_as_many_as_the_topics_need(number, least, channels):
    made = plan([QUEUE_TOPIC], queue_ids(number), [], OFFER, least)
    assert (len(made.topics), made.refused, made.channels) == (number, (), channels)
    shares = made.shares()
    assert len(shares) == channels
    assert sorted(topic for share in shares for topic in share) == list(made.topics)
    assert all(len(share) <= TOPICS_PER_CHANNEL for share in shares)


def test_more_topics_than_twenty_channels_hold_are_refused():
    made = plan([QUEUE_TOPIC], queue_ids(20_005), [], OFFER, 2)
    assert (len(made.topics), made.channels) == (20_000, 20)
    assert len(made.refused) == 5
    assert "20 channels hold 20000 topics only" in made.refused[0].reason


@pytest.mark.parametrize("parts", [1, 2, 3, 4, 7, 20])
@pytest.mark.parametrize("channels", [1, 2, 3, 20])
def test_every_channel_belongs_to_one_part(parts, channels):
    owned = [channel for part in range(parts) for channel in channels_of(part, parts, channels)]
    assert sorted(owned) == list(range(channels))


@pytest.mark.parametrize("halves", [({0, 2}, {1, 3}), ({0, 1}, {2, 3})])
def test_two_workers_share_two_channels(halves):
    owned = [sum(len(channels_of(part, 4, 2)) for part in half) for half in halves]
    assert owned == [1, 1]


def test_combined_topics_stay_within_200_characters():
    words = [f"word{number:03}" for number in range(60)]
    combined = combine(f"v2.users.{A}.{word}" for word in words)
    assert all(len(topic) <= 200 for topic in combined)
    assert sorted(name for topic in combined for name in separate(topic)) == [f"v2.users.{A}.{word}" for word in words]


def test_names_with_dots_are_not_combined():
    topics = [f"v2.routing.queues.{A}.conversations.calls", f"v2.routing.queues.{A}.conversations.chats"]
    assert combine(topics) == tuple(topics)


def test_topics_are_shared_out_completely_evenly_and_steadily():
    topics = [f"v2.routing.queues.{number:08x}.conversations" for number in range(2_500)]
    shares = spread(topics, 3)
    assert sorted(topic for share in shares for topic in share) == sorted(topics)
    assert all(700 < len(share) <= TOPICS_PER_CHANNEL for share in shares)
    more = spread([*topics, "v2.routing.queues.new.conversations"], 3)
    moved = sum(set(old) != set(new) for old, new in zip(shares, more, strict=True))
    assert moved == 1


def test_a_full_channel_passes_topics_on():
    shares = spread([f"v2.x.{number}" for number in range(2_999)], 3)
    assert sorted(map(len, shares)) == [999, 1_000, 1_000]
