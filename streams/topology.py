"""This module lists the topics by the names of the flow; it starts nothing, and any command can ask it."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from settings import Settings

#: The one key of all deltas, so that one worker owns all sums (streams/tables/definitions.py); JSON, as the
#: tables' keys are, because Faust's router looks for a key's owner by its serialised form.
METRICS_KEY = orjson.dumps("pipeline")


#: The topics of the flow, as they are called without the prefix.
TOPICS = ("sources", "raw", "validated", "failures", "metrics")

#: Those whose events each must come to an end; what waits on them is lag.
READ = ("raw", "validated", "failures")

#: The Faust tables; each has a changelog topic (streams/tables/definitions.py).
TABLES = ("throughput", "failed", "routes", "latency", "history", "totals", "gaps")

#: The table of what was put out lately (streams/delivery/deduplication.py); beside `raw`, with as many partitions.
RECENT = "recent"

#: The topic in which each redrive notes what it brought back; only redrives use it, and make it (KAFKA_CREATE_TOPICS).
REDRIVEN = "redriven"
REDRIVEN_CONFIGS = {"cleanup.policy": "compact"}

#: The topic of what operators did; every worker reads it, and obeys its pauses. All stands in its first partition.
ACTIONS = "actions"
ACTIONS_PARTITION = 0

#: Tables without windows: their rows stay.
LASTING = ("totals", "gaps")

#: Replicas that a topic should have where the cluster has brokers enough.
SAFE_REPLICAS = 3


def topic_configs(settings: Settings) -> dict[str, dict[str, str]]:
    """Topic -> how it is created. What is kept how long: stages read at once, operators replay `raw` for a
    week and redrive `failures` for two; of a source's part only the last checkpoint matters; the last counts of a
    worker that stopped are added by the next one, which may start after a long weekend.
    """
    configs = {
        "sources": {"cleanup.policy": "compact", "segment.ms": "3600000"},
        "raw": {"retention.ms": "604800000"},
        "validated": {"retention.ms": "604800000"},
        "failures": {"retention.ms": "1209600000"},
        "metrics": {"retention.ms": "259200000"},
    }
    return {settings.topic(name): configs[name] for name in TOPICS}


def needed_topics(settings: Settings) -> dict[str, dict[str, str]]:
    """Every topic the group uses, with the configuration it is created with; changelogs last."""
    changelog = {
        "cleanup.policy": "compact,delete",
        "retention.ms": str(int(settings.metrics_retention * 1000)),
    }
    compacted = {"cleanup.policy": "compact"}
    lately_ms = int(settings.deduplication_window * 1000) + 60_000
    lately = {
        "cleanup.policy": "delete",
        "retention.ms": str(lately_ms),
        "segment.ms": str(max(lately_ms // 4, 60_000)),
    }
    return {
        **topic_configs(settings),
        settings.topic(ACTIONS): {"cleanup.policy": "compact"},
        **{changelog_of(settings, name): compacted if name in LASTING else changelog for name in TABLES},
        changelog_of(settings, RECENT): lately,
    }


def kept_ms(settings: Settings) -> dict[str, int]:
    """Changelog → how long its rows must stay, for those that a setting says so of."""
    changelogs = (changelog_of(settings, name) for name in (*TABLES, RECENT) if name not in LASTING)
    needed = needed_topics(settings)
    return {name: int(needed[name]["retention.ms"]) for name in changelogs}


def changelog_of(settings: Settings, table: str) -> str:
    """The changelog topic of a table (faust/tables/base.py)."""
    return f"{settings.group}-{table}-changelog"


def companion_of(settings: Settings, changelog: str) -> str:
    """The topic that a changelog must have as many partitions as: Faust then gives both to one worker."""
    return settings.topic("raw" if changelog == changelog_of(settings, RECENT) else "metrics")


def short_changelogs(settings: Settings, partitions: Mapping[str, int]) -> dict[str, int]:
    """Changelogs with fewer partitions than their companions → how many they need: somebody gave those more."""
    changelogs = [name for name in needed_topics(settings) if name.endswith("-changelog") and name in partitions]
    wanted = {name: partitions.get(companion_of(settings, name), 0) for name in changelogs}
    return {name: number for name, number in wanted.items() if partitions[name] < number}


def short_fix(wanted: Mapping[str, int]) -> str:
    """What to do when they cannot be given them."""
    numbers = ", ".join(f"{name} to {number}" for name, number in wanted.items())
    return f"allow Alter on the topics, or raise by kafka-topics.sh --alter --partitions: {numbers}"


def replicas_of(settings: Settings, brokers: int) -> int:
    """How many replicas a topic is made with."""
    return settings.kafka_replication_factor or min(SAFE_REPLICAS, brokers)


def full_name(settings: Settings, text: str) -> str:
    """A topic as people type it: `raw` is the flow's, anything else a topic's own name."""
    return settings.topic(text) if text in TOPICS else text


def flow_name(settings: Settings, topic: str) -> str | None:
    """What a topic is called in the flow; None when it is none of the flow's."""
    return next((name for name in TOPICS if settings.topic(name) == topic), None)
