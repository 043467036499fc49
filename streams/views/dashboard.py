"""This module serves the pages: one app of modules and styles, which asks the JSON views. It needs no build step.

A browser keeps what the page is made of and asks each time whether it is still so: after an upgrade no page is made of
parts of two versions.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from faust.web import Request, Response, View

from streams.app import app
from streams.views.common.answers import RefusedError

ASSETS = Path(__file__).parent / "assets"

TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}

#: What there is to ask for: no other file is ever read.
FILES = {path.relative_to(ASSETS).as_posix(): path for path in ASSETS.rglob("*") if path.suffix in TYPES}


@dataclass(frozen=True, slots=True)
class PagePart:
    """A file, as it is and compressed; `tag` names its content."""

    plain: bytes
    packed: bytes
    tag: str


@cache
def part(path: Path) -> PagePart:
    """A file of the pages; read once, as the package does not change under a worker."""
    content = path.read_bytes()
    return PagePart(content, gzip.compress(content, mtime=0), f'"{hashlib.sha256(content).hexdigest()[:20]}"')


def file_answer(view: View, request: Request, path: Path) -> Response:
    """The file; 304 when who asks has it already."""
    found, asked = part(path), request.headers
    headers = {"Cache-Control": "no-cache", "ETag": found.tag, "Vary": "Accept-Encoding"}
    if found.tag in (one.strip().removeprefix("W/") for one in asked.get("If-None-Match", "").split(",")):
        return view.bytes(b"", content_type=TYPES[path.suffix], status=304, headers=headers)
    if "gzip" in asked.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
    body = found.packed if "Content-Encoding" in headers else found.plain
    return view.bytes(body, content_type=TYPES[path.suffix], headers=headers)


@app.page("/")
class Dashboard(View):
    """The page; which one the address says, and the browser reads it."""

    async def get(self, request: Request) -> Response:
        return file_answer(self, request, FILES["index.html"])


@app.page("/assets/{name:.+}")
class Asset(View):
    """What the page is made of."""

    async def get(self, request: Request, name: str) -> Response:
        path = FILES.get(name)
        if path is None:
            raise RefusedError("not found", "the pages have no such part", 404)
        return file_answer(self, request, path)
