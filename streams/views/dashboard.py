"""This module serves the pages: one app of modules and styles, which asks the JSON views. It needs no build step."""

from __future__ import annotations

from pathlib import Path

from faust.web import Request, Response, View

from streams.app import app
from streams.views.common.answers import refused

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


@app.page("/")
class Dashboard(View):
    """The page; which one the address says, and the browser reads it."""

    async def get(self, request: Request) -> Response:
        return self.html(FILES["index.html"].read_text("utf-8"))


@app.page("/assets/{name:.+}")
class Asset(View):
    """What the page is made of."""

    async def get(self, request: Request, name: str) -> Response:
        path = FILES.get(name)
        if path is None:
            return refused(self, "not found", "the pages have no such part", 404)
        return self.bytes(path.read_bytes(), content_type=TYPES[path.suffix])
