"""This module turns an HTTP request into the call it means: JSON, query or REST, as botocore speaks to each service."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import cbor2
import orjson
from yarl import URL

from emulators.aws.calls import Call, Protocol, Service
from emulators.aws.errors import AWSError, serialization, unknown_operation
from emulators.aws.wire import query

TARGETS: dict[str, tuple[Service, Protocol]] = {
    "AWSEvents": ("events", Protocol.JSON_1_1),
    "AmazonSQS": ("sqs", Protocol.JSON_1_0),
}
"""`targetPrefix` of the service models."""

VERSIONS: dict[str, Service] = {"2010-08-01": "monitoring"}
"""`apiVersion` of the service model whose clients speak query."""

_REGIONAL = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/,]+)/\d{8}/([^/,]+)/[^/,]+/aws4_request")
_GLOBAL = re.compile(r"AWS4-ECDSA-P256-SHA256 Credential=([^/,]+)/\d{8}/[^/,]+/aws4_request")
_CUSTOM_BUS_PATH = re.compile(r"/service/AWSEventsV2/operation/(\w+)$")
_SCHEMA_PATH = re.compile(r"/v1/registries/name/([^/]+)/schemas/name/([^/]+)$")


#: What a method does with a schema.
_SCHEMA_OPERATIONS = {"GET": "DescribeSchema", "POST": "CreateSchema", "PUT": "UpdateSchema"}


def read_call(url: URL, headers: Mapping[str, str], body: bytes, method: str = "POST") -> Call:
    """The call, whatever the protocol; raises `AWSError` when it is none."""
    access_key, region = _credential(headers.get("Authorization", ""))
    if target := headers.get("X-Amz-Target"):
        prefix, _, operation = target.partition(".")
        if prefix not in TARGETS:
            raise unknown_operation(target)
        service, protocol = TARGETS[prefix]
        return Call(service, operation, _json_object(body), protocol, access_key, region)
    if match := _CUSTOM_BUS_PATH.match(url.raw_path):
        return Call("eventsv2", match[1], _cbor_object(body), Protocol.CBOR, access_key, region)
    if url.path.startswith("/v1/registries/"):
        return _schemas_call(url, body, method, access_key, region)
    return _query_call(body, access_key, region)


def _credential(authorization: str) -> tuple[str, str]:
    if match := _REGIONAL.match(authorization):
        return match[1], match[2]
    if match := _GLOBAL.match(authorization):
        return match[1], ""
    return "", ""


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        parameters = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError as error:
        raise serialization(str(error)) from error
    if not isinstance(parameters, dict):
        raise serialization("Start of structure or map found where not expected.")
    return parameters


def _cbor_object(body: bytes) -> dict[str, Any]:
    try:
        parameters = cbor2.loads(body)
    except (cbor2.CBORDecodeError, ValueError) as error:
        raise serialization(str(error)) from error
    if not isinstance(parameters, dict):
        raise serialization("the body is no map")
    return parameters


def _schemas_call(url: URL, body: bytes, method: str, access_key: str, region: str) -> Call:
    match, operation = _SCHEMA_PATH.match(url.raw_path), _SCHEMA_OPERATIONS.get(method)
    if match is None or operation is None:
        raise unknown_operation(url.path)
    parameters = {"RegistryName": unquote(match[1]), "SchemaName": unquote(match[2]), **_json_object(body)}
    if version := url.query.get("schemaVersion"):
        parameters["SchemaVersion"] = version
    return Call("schemas", operation, parameters, Protocol.REST_JSON, access_key, region)


def _query_call(body: bytes, access_key: str, region: str) -> Call:
    try:
        parameters = query.decode(body.decode())
    except UnicodeDecodeError as error:
        raise AWSError("MalformedQueryString", str(error), status=404) from error
    operation = str(parameters.pop("Action", ""))
    service = VERSIONS.get(str(parameters.pop("Version", "")))
    if not operation or service is None:
        raise unknown_operation(operation)
    return Call(service, operation, parameters, Protocol.QUERY, access_key, region)
