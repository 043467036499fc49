"""This module asks the brokers what this login may do with topics: nothing is read, written or made (KIP-430)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiokafka.admin import NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, TopicAuthorizationFailedError, for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

from clients.kafka.admin import REQUEST_MS, open_admin
from settings import Settings

#: Bits of the authorized operations (AclOperation in Kafka).
OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Alter": 7, "Describe": 8, "DescribeConfigs": 10, "AlterConfigs": 11}

#: What brokers answer that do not tell.
_UNTOLD = -(2**31)

_BROKER = Array(("node_id", Int32), ("host", String("utf-8")), ("port", Int32), ("rack", String("utf-8")))
_PARTITION = Array(
    ("error_code", Int16),
    ("partition", Int32),
    ("leader", Int32),
    ("leader_epoch", Int32),
    ("replicas", Array(Int32)),
    ("isr", Array(Int32)),
    ("offline_replicas", Array(Int32)),
)


class _MetadataResponse(Response):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", _BROKER),
        ("cluster_id", String("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", String("utf-8")),
                ("is_internal", Boolean),
                ("partitions", _PARTITION),
                ("authorized_operations", Int32),
            ),
        ),
        ("cluster_authorized_operations", Int32),
    )


class _MetadataStruct(RequestStruct):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        ("topics", Array(String("utf-8"))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class _RightsRequest(Request[_MetadataStruct]):  # type: ignore[misc]
    """Metadata of topics with what the caller may do; aiokafka knows the request up to version 5."""

    API_KEY = 3

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = list(topics)

    def build(self, request_struct_class: type[_MetadataStruct]) -> _MetadataStruct:
        return request_struct_class(self._topics, False, False, True)


@dataclass(frozen=True, slots=True)
class TopicRights:
    """What this login may do with topics: `untold` where the brokers do not say so, and nobody is wronged."""

    allowed: Mapping[str, frozenset[str]]
    untold: bool = False

    def lacking(self, wanted: Mapping[str, frozenset[str]]) -> dict[str, list[str]]:
        """Topic → the rights that it lacks."""
        found = {name: sorted(wanted[name] - self.allowed.get(name, frozenset())) for name in wanted}
        return {} if self.untold else {name: rights for name, rights in found.items() if rights}


async def topic_rights(settings: Settings, topics: Sequence[str]) -> TopicRights:
    """Ask for the rights on topics that exist; on one that may not be described there are none. Raises KafkaError."""
    async with open_admin(settings) as admin:
        try:
            answer = await admin._send_request(_RightsRequest(topics))
        except NotImplementedError:  # brokers before 2.3
            return TopicRights({}, untold=True)
    rights: dict[str, frozenset[str]] = {}
    for code, name, _, _, bits in answer.topics:
        if for_code(code) is TopicAuthorizationFailedError:
            rights[name] = frozenset()
        elif bits == _UNTOLD:
            return TopicRights({}, untold=True)
        else:
            rights[name] = frozenset(right for right, bit in OPERATIONS.items() if bits & (1 << bit))
    return TopicRights(rights)


async def creation_refusals(
    settings: Settings, topics: Mapping[str, Mapping[str, str]], partitions: int, replicas: int
) -> dict[str, str]:
    """Topic → why the brokers would not make it, asked without making it. Raises KafkaError."""
    wanted = [
        NewTopic(name, num_partitions=partitions, replication_factor=replicas, topic_configs=dict(configs))
        for name, configs in topics.items()
    ]
    async with open_admin(settings) as admin:
        answer = await admin.create_topics(wanted, timeout_ms=REQUEST_MS, validate_only=True)
    refused = {}
    for name, code, *rest in answer.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            refused[name] = _words(error, rest[0] if rest else None)
    return refused


def _words(error: type[KafkaError], message: str | None) -> str:
    return "not allowed" if error is TopicAuthorizationFailedError else message or error.__name__
