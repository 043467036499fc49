"""This module reads the form parameters of the AWS query protocol and writes its XML answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape


def decode(form: str) -> dict[str, Any]:
    """`A.member.1.B=x` gives `{"A": [{"B": "x"}]}`, and `A.1.B=x` (flattened lists) gives the same.

    All values stay text: only the operation knows its types.
    """
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(form, keep_blank_values=True):
        *branches, leaf = name.split(".")
        node = tree
        for branch in branches:
            below = node.setdefault(branch, {})
            node = below if isinstance(below, dict) else {}
        node[leaf] = value
    return {name: _listed(value) for name, value in tree.items()}


def _listed(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node.keys() == {"member"}:
        return _listed(node["member"])
    if node and all(key.isdigit() for key in node):
        return [_listed(node[key]) for key in sorted(node, key=int)]
    return {key: _listed(value) for key, value in node.items()}


def success(operation: str, result: Mapping[str, Any], namespace: str, request_id: str) -> bytes:
    """The answer of `operation`; lists become repeated elements."""
    inside = f"<{operation}Result>{_elements(result)}</{operation}Result>" if result else ""
    metadata = _elements({"ResponseMetadata": {"RequestId": request_id}})
    return (f'<{operation}Response xmlns="{namespace}">{inside}{metadata}</{operation}Response>').encode()


def failure(code: str, message: str, *, sender: bool, namespace: str, request_id: str) -> bytes:
    """The answer that refuses."""
    error = {"Type": "Sender" if sender else "Receiver", "Code": code, "Message": message}
    content = _elements({"Error": error, "RequestId": request_id})
    return f'<ErrorResponse xmlns="{namespace}">{content}</ErrorResponse>'.encode()


def _elements(values: Mapping[str, Any]) -> str:
    return "".join(_element(name, value) for name, value in values.items() if value is not None)


def _element(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_element(name, item) for item in value)
    if isinstance(value, Mapping):
        return f"<{name}>{_elements(value)}</{name}>"
    if isinstance(value, bool):
        value = "true" if value else "false"
    return f"<{name}>{escape(str(value))}</{name}>"
