"""This module packs a route's folder, with what was written in the page and the event as a new example."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from typing import Any

import orjson

from processors.event.strict_json import JsonObject

#: A name that a route's folder, or an example, can have.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)

#: The moment that all files of an archive tell, so that the same folder is the same bytes.
_MOMENT = (1980, 1, 1, 0, 0, 0)


def toml(description: str, source: str | None, detail_type: str | None) -> str:
    """The route.toml of a new route."""
    given = {"description": description, "source": source, "detail-type": detail_type}
    lines = [f"{name} = {_quoted(value)}" for name, value in given.items() if value]
    return "\n".join([*lines, "", "[schema]", 'file = "schema.json"', ""])


def expected(found: JsonObject) -> Any:
    """What an example expects, of what was tried (processors/routes/draft.py)."""
    if found["outcome"] == "filtered":
        return "filtered"
    if found["outcome"] == "failed":
        paths = [one["path"] for one in found["details"]]
        return {"error": found["error"], **({"details": paths} if paths else {})}
    return found["transformedEvent"]


def packed(route: str, files: Mapping[str, bytes]) -> bytes:
    """A zip of the folder `route` with these files, by their paths in it."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(f"{route}/{path}", _MOMENT), content, zipfile.ZIP_DEFLATED)
    return written.getvalue()


def file_json(value: Any) -> bytes:
    """JSON as people keep it in files."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _quoted(text: str) -> str:
    """A TOML string; TOML reads JSON's escapes."""
    return orjson.dumps(text).decode().replace("\x7f", "\\u007f")
