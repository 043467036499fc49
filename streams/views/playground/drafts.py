"""This module makes of what is asked the draft of a route: what is not given is as in the route that is named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from processors.event.strict_json import JsonObject
from processors.routes.draft import Draft
from processors.routes.route import RouteTexts
from processors.routes.simulation import Question
from streams.app import app
from streams.routes.folder import schema_text

#: A draft that takes any event, passes it on and allows it.
OPEN = Draft(filter="true", mapping="$", schema="{}")


def draft_for(asked: Question) -> Draft:
    """The draft that is asked about. A route of that name need not be in use."""
    texts = texts_of(asked.route)
    known = OPEN if texts is None else _as_is(texts)
    given: dict[str, Any] = {"filter": asked.filter, "mapping": asked.mapping, "schema": asked.schema}
    return replace(known, **{part: text for part, text in given.items() if text is not None})


def faults(tried: JsonObject) -> str:
    """What is wrong with a draft that was tried, in one line."""
    return "; ".join(f"{one['part']}: {one['message']}" for one in tried["errors"])


def texts_of(route: str | None) -> RouteTexts | None:
    """The texts of a route that is in use; None when there is none of that name."""
    found = app.routes.get(route)
    return None if found is None else found.texts


def _as_is(texts: RouteTexts) -> Draft:
    schema = schema_text(app.settings.routes_dir, texts)
    return Draft(texts.filter, texts.mapping, schema, texts.source, texts.detail_type, texts.documents)
