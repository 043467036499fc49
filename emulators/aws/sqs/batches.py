"""This module is what all batch operations of SQS share: the entries, their ids, the answer by id."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from emulators.aws.errors import AWSError
from emulators.aws.sqs.errors import missing, named

ENTRIES = 10
_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")

Entry = Mapping[str, Any]


def entries_of(parameters: Mapping[str, Any]) -> list[Entry]:
    """1 to 10 entries with distinct, legal ids; raises `AWSError`."""
    entries = parameters.get("Entries") or []
    if not isinstance(entries, list) or not entries:
        raise named("EmptyBatchRequest")
    if len(entries) > ENTRIES:
        raise named("TooManyEntriesInBatchRequest", f"Maximum number of entries per request are {ENTRIES}.")
    identifiers = [entry.get("Id") for entry in entries]
    for identifier in identifiers:
        if identifier is None:
            raise missing("Id")
        if not isinstance(identifier, str) or not _ID.fullmatch(identifier):
            raise named("InvalidBatchEntryId")
    if len(set(identifiers)) < len(identifiers):
        raise named("BatchEntryIdsNotDistinct")
    return entries


def answered(entries: list[Entry], operate: Callable[[Entry], Mapping[str, Any]]) -> dict[str, Any]:
    """`Successful` and `Failed` by Id; an empty one is left out, as the service does."""
    successful, failed = [], []
    for entry in entries:
        try:
            successful.append({"Id": entry["Id"], **operate(entry)})
        except AWSError as error:
            failed.append(
                {
                    "Id": entry["Id"],
                    "SenderFault": error.sender,
                    "Code": error.query_code or error.code,
                    "Message": error.message,
                }
            )
    answer = {"Successful": successful, "Failed": failed}
    return {name: value for name, value in answer.items() if value}
