"""This module is the remote control and the eye under `/_emulator/`; nothing of it exists in AWS."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from emulators.aws.errors import AWSError
from emulators.aws.faults import Faults
from emulators.aws.state import AccountState
from emulators.faults import FaultError, from_json

PREFIX = "/_emulator/"
EVENTS_AT_ONCE = 1_000


class ControlError(Exception):
    """A control request that makes no sense; `status` is its answer."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Control:
    """Each request reads or changes the state; bodies and answers are JSON."""

    def __init__(self, state: AccountState) -> None:
        self._state = state

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path.removeprefix(PREFIX).strip("/")
        try:
            if request.method == "GET" and path == "events":
                return await self._events(request)
            if request.method == "GET":
                return _json(self._read(path, request))
            body = await request.read()
            return _json(self._change(request.method, path, body))
        except ControlError as error:
            return _json({"error": str(error)}, error.status)
        except (AWSError, FaultError) as error:
            return _json({"error": str(error)}, 400)

    def _read(self, path: str, request: web.BaseRequest) -> object:
        match path.split("/"):
            case [""] | ["summary"]:
                return self._state.summary()
            case ["requests"]:
                return self._requests(request)
            case ["metrics"]:
                return {"metrics": self._state.metrics.points}
            case ["faults"]:
                return self._state.active.faults.model_dump(mode="json")
            case ["queues", name, "messages"]:
                if name not in self._state.queues.names:
                    raise ControlError(f"no queue {name}", 404)
                return {"messages": self._state.queues[name].contents()}
        raise ControlError(f"nothing to read at {path}", 404)

    def _change(self, method: str, path: str, body: bytes) -> object:
        match method, path:
            case "PUT", "faults":
                self._state.active.replace(from_json(body, Faults))
                return self._state.active.faults.model_dump(mode="json")
            case "DELETE", "faults":
                self._state.active.replace(Faults())
                return self._state.active.faults.model_dump(mode="json")
            case "POST", "reset":
                self._state.reset()
                return self._state.summary()
            case "POST", "buses":
                return {"name": self._state.buses.add(_text(_object(body), "name")).name}
            case "POST", "custom-buses":
                return {"arn": self._state.custom_buses.add(_text(_object(body), "name")).arn}
            case "POST", "queues":
                asked = _object(body)
                queue = self._state.queues.add(_text(asked, "name"))
                return {"name": queue.name, "url": self._state.queues.url(queue), "arn": queue.arn}
            case "POST", "schemas":
                return self._add_schema(_object(body))
        raise ControlError(f"no {method} at {path}", 404)

    def _add_schema(self, asked: dict[str, Any]) -> dict[str, str]:
        """`{registry, name, content, type?}`; the content as text or as JSON."""
        content = asked.get("content")
        if content is None:
            raise ControlError("schemas want content")
        try:
            schema = self._state.schemas.add(
                _text(asked, "registry"),
                _text(asked, "name"),
                _as_text(content),
                asked.get("type", "JSONSchemaDraft4"),
            )
        except ValueError as error:
            raise ControlError(str(error)) from error
        return {"registry": schema.registry, "name": schema.name, "version": schema.version}

    def _requests(self, request: web.BaseRequest) -> dict[str, Any]:
        since = _number(request, "since")
        ledger = self._state.ledger
        return {
            "inFlightPeak": ledger.in_flight_peak,
            "next": len(ledger.requests),
            "requests": [record.as_json() for record in ledger.requests[since:]],
        }

    async def _events(self, request: web.BaseRequest) -> web.StreamResponse:
        """All accepted events from number `since` on, at most `limit` of them; `next` is the since of later.

        They are written in pieces, so that half a million of them do not hold up PutEvents meanwhile.
        """
        since, events = _number(request, "since"), self._state.ledger.events
        limit = _number(request, "limit", len(events))
        end = min(len(events), since + limit)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(b'{"next":%d,"total":%d,"events":[' % (max(end, since), len(events)))
        for start in range(since, end, EVENTS_AT_ONCE):
            piece = [event.as_json() for event in events[start : min(start + EVENTS_AT_ONCE, end)]]
            await response.write((b"," if start > since else b"") + orjson.dumps(piece)[1:-1])
        await response.write(b"]}")
        await response.write_eof()
        return response


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(value), content_type="application/json")


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ControlError(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ControlError("the body must be an object")
    return value


def _text(asked: dict[str, Any], name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str) or not value:
        raise ControlError(f"{name} must be text")
    return value


def _as_text(content: object) -> str:
    return content if isinstance(content, str) else orjson.dumps(content).decode()


def _number(request: web.BaseRequest, name: str, default: int = 0) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    if not text.isdigit():
        raise ControlError(f"{name} must be a number, 0 or above")
    return int(text)
