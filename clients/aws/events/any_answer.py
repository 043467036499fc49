"""This module reads an HTTP/1 answer of any form, by h11: chunked, of HTTP/1.0, or for as long as it is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import h11

#: Bytes that the body of an answer may have: an entry's result takes about a hundred.
MAX_BODY = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NoHttpError(Exception):
    """What came is no answer of HTTP/1."""


class AnyAnswer:
    """One answer, as its pieces come."""

    def __init__(self) -> None:
        self._peer = h11.Connection(h11.CLIENT)
        self._peer.send(h11.Request(method="POST", target="/", headers=[("host", "-"), ("content-length", "0")]))
        self._peer.send(h11.EndOfMessage())
        self._status, self._headers, self._body = 0, dict[str, str](), b""

    @property
    def may_stay(self) -> bool:
        """Whether the connection can carry another request after this answer."""
        return self._peer.their_state is h11.DONE and not self._peer.trailing_data[0]

    def feed(self, data: bytes) -> Answer | None:
        """The answer, when it is whole; no data means that the connection is closed. Raises NoHttpError."""
        try:
            self._peer.receive_data(data)
            return self._read()
        except h11.RemoteProtocolError as error:
            raise NoHttpError(str(error)) from None

    def _read(self) -> Answer | None:
        while True:
            event = self._peer.next_event()
            if isinstance(event, h11.Response):
                self._status = event.status_code
                self._headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers}
            elif isinstance(event, h11.Data):
                self._body += event.data
                if len(self._body) > MAX_BODY:
                    raise NoHttpError("the answer does not end")
            elif isinstance(event, h11.EndOfMessage):
                return Answer(self._status, self._headers, self._body)
            elif not isinstance(event, h11.InformationalResponse):
                return None  # the rest is to come, or the connection is closed
