"""This module is what answers in a service's place: a proxy's page, and other bytes that no service sends."""

from __future__ import annotations

from typing import Literal, get_args

from aiohttp import web

Page = Literal[
    "html", "latin-1", "truncated", "list", "shapes", "gzip", "redirect", "empty", "fewer", "xml", "other", "parts"
]  # fmt: skip

PAGES: tuple[Page, ...] = get_args(Page)

_HTML = "<html><head><title>Blocked</title></head><body><h1>Your request was r\u00e9fus\u00e9e</h1></body></html>"
_BODIES: dict[Page, bytes] = {
    "html": _HTML.encode(),
    "latin-1": _HTML.encode("latin-1"),
    "truncated": b'{"Entries": [{"EventId": "11111111-',
    "list": b'["not", "an", "object"]',
    "shapes": b'{"__type": 5, "message": ["x"], "Entries": 7, "Attributes": 3, "Successful": "x", "Failed": {"a": 1}}',
    "gzip": b"\x1f\x8bthis is no gzip",
    "redirect": b"",
    "empty": b"",
    "fewer": b'{"FailedEntryCount": 0, "Entries": [{"EventId": "x"}], "Successful": []}',
    "xml": b"<ErrorResponse><Error><Code>AccessDenied",
    "other": b'{"status": "ok", "version": "1.4"}',
    "parts": b'{"Entries": [{}, {}], "Successful": [{"MessageId": "x"}], "Failed": [{"Code": "X"}], "Messages": [{}],'
    b' "SchemaVersion": ["1"], "Arn": 5, "Attributes": {}}',
}
_TYPES: dict[Page, str] = {
    "html": "text/html; charset=utf-8",
    "latin-1": "text/html",
    "xml": "text/xml",
    "redirect": "text/html",
}


def page(kind: Page, status: int) -> web.Response:
    """The answer; one that is cut off says that it is longer, and its connection is closed."""
    body = _BODIES[kind]
    headers = {
        "Content-Type": _TYPES.get(kind, "application/x-amz-json-1.1"),
        "Server": "squid/6.6",
        "Via": "1.1 proxy.example (squid/6.6)",
    }
    if kind == "gzip":
        headers["Content-Encoding"] = "gzip"
    if kind == "redirect":
        headers["Location"] = "http://127.0.0.1:9/login"
        status = 302
    response = web.Response(status=status, body=body, headers=headers)
    if kind == "truncated":
        response.content_length = len(body) + 1_000
        response.force_close()
    return response
