"""Tests of the command `topics` on the Genesys emulator: what is listened to, what is refused and why."""

import json
import subprocess
import sys

import pytest

from settings import SettingsError
from tests import http

VIEW = "conversation:communication:view"


@pytest.fixture(scope="module")
def emulator():
    """What the emulator announces: url, clientId, clientSecret."""
    command = [sys.executable, "-m", "emulators.genesys", "--port", "0", "--conversation-rate", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        yield json.loads(process.stdout.readline())
        process.terminate()


@pytest.fixture
def organisation(emulator):
    """Settings of the emulated organisation, all permissions given."""
    permissions = [VIEW, "routing:queue:view", "directory:user:view", "analytics:conversationDetail:view"]
    grant(emulator, *permissions)
    return {
        "GENESYS_BASE_URL": emulator["url"],
        "GENESYS_CLIENT_ID": emulator["clientId"],
        "GENESYS_CLIENT_SECRET": emulator["clientSecret"],
    }


def grant(emulator, *permissions):
    body = {"permissions": permissions}
    http.put(f"{emulator['url']}/_emulator/permissions", json=body).raise_for_status()


def channels(emulator):
    return http.get(f"{emulator['url']}/_emulator/channels").json()["entities"]


def test_every_topic_is_told_with_its_channel_and_queue(invoke, organisation):
    result = invoke("topics", "--json", GENESYS_SHARDS="3", **organisation)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert len(told["topics"]) == 9
    assert {one["channel"] for one in told["topics"]} == {0, 1, 2}
    assert told["channels"] == 3
    assert all(one["topic"] == f"v2.routing.queues.{one['queue']}.conversations" for one in told["topics"])
    assert "Priority Support" in {one["queueName"] for one in told["topics"]}
    assert told["permissions"] == {
        "v2.routing.queues.{queue}.conversations": ["routing:queue:view", VIEW],
    }
    assert (told["refused"], told["tried"]) == ([], True)


def test_the_table_names_queues_and_permissions(invoke, organisation):
    result = invoke("topics", GENESYS_QUEUES="*priority*", **organisation)
    assert result.exit_code == 0, result.output
    assert "Sales PRIORITY" in result.stdout
    assert "3 topics on 1 channel(s), 0 refused" in result.stdout
    assert f"{VIEW}, routing:queue:view" in result.stdout


def test_a_missing_permission_is_told_for_each_topic(invoke, organisation, emulator):
    grant(emulator, "routing:queue:view")
    result = invoke("topics", "--json", GENESYS_QUEUES="*priority*", **organisation)
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["topics"] == []
    assert [one["missingPermissions"] for one in told["refused"]] == [[VIEW]] * 3


def test_a_template_that_does_not_exist_is_refused_with_the_reason(invoke, organisation):
    topics = "v2.routing.queues.{queue}.conversations,v2.routing.queues.{queue}.moods"
    result = invoke("topics", "--json", GENESYS_TOPICS=topics, **organisation)
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert len(told["topics"]) == 9
    assert [(one["topic"], one["reason"]) for one in told["refused"]] == [
        ("v2.routing.queues.{queue}.moods", "is not among the organisation's available topics")
    ]


def test_topics_by_conversation_are_shown_as_genesys_writes_them(invoke, organisation):
    topics = "v2.routing.queues.{id}.conversations,v2.conversations.{id}.transcription"
    result = invoke("topics", "--json", GENESYS_TOPICS=topics, **organisation)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["byConversation"] == ["v2.conversations.{conversation}.transcription"]
    assert len(told["topics"]) == 9
    shown = invoke("topics", GENESYS_TOPICS=topics, **organisation).stdout
    assert "for each conversation that comes: v2.conversations.{conversation}.transcription" in " ".join(shown.split())


def test_the_trial_leaves_its_channel_empty(invoke, organisation, emulator):
    before = len(channels(emulator))
    assert invoke("topics", "--no-trial", **organisation).exit_code == 0
    assert len(channels(emulator)) == before
    assert invoke("topics", **organisation).exit_code == 0
    assert [one["topics"] for one in channels(emulator)[before:]] == [[]]


def test_no_channel_is_made_where_it_would_evict_another(invoke, organisation, emulator):
    while len(channels(emulator)) < 20:
        assert invoke("topics", **organisation).exit_code == 0
    evicted = http.get(f"{emulator['url']}/_emulator/summary").json()["notifications"]["channels"]["evicted"]
    result = invoke("topics", **organisation)
    assert "was not asked" in result.stdout
    after = http.get(f"{emulator['url']}/_emulator/summary").json()["notifications"]["channels"]["evicted"]
    assert (evicted, after) == (0, 0)


def test_nothing_to_listen_to_is_no_success(invoke, organisation):
    result = invoke("topics", GENESYS_QUEUES="no such queue", **organisation)
    assert result.exit_code == 1
    assert "0 topics" in result.stdout


def test_missing_credentials_are_named(invoke):
    result = invoke("topics")
    assert isinstance(result.exception, SettingsError)
    assert "GENESYS_CLIENT_ID" in str(result.exception)
    assert "do without" not in str(result.exception), "another source has no topics"


def test_wrong_credentials_end_with_one_line(invoke, organisation):
    result = invoke("topics", **(organisation | {"GENESYS_CLIENT_SECRET": "wrong"}))
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert "GENESYS_CLIENT_SECRET" in result.stderr
