"""This module translates the query protocol of older SQS clients to the JSON shapes of today, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ENTRIES = (
    "SendMessageBatchRequestEntry",
    "DeleteMessageBatchRequestEntry",
    "ChangeMessageVisibilityBatchRequestEntry",
)
_RENAMED = {
    "AttributeName": "AttributeNames",
    "MessageAttributeName": "MessageAttributeNames",
    "MessageSystemAttributeName": "MessageSystemAttributeNames",
} | dict.fromkeys(_ENTRIES, "Entries")
_RESULT_ENTRIES = {
    "SendMessageBatch": "SendMessageBatchResultEntry",
    "DeleteMessageBatch": "DeleteMessageBatchResultEntry",
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibilityBatchResultEntry",
}


def parameters_of_query(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Flattened lists under their JSON names, `Attribute.n.Name` pairs as one object; values stay text."""
    translated: dict[str, Any] = {}
    for name, value in parameters.items():
        if name == "Attribute":
            translated["Attributes"] = {pair["Name"]: pair["Value"] for pair in value}
        elif name == "MessageAttribute":
            translated["MessageAttributes"] = {pair["Name"]: pair["Value"] for pair in value}
        elif name in _ENTRIES:
            translated["Entries"] = [parameters_of_query(entry) for entry in value]
        else:
            translated[_RENAMED.get(name, name)] = value
    return translated


def answer_of_query(operation: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """The element names of the old XML; a list becomes repeated elements."""
    translated: dict[str, Any] = {}
    for name, value in answer.items():
        match name:
            case "Attributes":
                translated["Attribute"] = [{"Name": key, "Value": item} for key, item in value.items()]
            case "MessageAttributes":
                translated["MessageAttribute"] = [{"Name": key, "Value": item} for key, item in value.items()]
            case "Successful":
                translated[_RESULT_ENTRIES[operation]] = value
            case "Failed":
                translated["BatchResultErrorEntry"] = value
            case "QueueUrls":
                translated["QueueUrl"] = value
            case "Messages":
                translated["Message"] = [answer_of_query(operation, message) for message in value]
            case _:
                translated[name] = value
    return translated
