"""This module keeps channel ids out of the log lines that httpx writes by itself."""

from __future__ import annotations

import logging

from clients.genesys.rest.errors import without_channel


class ChannelRedaction(logging.Filter):
    """Blots out channel ids: httpx logs each request with its URL, and a channel's URL is a secret."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        clean = without_channel(text)
        if clean != text:
            record.msg, record.args = clean, ()
        return True


def redact_http_logs() -> None:
    """Install the redaction on httpx's logger, once for the process."""
    logger = logging.getLogger("httpx")
    if not any(isinstance(present, ChannelRedaction) for present in logger.filters):
        logger.addFilter(ChannelRedaction())
