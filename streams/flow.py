"""This module lists the topics by the names of the flow; it starts nothing, and any command can ask it."""

from __future__ import annotations

from streams.settings import Settings

#: The topics of the flow, as they are called without the prefix.
TOPICS = ("sources", "raw", "validated", "failures", "metrics")

#: The Faust tables; each has a changelog topic (streams/tables.py).
TABLES = ("throughput", "failed", "latency", "totals", "gaps")

#: Tables without windows: their rows stay.
LASTING = ("totals", "gaps")

#: Replicas that a topic should have where the cluster has brokers enough.
SAFE_REPLICAS = 3


def topic_configs(settings: Settings) -> dict[str, dict[str, str]]:
    """Topic -> how it is created. What is kept how long: stages read at once, operators replay `raw` for a
    week and redrive `failures` for two; of a source's part only the last checkpoint matters.
    """
    configs = {
        "sources": {"cleanup.policy": "compact", "segment.ms": "3600000"},
        "raw": {"retention.ms": "604800000"},
        "validated": {"retention.ms": "604800000"},
        "failures": {"retention.ms": "1209600000"},
        "metrics": {"retention.ms": "3600000"},
    }
    return {settings.topic(name): configs[name] for name in TOPICS}


def needed_topics(settings: Settings) -> dict[str, dict[str, str]]:
    """Every topic the group uses, with the configuration it is created with; changelogs last."""
    changelog = {
        "cleanup.policy": "compact,delete",
        "retention.ms": str(int(settings.metrics_retention * 1000)),
    }
    compacted = {"cleanup.policy": "compact"}
    return {
        **topic_configs(settings),
        **{f"{settings.group}-{name}-changelog": compacted if name in LASTING else changelog for name in TABLES},
    }


def full_name(settings: Settings, text: str) -> str:
    """A topic as people type it: `raw` is the flow's, anything else a topic's own name."""
    return settings.topic(text) if text in TOPICS else text


def flow_name(settings: Settings, topic: str) -> str | None:
    """What a topic is called in the flow; None when it is none of the flow's."""
    return next((name for name in TOPICS if settings.topic(name) == topic), None)
