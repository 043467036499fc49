"""This module makes the identifiers that AWS gives out: events, requests, messages, receipts."""

from __future__ import annotations

import random

_source = random.Random(random.SystemRandom().randbytes(16))


def new_identifier() -> str:
    """A random UUID (version 4) as text, at a fraction of the cost of `uuid.uuid4`."""
    digits = f"{_source.getrandbits(128) & ~(0xF << 76 | 0x3 << 62) | 4 << 76 | 2 << 62:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
