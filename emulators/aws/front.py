"""This module stands between HTTP and the operations: reads, lets faults strike, answers, counts."""

from __future__ import annotations

import asyncio

from aiohttp import web

from emulators.aws.active_faults import refusal
from emulators.aws.calls import Answer, Call
from emulators.aws.control import PREFIX, Control
from emulators.aws.errors import AWSError, too_large, unknown_operation
from emulators.aws.events.custom_bus import PutCustomEvents
from emulators.aws.events.put_events import PutEvents
from emulators.aws.faults import RequestFault
from emulators.aws.ledger import PutRequest
from emulators.aws.metrics.put_metric_data import REQUEST_BYTES as METRIC_REQUEST_BYTES
from emulators.aws.operations import operations
from emulators.aws.state import AccountState
from emulators.aws.wire.answering import refused, succeeded
from emulators.aws.wire.reading import read_call
from emulators.pages import page

_STORING = ("drop", "hang_stored")
_CLOSING = ("drop", "drop_early")


class _PageError(Exception):
    """Somebody else answers in the service's place."""

    def __init__(self, fault: RequestFault) -> None:
        super().__init__(fault.page)
        self.fault = fault


class Front:
    """`handle` serves every request. `released` is set when the server ends, and lets hanging requests go."""

    def __init__(self, state: AccountState, limit_bytes: int, control: Control) -> None:
        self.released = asyncio.Event()
        self._state = state
        self._operations = operations(state)
        self._put_events = PutEvents(state.ledger, state.buses, state.active, limit_bytes, state.clock)
        self._put_custom_events = PutCustomEvents(state.ledger, state.custom_buses, state.active, state.clock)
        self._control = control

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith(PREFIX):
            return await self._control.handle(request)
        try:
            body = await request.read()
            call = read_call(request.rel_url, request.headers, body, request.method)
        except web.HTTPRequestEntityTooLarge:
            return refused(None, too_large())
        except AWSError as error:
            return refused(None, error)
        if call.service not in ("events", "eventsv2") or call.operation != "PutEvents":
            return await self._answer(request, call, None)
        record = self._state.ledger.begin(self._state.clock(), call.access_key)
        try:
            response = await self._answer(request, call, record)
            record.status = response.status
            return response
        finally:
            self._state.ledger.end()

    async def _answer(self, request: web.BaseRequest, call: Call, record: PutRequest | None) -> web.StreamResponse:
        try:
            answer = await self._attempt(request, call, record)
        except _PageError as error:
            self._count(call, "page")
            return page(error.fault.page, error.fault.status)
        except AWSError as error:
            self._count(call, error.code)
            if record is not None:
                self._state.ledger.refuse(record, error.code)
            return refused(call, error)
        self._count(call, "ok")
        return succeeded(call, answer)

    async def _attempt(self, request: web.BaseRequest, call: Call, record: PutRequest | None) -> Answer:
        _check_request(request, call)
        fault, wait = self._state.active.request(call)
        if fault is None:
            answer = await self._operate(call, record)
            await asyncio.sleep(wait)  # stored before: a client that is gone by then has made a duplicate
            return answer
        await asyncio.sleep(wait)
        if record is not None:
            record.fault = fault.kind
        if fault.kind == "page":
            raise _PageError(fault)
        if error := refusal(fault, call):
            raise error
        if fault.kind in _STORING:
            await self._operate(call, record)
        self._count(call, fault.kind)
        return await self._never(request, fault)

    async def _operate(self, call: Call, record: PutRequest | None) -> Answer:
        if record is not None:
            put = self._put_custom_events if call.service == "eventsv2" else self._put_events
            return put.put(call, record)
        handler = self._operations.get((call.service, call.operation))
        if handler is None:
            raise unknown_operation(call.operation)
        return await handler(call)

    async def _never(self, request: web.BaseRequest, fault: RequestFault) -> Answer:
        """No answer: the connection is closed now, or when the client or the server goes.

        The server runs with `handler_cancellation`, so the end of the connection cancels this wait.
        """
        if fault.kind in _CLOSING and request.transport is not None:
            request.transport.abort()
        await self.released.wait()
        raise AWSError("ServiceUnavailable", "The emulator ends.", status=503, sender=False)

    def _count(self, call: Call, outcome: str) -> None:
        self._state.calls[f"{call.service} {call.operation} {outcome}"] += 1


def _check_request(request: web.BaseRequest, call: Call) -> None:
    if not call.access_key:
        raise AWSError("MissingAuthenticationTokenException", "Missing Authentication Token")
    if call.service == "monitoring" and (request.content_length or 0) > METRIC_REQUEST_BYTES:
        raise too_large()
