"""This module is what is sent to Kafka."""

from __future__ import annotations

from dataclasses import dataclass, field

from faust import TopicT

from processors.event import headers
from processors.event.headers import Meta


@dataclass(frozen=True, slots=True)
class Record:
    """What is to be sent: topic name, key, value, headers; the partition follows from the key unless it is given."""

    topic: str
    key: bytes | None
    value: bytes
    headers: dict[str, bytes] = field(default_factory=dict)
    partition: int | None = None

    @property
    def size(self) -> int:
        """Bytes that it takes on the wire, and a few more."""
        named = sum([len(name) + len(value) + _HEADER for name, value in self.headers.items()])
        return _OVERHEAD + len(self.key or b"") + len(self.value) + named


#: Bytes that a record takes beside its parts, and a header beside name and value, at most.
_OVERHEAD, _HEADER = 100, 10


def record(topic: TopicT, key: str, value: bytes, meta: Meta) -> Record:
    """A record for one of our topics, with the headers that say `meta`."""
    return Record(topic.get_topic_name(), key.encode("utf-8", "replace"), value, headers.write(meta))
