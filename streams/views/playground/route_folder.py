"""This module gives the folder of a route as it would be: as a zip, with the event that was tried as a new example."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
from faust.web import Request, Response, View

from processors.event.errors import MalformedEventError
from processors.event.strict_json import parse_object
from processors.routes.archive import NAME, expected, file_json, packed, toml
from processors.routes.draft import Draft
from processors.routes.examples import meets
from processors.routes.simulation import question
from streams.app import app
from streams.routes.folder import FILES
from streams.routes.sandbox.child_process import SandboxError
from streams.routes.sandbox.draft_runner import TooManyDraftsError
from streams.views.common.answers import RefusedError, now_ms, refusing
from streams.views.playground.drafts import draft_for, faults, texts_of

#: The header that names examples which do not hold, and most examples that are tried for it.
FAILING, MAX_EXAMPLES = "X-Failing-Examples", 100

#: Most bytes of one file of a folder that go with it.
MAX_FILE = 4 * 1024 * 1024


@app.page("/api/route-folder/")
class RouteFolder(View):
    """POST `{event, filter, mapping, schema, route, name, example}`; answers a zip and writes nothing."""

    async def post(self, request: Request) -> Response:
        """`name`: of the folder, by default the route's; `example`: of the new example, none without it.

        The example expects what came of the event; 422 when the texts do not compile. The header
        `X-Failing-Examples` names those of the route that expect something else than the texts make.
        """
        with (
            refusing("bad request", 400, MalformedEventError, ValueError),
            refusing("unavailable", 503, TooManyDraftsError, SandboxError),
        ):
            body = parse_object(await request.read())
            name, example = (body.pop(one, None) for one in ("name", "example"))
            asked = question(body)
            if asked is None:
                raise ValueError("give event, and any of filter, mapping, schema, route, name, example")
            name = _named(name or asked.route or "route")
            draft = draft_for(asked)
            found = await app.sandboxes.drafts.attempt(draft, asked.event, now_ms())
            if found["outcome"] == "invalid":
                raise RefusedError("does not compile", faults(found), 422)
            files, failing = _files(asked.route, draft), await _failing(asked.route, draft)
            if example:
                event = parse_object(asked.event.encode())
                files[f"examples/{_named(example)}.json"] = file_json({"event": event, "expect": expected(found)})
        headers = {"Content-Disposition": f'attachment; filename="{name}.zip"'}
        if failing:
            headers[FAILING] = ",".join(map(quote, failing))
        return self.bytes(packed(name, files), content_type="application/zip", headers=headers)


async def _failing(route: str | None, draft: Draft) -> list[str]:
    """The route's examples that the draft makes something else of than they expect: no worker takes them together."""
    texts, found = texts_of(route), []
    for example in texts.examples[:MAX_EXAMPLES] if texts is not None else ():
        event = orjson.dumps(example.event).decode()
        came = await app.sandboxes.drafts.attempt(draft, event, now_ms())
        if not meets(example.expect, expected(came)):
            found.append(example.name)
    return found


def _named(name: Any) -> str:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError("a name is of letters, digits, `.`, `_` and `-`, and begins with a letter or digit")
    return name


def _files(route: str | None, draft: Draft) -> dict[str, bytes]:
    """The files of the folder as they are, with the draft's texts in their places."""
    texts = texts_of(route)
    files: dict[str, bytes] = {}
    schema = "schema.json"
    if texts is not None:
        files = _kept(app.settings.routes_dir / texts.name)
        schema = texts.schema_origin if texts.schema_origin.endswith(".json") else schema
    files.setdefault("route.toml", toml("Written in the playground", draft.source, draft.detail_type).encode())
    drafted = {"filter.jsonata": draft.filter, "mapping.jsonata": draft.mapping, schema: draft.schema}
    return files | {path: text.encode() for path, text in drafted.items()}


def _kept(folder: Path) -> dict[str, bytes]:
    """What of a route's folder belongs to the route."""
    if not folder.is_dir():
        return {}
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.stat().st_size <= MAX_FILE)
    names = {path: path.relative_to(folder) for path in found}
    return {
        name.as_posix(): path.read_bytes()
        for path, name in names.items()
        if name.parts[0] in FILES or path.suffix in (".json", ".md", ".txt")
    }
