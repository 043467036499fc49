"""This module names runs: replays, redrives, backfills."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime


def run_name(what: str) -> str:
    """A name for this run: what, when, and something no other run has."""
    return f"{what}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"
