"""This module sets up logging: structlog over the standard library, to stderr, as JSON or for a terminal."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from settings import Settings

#: Libraries that say at INFO what nobody reads, and their least level here.
QUIET = {
    "aiokafka": logging.WARNING,
    "aiokafka.cluster": logging.CRITICAL,  # it calls each topic that is about to be made an error
    "aiobotocore": logging.WARNING,
    "botocore": logging.WARNING,
    "boto3": logging.WARNING,
    "faust": logging.WARNING,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "mode": logging.WARNING,
    "websockets": logging.WARNING,
}

#: Libraries that write at DEBUG what they send: SASL passwords, session tokens, signed headers, channel URIs
#: and whole events. They begin at INFO whatever LOG_LEVEL says.
TELLING = ("aiobotocore", "aiokafka.conn", "aiokafka.producer", "boto3", "botocore", "httpcore", "websockets")


def set_up_logging(settings: Settings) -> None:
    """Route all logging through structlog. DEBUG shows the libraries as well, but not what they send."""
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if as_json
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                exception_formatter=structlog.dev.plain_traceback,  # the one by rich shows local variables
            )
        ]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.PositionalArgumentsFormatter()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    if root.level > logging.DEBUG:
        for name, level in QUIET.items():
            logging.getLogger(name).setLevel(max(level, root.level))
    for name in TELLING:
        logging.getLogger(name).setLevel(max(logging.INFO, logging.getLogger(name).level, root.level))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
