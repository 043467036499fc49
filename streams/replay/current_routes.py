"""This module is the routes that others are compared with, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

from processors.event.strict_json import JsonObject
from processors.routes.route import Route


@dataclass(frozen=True, slots=True)
class CurrentRoutes:
    """Those of a worker of some version, or of a folder."""

    routes: tuple[Route, ...]
    worker: str = ""
    version: str = ""
    folder: str = ""

    @property
    def digest(self) -> str:
        """The same for the same routes."""
        texts = sorted((one.name, one.texts.fingerprint, repr(one.texts.schema)) for one in self.routes)
        return blake2b(repr(texts).encode(), digest_size=6).hexdigest()

    def __str__(self) -> str:
        whose = f"what {self.worker} runs (version {self.version}" if self.worker else f"{self.folder} ("
        return f"{whose}{', ' if self.worker else ''}{len(self.routes)} routes, {self.digest})"

    def as_json(self) -> JsonObject:
        whose = {"worker": self.worker, "version": self.version} if self.worker else {"folder": self.folder}
        return {**whose, "routes": sorted(one.name for one in self.routes), "digest": self.digest}
