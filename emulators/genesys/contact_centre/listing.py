"""This module answers for the directory: queues and users, one or in pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil

from aiohttp import web

from emulators.genesys.access.errors import ApiError
from emulators.genesys.access.permissions import QUEUE_VIEW, USER_VIEW, Permissions
from emulators.genesys.contact_centre.directory import Directory

Json = dict[str, object]
DEFAULT_PAGE, LARGEST_PAGE = 25, 500


class Listing:
    """The routing and users APIs, as far as a pipeline needs them."""

    def __init__(self, directory: Directory, permissions: Permissions) -> None:
        self._directory = directory
        self._permissions = permissions

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/v2/routing/queues", self.queues),
            web.get("/api/v2/routing/queues/{id}", self.queue),
            web.get("/api/v2/users", self.users),
        ]

    async def queues(self, request: web.Request) -> web.Response:
        self._permissions.require(QUEUE_VIEW)
        queues = [one.as_json() for one in sorted(self._directory.queues.values(), key=lambda one: one.name)]
        return web.json_response(page(queues, request.query, request.path))

    async def queue(self, request: web.Request) -> web.Response:
        self._permissions.require(QUEUE_VIEW)
        ident = request.match_info["id"]
        if ident not in self._directory.queues:
            raise ApiError(404, "The queue {id} was not found.", params={"id": ident})
        return web.json_response(self._directory.queues[ident].as_json())

    async def users(self, request: web.Request) -> web.Response:
        self._permissions.require(USER_VIEW)
        users = [user.as_json() for user in self._directory.users.values()]
        return web.json_response(page(users, request.query, request.path))


def page(entities: Sequence[Json], query: Mapping[str, str], path: str) -> Json:
    """The asked-for page with the envelope of the SDK's entity listings; raises `ApiError` 400."""
    size = _number(query, "pageSize", DEFAULT_PAGE, LARGEST_PAGE)
    number = _number(query, "pageNumber", 1, None)
    count = ceil(len(entities) / size)
    body: Json = {
        "entities": list(entities[(number - 1) * size : number * size]),
        "pageSize": size,
        "pageNumber": number,
        "total": len(entities),
        "pageCount": count,
        "firstUri": f"{path}?pageSize={size}&pageNumber=1",
        "lastUri": f"{path}?pageSize={size}&pageNumber={max(1, count)}",
        "selfUri": f"{path}?pageSize={size}&pageNumber={number}",
    }
    return body | {"nextUri": f"{path}?pageSize={size}&pageNumber={number + 1}"} if number < count else body


def _number(query: Mapping[str, str], name: str, default: int, largest: int | None) -> int:
    text = query.get(name, str(default))
    if not text.isascii() or not text.isdigit() or int(text) < 1 or (largest is not None and int(text) > largest):
        raise ApiError(
            400,
            "The value {value} of {name} is not valid.",
            code="invalid.value",
            params={"name": name, "value": text},
        )
    return int(text)
