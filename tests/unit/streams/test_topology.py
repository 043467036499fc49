"""This module tests that the light list of topics is the app's own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from settings import Settings
from streams import topology

SETTINGS = Settings(kafka_topic_prefix="p.", kafka_group="g")


def test_every_table_of_the_app_has_its_changelog_in_the_list():
    # A process of its own: importing the app reads the environment and patches Faust.
    code = (
        "from streams import topology; from streams.app import app; "
        "assert set(topology.TABLES) == set(app.sums.plain), app.sums; "
        "assert {*topology.TABLES, topology.RECENT} == set(app.tables), set(app.tables)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"GENESYS_SOURCE": "none"})


def test_changelogs_come_last_and_bear_the_group():
    names = list(topology.needed_topics(SETTINGS))

    ours = (*topology.TOPICS, topology.ACTIONS)
    assert names[: len(ours)] == [f"p.{name}" for name in ours]
    assert names[len(ours) :] == [f"g-{name}-changelog" for name in (*topology.TABLES, topology.RECENT)]


def test_a_changelog_goes_with_the_topic_whose_events_it_tells_of():
    assert topology.companion_of(SETTINGS, "g-recent-changelog") == "p.raw"
    assert topology.companion_of(SETTINGS, "g-totals-changelog") == "p.metrics"


@pytest.mark.parametrize(("typed", "full"), [("raw", "p.raw"), ("p.raw", "p.raw"), ("copy", "copy")])
def test_topics_of_the_flow_go_by_short_names(typed, full):
    assert topology.full_name(SETTINGS, typed) == full


@pytest.mark.parametrize(("topic", "name"), [("p.raw", "raw"), ("raw", None), ("copy", None)])
def test_a_full_name_tells_whether_it_is_the_flows(topic, name):
    assert topology.flow_name(SETTINGS, topic) == name
