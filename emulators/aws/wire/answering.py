"""This module turns an answer or an error into the HTTP response of the protocol that was spoken."""

from __future__ import annotations

import cbor2
import orjson
from aiohttp import web

from emulators.aws.calls import Answer, Call, Protocol
from emulators.aws.errors import AWSError
from emulators.aws.identifiers import new_identifier
from emulators.aws.wire import query

_NAMESPACE = "http://monitoring.amazonaws.com/doc/2010-08-01/"
"""Of CloudWatch, the one service that is spoken to in query."""


def succeeded(call: Call, answer: Answer) -> web.Response:
    """HTTP 200 with the answer."""
    request_id = new_identifier()
    if call.protocol is Protocol.QUERY:
        body = query.success(call.operation, answer, _NAMESPACE, request_id)
    elif call.protocol is Protocol.CBOR:
        body = cbor2.dumps(dict(answer))
    else:
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
            body = query.failure(
                error.query_code or error.code,
                error.message,
                sender=error.sender,
                namespace=_NAMESPACE,
                request_id=request_id,
            )
        case Protocol.CBOR:
            body = cbor2.dumps({"__type": error.code, "message": error.message})
        case Protocol.REST_JSON:
            headers["x-amzn-ErrorType"] = error.code
            body = orjson.dumps({"Code": error.code, "Message": error.message})
        case _:
            if (
                error.query_code and call is not None and call.service == "sqs"
            ):  # it once spoke query, and keeps its codes
                headers["x-amzn-query-error"] = f"{error.query_code};{'Sender' if error.sender else 'Receiver'}"
            body = orjson.dumps({"__type": error.code, "message": error.message})
    return _response(protocol, error.status, body, request_id, headers)


def _response(
    protocol: Protocol, status: int, body: bytes, request_id: str, headers: dict[str, str] | None = None
) -> web.Response:
    answered = {"Content-Type": protocol.value, "x-amzn-RequestId": request_id}
    if protocol is Protocol.CBOR:
        answered["smithy-protocol"] = "rpc-v2-cbor"
    if headers:
        answered |= headers
    return web.Response(status=status, body=body, headers=answered)
