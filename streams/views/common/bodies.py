"""This module says whether bodies of events may be shown, and masks them: they are people's data."""

from __future__ import annotations

from typing import Any

from processors.event.redaction import redactor
from streams.app import app
from streams.views.common.answers import RefusedError
from streams.web.allowed_hosts import is_loopback

WORDS = "bodies of events are shown to who has a token: set WEB_TOKENS, or have the web listen on loopback alone"


def are_shown() -> bool:
    """Whether bodies may be shown, as they are not open to anybody on a network.

    Who has got here had a token, where one is set (streams/web/middleware.py).
    """
    return bool(app.settings.tokens) or is_loopback(app.settings.web_host)


def require_shown() -> None:
    """Refuse where bodies may not be shown."""
    if not are_shown():
        raise RefusedError("forbidden", WORDS, 403)


def masked(event: Any) -> Any:
    """An event with what REDACT_FIELDS names masked, also where it was taken in before that was set."""
    redact = redactor(app.settings.redact_fields)
    return redact(event) if redact is not None and isinstance(event, dict) else event
