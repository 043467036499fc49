"""This module looks whether what came is an answer of the service, before botocore reads it.

botocore takes any page for a success that holds nothing (an empty queue, say, or metrics that were taken), and gives on
what is of another type than the service's model says.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import orjson
from botocore.parsers import ResponseParserError

#: Bytes that the body of an answer may have once it is unpacked.
MAX_BODY = 4 * 1024 * 1024

#: How zlib is told what a body is packed with.
_PACKINGS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


def unpacked(headers: Mapping[str, str], body: bytes) -> bytes:
    """The body without what something on the way has packed it with, unasked. Raises ResponseParserError."""
    packing = next((value for name, value in headers.items() if name.lower() == "content-encoding"), "").lower()
    if packing not in _PACKINGS or not body:
        return body
    unpacking = zlib.decompressobj(_PACKINGS[packing])
    try:
        found = unpacking.decompress(body, MAX_BODY)
    except zlib.error as error:
        raise ResponseParserError(f"the answer is no {packing}: {error}") from None
    if not unpacking.eof:
        raise ResponseParserError(f"the answer in {packing} is cut off or does not end")
    return found


def check_answer(operation: Any, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Raises ResponseParserError for a success that is not the service's; `operation`: botocore's model."""
    protocol = operation.service_model.resolved_protocol
    if status >= 300:
        return
    if protocol == "query" and f"<{operation.name}Response".encode() not in body:
        raise ResponseParserError(f"the answer is none to {operation.name}")
    if operation.name == "PutObject" and "etag" not in map(str.lower, headers):
        raise ResponseParserError("the answer names no object that was stored")
    if protocol in ("json", "rest-json") and (body or operation.output_shape is not None):
        _check_json(operation.output_shape, body)


def _check_json(shape: Any, body: bytes) -> None:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        answer = None
    if not isinstance(answer, dict):
        raise ResponseParserError("the answer is no JSON object")
    known = _members(shape).keys() if shape is not None else set[str]()
    if (answer and not known & answer.keys()) or (shape is not None and not _fits(shape, answer)):
        raise ResponseParserError("the answer is another service's")


def _fits(shape: Any, value: Any) -> bool:
    """Whether texts, lists and objects are where the model has them, and the texts that each part of a list needs."""
    if shape.type_name == "structure":
        return isinstance(value, dict) and all(
            _fits(member, value[name]) for name, member in _members(shape).items() if value.get(name) is not None
        )
    if shape.type_name == "list":
        return isinstance(value, list) and all(_fits(shape.member, one) and _names(shape.member, one) for one in value)
    return isinstance(value, {"string": str, "map": dict, "boolean": bool}.get(shape.type_name, object))


def _names(shape: Any, value: Any) -> bool:
    if shape.type_name != "structure":
        return True
    needed = {name for name in shape.required_members if shape.members[name].type_name == "string"}
    return needed <= {name for name, found in value.items() if found is not None}


def _members(shape: Any) -> dict[str, Any]:
    return {member.serialization.get("name", name): member for name, member in shape.members.items()}
