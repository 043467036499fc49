"""This module describes the web API as OpenAPI 3.1, made of the views themselves: paths, methods, and what they say."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

from faust.web import Request, Response, View

from streams.app import app
from streams.views.common.schemas import CONTENT, SCHEMAS
from streams.web.middleware import PROBES
from streams.worker.announcement import VERSION

Json = dict[str, Any]

METHODS = ("get", "post")

#: What a description says of the query: `?range=`, or several names in brackets after it.
_QUERY = re.compile(r"`\?(\w+)=[^`]*`")

#: Statuses that a description names.
_STATUS = re.compile(r"\b(20[0-9]|40[0-9]|41[0-9]|42[0-9]|50[0-9])\b")

_ERROR = {"$ref": "#/components/schemas/Error"}

#: What any view may answer.
_COMMON = {
    "400": "Asked for wrongly; the message says how to ask.",
    "401": "A token is asked for.",
    "421": "Asked by a name that is not this worker's.",
}


def api_document(views: Mapping[str, type[View]]) -> Json:
    """The document, of views by path; pages and their assets are none of the API."""
    paths = {path: _path(path, view) for path, view in sorted(views.items()) if _is_api(path)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "genesys-eventbridge",
            "version": VERSION,
            "description": "Every worker answers for its whole group. Times are ISO 8601 in UTC.",
        },
        "security": [{"bearer": []}, {"basic": []}, {}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic", "description": "Any name, the token as password."},
            },
            "schemas": {
                **SCHEMAS,
                "Error": {
                    "type": "object",
                    "required": ["error", "message"],
                    "properties": {"error": {"type": "string"}, "message": {"type": "string"}},
                },
            },
        },
    }


def _is_api(path: str) -> bool:
    return path.startswith(("/api/", "/health/", "/simulate", "/metrics"))


def _path(path: str, view: type[View]) -> Json:
    return {name: _operation(path, view, method) for name, method in _methods(view)}


def _methods(view: type[View]) -> Iterator[tuple[str, Any]]:
    for name in METHODS:
        method = getattr(view, name)
        if method is not getattr(View, name):
            yield name, method


def _operation(path: str, view: type[View], method: Any) -> Json:
    summary, words = inspect.getdoc(view) or "", inspect.getdoc(method) or ""
    responses: Json = {"200": {"description": words.partition("\n")[0] or summary}}
    if method.__name__ == "get" and path in CONTENT:
        responses["200"]["content"] = CONTENT[path]
    statuses = {**_COMMON, **{status: "See the description." for status in _STATUS.findall(words) if status != "200"}}
    if path.rstrip("/") in PROBES:
        statuses = {"503": "See the description."}
    for status, text in sorted(statuses.items()):
        is_error = status >= "400" and path.rstrip("/") not in PROBES
        content = {"content": {"application/json": {"schema": _ERROR}}} if is_error else {}
        responses[status] = {"description": text, **content}
    operation: Json = {
        "summary": summary.partition("\n")[0],
        "description": "\n\n".join(filter(None, [summary.partition("\n\n")[2], words])),
        "parameters": [*_in_path(path), *_in_query(words)],
        "responses": responses,
    }
    return operation if path.rstrip("/") not in PROBES else {**operation, "security": [{}]}


def _in_path(path: str) -> list[Json]:
    names = re.findall(r"{(\w+)}", path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _in_query(words: str) -> list[Json]:
    names = dict.fromkeys(_QUERY.findall(words))
    return [{"name": name, "in": "query", "schema": {"type": "string"}} for name in names]


@app.page("/api/openapi.json")
class OpenAPI(View):
    """This description."""

    async def get(self, request: Request) -> Response:
        """OpenAPI 3.1."""
        return self.json(api_document({path: type(view) for path, view in app.web.views.items()}))
