"""This module names the topics, in the order the events flow.

Genesys Cloud ─► source ─► [raw] ─► process ─► [validated] ─► sink ─► EventBridge bus
                                       │                        │
                                       └────► [failures] ◄──────┘ ─► failures ─► SQS dead-letter queue
every stage ─► [metrics] ─► metrics ─► windowed tables ─► web views

Keys are interaction ids, values plain JSON, both bytes here: what cannot be decoded is met inside the stages,
because Faust acks and skips an undecodable value before an agent sees it (faust/transport/conductor.py).
"""

from __future__ import annotations

from faust import TopicT

from streams.app import app, settings
from streams.topology import topic_configs


def _topic(name: str) -> TopicT:
    return app.topic(
        settings.topic(name), key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
    )


#: Who owns a partition of this topic runs the part of the source with that number, and writes its checkpoints there.
sources = _topic("sources")
raw = _topic("raw")
validated = _topic("validated")
failures = _topic("failures")
metrics = _topic("metrics")

#: Every topic above, with the configuration it is created with.
CONFIGS = topic_configs(settings)
