"""This module names the topics, in the order the events flow.

Genesys Cloud ─► source ─► [raw] ─► process ─► [validated] ─► sink ─► EventBridge bus
                                       │                        │
                                       └────► [failures] ◄──────┘ ─► failures ─► SQS dead-letter queue
every stage ─► [metrics] ─► metrics ─► windowed tables ─► web views

Keys are interaction ids, values plain JSON, both bytes here: what cannot be decoded is met inside the stages,
because Faust acks and skips an undecodable value before an agent sees it (faust/transport/conductor.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import faust
from faust import TopicT

from settings import Settings


@dataclass(frozen=True, slots=True)
class PipelineTopics:
    """The topics of one app.

    Who owns a partition of `sources` runs the part of the source with that number, and writes its checkpoints there.
    """

    sources: TopicT
    raw: TopicT
    validated: TopicT
    failures: TopicT
    metrics: TopicT


def pipeline_topics(app: faust.App, settings: Settings) -> PipelineTopics:
    """Declare the topics on the app."""

    def topic(name: str) -> TopicT:
        return app.topic(
            settings.topic(name), key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
        )

    return PipelineTopics(
        sources=topic("sources"),
        raw=topic("raw"),
        validated=topic("validated"),
        failures=topic("failures"),
        metrics=topic("metrics"),
    )
