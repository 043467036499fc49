"""This module is the remote control under `/_emulator/`; nothing of it exists in Genesys Cloud."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from emulators.faults import FaultError, from_json
from emulators.genesys.access.errors import ApiError
from emulators.genesys.faults import Faults
from emulators.genesys.organisation import Organisation


class Control:
    """Each request is one method of the organisation; bodies and answers are JSON."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/_emulator/", self.summary),
            web.get("/_emulator/summary", self.summary),
            web.get("/_emulator/ledger", self.ledger),
            web.get("/_emulator/faults", self.faults),
            web.put("/_emulator/faults", self.put_faults),
            web.delete("/_emulator/faults", self.delete_faults),
            web.post("/_emulator/cut", self.cut),
            web.post("/_emulator/revoke-tokens", self.revoke_tokens),
            web.post("/_emulator/forget", self.forget),
            web.post("/_emulator/notice", self.notice),
            web.post("/_emulator/emit", self.emit),
            web.put("/_emulator/rate", self.rate),
            web.get("/_emulator/channels", self.channels),
            web.get("/_emulator/conversations", self.conversations),
            web.post("/_emulator/queues", self.add_queue),
            web.put("/_emulator/permissions", self.permissions),
            web.post("/_emulator/more", self.more),
            web.post("/_emulator/finish", self.finish),
        ]

    async def summary(self, request: web.Request) -> web.Response:
        return web.json_response(self._organisation.summary(), dumps=_dumps)

    async def ledger(self, request: web.Request) -> web.Response:
        return web.json_response(self._organisation.ledger.as_json(), dumps=_dumps)

    async def faults(self, request: web.Request) -> web.Response:
        return web.json_response(self._organisation.faults.model_dump(mode="json"))

    async def put_faults(self, request: web.Request) -> web.Response:
        """The body names the faults in force from now on; those not named are off."""
        try:
            self._organisation.faults = from_json(await request.read(), Faults)
        except FaultError as error:
            raise ApiError(400, str(error)) from error
        return await self.faults(request)

    async def delete_faults(self, request: web.Request) -> web.Response:
        self._organisation.faults = Faults()
        return web.Response(status=204)

    async def cut(self, request: web.Request) -> web.Response:
        return web.json_response({"cut": self._organisation.cut()})

    async def revoke_tokens(self, request: web.Request) -> web.Response:
        return web.json_response({"revoked": self._organisation.tokens.revoke_all()})

    async def forget(self, request: web.Request) -> web.Response:
        """Drop the topics of every channel, and tell nobody."""
        return web.json_response({"channels": self._organisation.notifications.forget()})

    async def notice(self, request: web.Request) -> web.Response:
        """`{notice: "no_longer_subscribed" | "token_revoked" | …}` to every channel, and it is so."""
        kind = (await _object(request)).get("notice")
        if not isinstance(kind, str) or not kind:
            raise ApiError(400, "notice must be a text")
        return web.json_response({"receivers": self._organisation.notifications.notify(kind)})

    async def emit(self, request: web.Request) -> web.Response:
        """Into the stream: `{event: {}}`, `{line: text}`; to sockets: `{frame: text}`,
        `{topicName: …, eventBody: {}}`."""
        body = await _object(request)
        return web.json_response({"receivers": _emit(self._organisation, body)})

    async def rate(self, request: web.Request) -> web.Response:
        """`{rate: events per second, 0 = as fast as they are read}`."""
        rate = (await _object(request)).get("rate")
        if not isinstance(rate, int | float) or isinstance(rate, bool) or rate < 0:
            raise ApiError(400, "rate must be a number, 0 or above")
        self._organisation.rate = float(rate)
        return web.json_response({"rate": self._organisation.rate})

    async def channels(self, request: web.Request) -> web.Response:
        return web.json_response({"entities": self._organisation.notifications.channels_as_json()})

    async def conversations(self, request: web.Request) -> web.Response:
        return web.json_response(self._organisation.notifications.conversations_as_json(), dumps=_dumps)

    async def add_queue(self, request: web.Request) -> web.Response:
        """`{name: text}`."""
        name = (await _object(request)).get("name")
        if not isinstance(name, str) or not name:
            raise ApiError(400, "name must be a text")
        return web.json_response(self._organisation.notifications.add_queue(name).as_json())

    async def permissions(self, request: web.Request) -> web.Response:
        """`{permissions: [names]}`: those that the client's roles give from now on."""
        names = (await _object(request)).get("permissions")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ApiError(400, "permissions must be a list of names")
        self._organisation.permissions.granted = frozenset(names)
        return web.json_response({"permissions": sorted(names)})

    async def more(self, request: web.Request) -> web.Response:
        """`{count: n}`: so many events beyond those asked for."""
        count = (await _object(request)).get("count")
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise ApiError(400, "count must be a whole number, 1 or above")
        self._organisation.more(count)
        return web.json_response(self._organisation.summary(), dumps=_dumps)

    async def finish(self, request: web.Request) -> web.Response:
        self._organisation.finish()
        return web.json_response(self._organisation.summary(), dumps=_dumps)


def _emit(organisation: Organisation, body: dict[str, Any]) -> int:
    match body:
        case {"event": dict(event)}:
            return organisation.streaming.emit_event(event)
        case {"line": str(line)}:
            return organisation.streaming.emit_line(line.encode())
        case {"frame": str(frame)}:
            return organisation.notifications.emit_frame(frame)
        case {"topicName": str(topic), "eventBody": dict(event_body)}:
            return organisation.notifications.emit_notification(topic, event_body)
    raise ApiError(400, "emit wants event, line, frame, or topicName with eventBody")


async def _object(request: web.Request) -> dict[str, Any]:
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError as error:
        raise ApiError(400, f"not JSON: {error}") from error
    if not isinstance(body, dict):
        raise ApiError(400, "the body must be an object")
    return body


def _dumps(value: object) -> str:
    return orjson.dumps(value).decode()
