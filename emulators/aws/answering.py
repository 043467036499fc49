"""This module turns an answer or an error into the HTTP response of the protocol that was spoken."""

from __future__ import annotations

import orjson
from aiohttp import web

from emulators.aws import cbor, query
from emulators.aws.calls import Answer, Call, Protocol, Service
from emulators.aws.errors import AWSError
from emulators.aws.identifiers import new_identifier
from emulators.aws.sqs.translation import answer_of_query

_NAMESPACES: dict[Service, str] = {
    "monitoring": "http://monitoring.amazonaws.com/doc/2010-08-01/",
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
    "sqs": "http://queue.amazonaws.com/doc/2012-11-05/",
}

_ONCE_QUERY = ("sqs", "monitoring")
"""Services whose models are marked awsQueryCompatible."""


def succeeded(call: Call, answer: Answer) -> web.Response:
    """HTTP 200 with the answer."""
    request_id = new_identifier()
    match call.protocol:
        case Protocol.QUERY:
            if call.service == "sqs":
                answer = answer_of_query(call.operation, answer)
            body = query.success(call.operation, answer, _NAMESPACES[call.service], request_id)
        case Protocol.CBOR:
            body = cbor.encode(answer)
        case _:
            body = orjson.dumps(answer)
    return _response(call.protocol, 200, body, request_id)


def refused(call: Call | None, error: AWSError) -> web.Response:
    """The error; `call` is None when the request could not be read."""
    if error.bare:
        response = web.Response(status=error.status)
        response.force_close()
        return response
    protocol = call.protocol if call is not None else Protocol.JSON_1_1
    request_id = new_identifier()
    headers: dict[str, str] = {}
    match protocol:
        case Protocol.QUERY:
            namespace = _NAMESPACES[call.service] if call is not None else ""
            body = query.failure(
                error.query_code or error.code,
                error.message,
                sender=error.sender,
                namespace=namespace,
                request_id=request_id,
            )
        case Protocol.REST_JSON:
            headers["x-amzn-ErrorType"] = error.code
            body = orjson.dumps({"Code": error.code, "Message": error.message})
        case _:
            if error.query_code and call is not None and call.service in _ONCE_QUERY:
                headers["x-amzn-query-error"] = f"{error.query_code};{'Sender' if error.sender else 'Receiver'}"
            content = {"__type": error.code, "message": error.message}
            body = cbor.encode(content) if protocol is Protocol.CBOR else orjson.dumps(content)
    return _response(protocol, error.status, body, request_id, headers)


def _response(
    protocol: Protocol, status: int, body: bytes, request_id: str, headers: dict[str, str] | None = None
) -> web.Response:
    answered = {"Content-Type": protocol.value, "x-amzn-RequestId": request_id}
    if headers:
        answered |= headers
    if protocol is Protocol.CBOR:
        answered["smithy-protocol"] = "rpc-v2-cbor"
    return web.Response(status=status, body=body, headers=answered)
