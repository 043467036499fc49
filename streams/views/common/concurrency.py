"""This module bounds how many requests of a kind are worked on at once; who comes then is sent away to ask again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from streams.views.common.answers import RefusedError


class ConcurrencyLimit:
    """Lets `most` in at once; who comes then is refused in `words`."""

    def __init__(self, most: int, words: str) -> None:
        self._most, self._words, self._inside = most, words, 0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Be one of them."""
        if self._inside >= self._most:
            raise RefusedError("busy", self._words, 503)
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1


#: Lookups in topics: each reads from Kafka as fast as it gives.
lookups = ConcurrencyLimit(3, "others look for events on this worker just now; ask again in a moment")
