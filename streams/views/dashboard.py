"""This module serves the dashboard: one page, its style and its script, which asks the JSON views."""

from __future__ import annotations

from pathlib import Path

from faust.web import Request, Response, View

from streams.app import app

ASSETS = Path(__file__).parent / "assets"


@app.page("/")
class Dashboard(View):
    """The page."""

    async def get(self, request: Request) -> Response:
        return self.html((ASSETS / "dashboard.html").read_text("utf-8"))


@app.page("/assets/dashboard.css")
class Style(View):
    """Its style."""

    async def get(self, request: Request) -> Response:
        return self.text((ASSETS / "dashboard.css").read_text("utf-8"), content_type="text/css")


@app.page("/assets/dashboard.js")
class Script(View):
    """Its script."""

    async def get(self, request: Request) -> Response:
        return self.text((ASSETS / "dashboard.js").read_text("utf-8"), content_type="text/javascript")
