"""Tests of changelogs made under a shorter window: they are kept longer, and nothing else of them changes."""

from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from clients.kafka.retention import lengthen
from settings import load_settings
from streams.topology import kept_ms

TOPIC, BY_DEFAULT = 1, 5
DENIED = 29


class Admin:
    """Answers as Kafka does; `altered` is what topics were given."""

    def __init__(self, retention, source=TOPIC, describes=0, alters=0):
        self._retention, self._source, self._describes, self._alters = retention, source, describes, alters
        self.altered = {}

    async def describe_configs(self, resources):
        entries = [
            ("retention.ms", self._retention, False, self._source, False, []),
            ("cleanup.policy", "delete", False, TOPIC, False, []),
            ("max.message.bytes", "1048588", False, BY_DEFAULT, False, []),
        ]
        return [SimpleNamespace(resources=[(self._describes, "denied", 2, resources[0].name, entries)])]

    async def alter_configs(self, resources):
        self.altered |= {one.name: one.configs for one in resources}
        return [SimpleNamespace(resources=[(self._alters, "denied", 2, resources[0].name)])]


@pytest.mark.parametrize("source", [TOPIC, BY_DEFAULT])
async def test_a_shorter_retention_is_raised_and_the_topic_s_other_wishes_stay(source):
    admin = Admin("660000", source)
    await lengthen(admin, {"recent": 3_660_000})
    assert admin.altered == {"recent": {"cleanup.policy": "delete", "retention.ms": "3660000"}}


@pytest.mark.parametrize("retention", ["3660000", "9000000", "-1"], ids=["as wanted", "longer", "for ever"])
async def test_what_is_kept_long_enough_stays(retention):
    admin = Admin(retention)
    await lengthen(admin, {"recent": 3_660_000})
    assert admin.altered == {}


@pytest.mark.parametrize("refuses", [{"describes": DENIED}, {"alters": DENIED}], ids=["to be looked at", "to change"])
async def test_what_kafka_does_not_allow_is_told_with_the_remedy(refuses):
    with capture_logs() as logs:
        await lengthen(Admin("1", **refuses), {"recent": 3_660_000})
    [told] = logs
    assert (told["log_level"], told["topic"], told["wanted_ms"]) == ("warning", "recent", 3_660_000)
    assert "denied" in told["reason"]
    assert "AlterConfigs" in told["fix"]


def test_windows_say_how_long_changelogs_keep():
    kept = kept_ms(load_settings(deduplication_window=3_600, metrics_retention=7_200, kafka_group="g"))
    assert kept.pop("g-recent-changelog") == 3_660_000
    assert set(kept.values()) == {7_200_000}
    assert not any(name in kept for name in ("g-totals-changelog", "g-gaps-changelog"))
