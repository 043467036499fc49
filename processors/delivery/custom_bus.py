"""This module is what an entry for a custom event bus has beside a classic one's: its group and its de-duplication id.

The bus keeps order within a group, and for 300 s takes an entry whose de-duplication id it knows as put already
(EventBridge user guide, custom event buses; service model of 2025-05-15).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

#: Entries of one request, and bytes for what each counts beside its texts, which is not documented.
MAX_ENTRIES = 100
ENTRY_BYTES = 256

#: Characters of a group or a de-duplication id.
MAX_ID = 128

_ARN = re.compile(r"arn:(?P<partition>aws[\w-]*):events:(?P<region>[\w-]+):(?P<account>\d{12}):event-busv2/.+")
_SUFFIXES = {"aws-cn": "amazonaws.com.cn"}


@dataclass(frozen=True, slots=True)
class CustomBus:
    """What the ARN of a custom bus tells: where its API is."""

    region: str
    account: str
    endpoint: str


@lru_cache(1_000)
def custom_bus(name_or_arn: str) -> CustomBus | None:
    """The custom bus that an ARN names; None for a name, or the ARN of a classic bus."""
    found = _ARN.fullmatch(name_or_arn)
    if found is None:
        return None
    suffix = _SUFFIXES.get(found["partition"], "amazonaws.com")
    endpoint = f"https://{found['account']}.eventsv2.{found['region']}.{suffix}"
    return CustomBus(found["region"], found["account"], endpoint)


def system_metadata(key: str, event_id: str | None, route: str | None, run: str | None) -> dict[str, str]:
    """Group and de-duplication id of an event; a replay or redrive has ids of its own, as it is meant to come again."""
    metadata = {"EventGroupId": _fitting(key)} if key.strip() else {}
    if event_id:
        metadata["DeduplicationId"] = _fitting("/".join(part for part in (event_id, route, run) if part))
    return metadata


def metadata_size(metadata: dict[str, Any]) -> int:
    """Bytes that an entry for a custom bus counts beside its texts."""
    return sum(len(value.encode()) for value in metadata.values()) + ENTRY_BYTES


def _fitting(text: str) -> str:
    return text if len(text) <= MAX_ID else hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
