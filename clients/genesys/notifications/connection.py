"""This module reads one notification socket from its opening to its end, and watches that it is alive.

Genesys sends a heartbeat about every 30 s, and answers `{"message": "ping"}`; more than 35 s of silence mean
a dead connection (Genesys' JavaScript client, server-monitor.ts).
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from clients.genesys.rest.errors import without_channel
from processors.event.lines import PREFIX_BYTES, Line, OversizedLine

#: Larger frames end the connection (1009) before they fill the memory; those between this and the limit of
#: the pipeline are reported and the socket stays up.
MAX_FRAME_BYTES = 16 * 1024 * 1024

#: Frames that wait inside the connection before reading pauses; TCP holds the rest back.
FRAMES_AHEAD = 16

OPEN_TIMEOUT = 10.0
CLOSE_TIMEOUT = 2.0
PING = '{"message":"ping"}'

#: The library logs the request line, which holds the channel's id, at DEBUG.
_QUIET = logging.getLogger(f"{__name__}.websockets")
_QUIET.setLevel(logging.WARNING)

EndKind = Literal["cut", "silent", "gone", "refused"]


@dataclass(frozen=True, slots=True)
class SocketEnd:
    """How a socket ended: `gone` = the channel is no more; `refused` = it did not open; else it was lost."""

    kind: EndKind
    reason: str


class Pings:
    """The pings of one socket. An answer comes behind all that Genesys had sent when it read the ping."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._sent: deque[float | None] = deque()

    async def send(self, at_s: float | None = None) -> None:
        """Send one, `at_s` being what `answered` is to give for it. That the socket has ended, its reading tells."""
        self._sent.append(at_s)
        with suppress(ConnectionClosed):
            await self._connection.send(PING)

    def answered(self) -> float | None:
        """An answer has come: what was given for the oldest ping that had none."""
        return self._sent.popleft() if self._sent else None

    @property
    def under_way(self) -> bool:
        """Whether an answer is to come."""
        return bool(self._sent)


async def read_socket(
    uri: SecretStr,
    *,
    silence: float,
    max_bytes: int,
    opened: Callable[[Pings], None],
    received: Callable[[Line], Awaitable[bool]],
) -> SocketEnd:
    """Dial, hand every frame to `received`, and tell how it ended. `silence` in seconds.

    `received` answers False to end the reading: the channel is gone. Raises nothing of the network's.
    """
    try:
        connection = await connect(
            uri.get_secret_value(),
            ping_interval=None,  # the protocol's ping would cut us off while Kafka is slow
            open_timeout=OPEN_TIMEOUT,
            close_timeout=CLOSE_TIMEOUT,
            max_size=MAX_FRAME_BYTES,
            max_queue=FRAMES_AHEAD,
            logger=_QUIET,
        )
    except InvalidStatus as error:
        status = error.response.status_code
        return SocketEnd("gone" if status in (400, 401, 403, 404, 410) else "refused", f"answers {status}")
    except (OSError, TimeoutError, InvalidHandshake, ConnectionClosed, InvalidURI, EOFError) as error:
        return SocketEnd("refused", without_channel(str(error)) or type(error).__name__)
    try:
        pings = Pings(connection)
        opened(pings)
        return await _read(connection, pings, silence, max_bytes, received)
    except ConnectionClosed as error:
        code = error.rcvd.code if error.rcvd is not None else "no close frame"
        return SocketEnd("cut", f"closed ({code})")
    except TimeoutError:
        return SocketEnd("silent", f"no frame for {silence:g} s")
    finally:
        await connection.close()


async def _read(
    connection: ClientConnection,
    pings: Pings,
    silence: float,
    max_bytes: int,
    received: Callable[[Line], Awaitable[bool]],
) -> SocketEnd:
    """Raises TimeoutError after silence and ConnectionClosed at the end."""
    while True:
        try:
            async with asyncio.timeout(silence * 0.9):
                value = await connection.recv(decode=False)
        except TimeoutError:
            await pings.send()
            async with asyncio.timeout(silence * 0.1):
                value = await connection.recv(decode=False)
        size = len(value)
        line: Line = OversizedLine(value[:PREFIX_BYTES], size) if size > max_bytes else value
        if not await received(line):
            return SocketEnd("gone", "the server says that the channel is gone")
