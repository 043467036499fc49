"""This module is what a check finds: ok or failed, and how to fix it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of one check. `fix` says what to do; `unreachable`: nobody answered, which may pass by itself.

    `missing`: what was looked for is certainly not there.
    """

    name: str
    ok: bool
    detail: str
    fix: str = ""
    unreachable: bool = False
    missing: bool = False

    def __str__(self) -> str:
        return f"{self.name}: {self.detail}" + (f" ({self.fix})" if self.fix else "")
