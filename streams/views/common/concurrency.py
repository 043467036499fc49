"""This module bounds how many requests of a kind are worked on at once; who comes then is sent away to ask again."""

from __future__ import annotations

from types import TracebackType

from faust.web import Response, View

from streams.views.common.answers import refused


class BusyError(Exception):
    """Others are at it."""


class ConcurrencyLimit:
    """Lets `most` in at once, as a context."""

    def __init__(self, most: int) -> None:
        self._most, self._inside = most, 0

    def __enter__(self) -> None:
        if self._inside >= self._most:
            raise BusyError
        self._inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._inside -= 1


#: Lookups in topics: each reads from Kafka as fast as it gives.
lookups = ConcurrencyLimit(3)


def busy(view: View) -> Response:
    """The answer to who is sent away."""
    return refused(view, "busy", "others look for events on this worker just now; ask again in a moment", 503)
