"""This module is the worker's end of a process that runs routes: starts it, sends and hears frames, sees it end."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys

import orjson

from streams.routes.sandbox import protocol

#: What the process gets of the environment: how to find Python and our modules, and no secret.
ENVIRONMENT = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "VIRTUAL_ENV")

#: The allocator of jsonatapy (mimalloc) else reserves a GiB at its start, out of which expressions would then be given
#: memory beyond their bound: what is reserved already no limit refuses.
ALLOCATOR = {"MIMALLOC_ARENA_RESERVE": "0"}

#: Seconds that a process gets to compile the routes.
START_S = 120.0

#: What Python is to run.
PROGRAM = ("-m", "streams.routes.sandbox")


class SandboxError(Exception):
    """A process that runs routes did not start, or was ended by somebody else."""


class Child:
    """Made by `start`; spoken to by one caller at a time."""

    def __init__(
        self, popen: subprocess.Popen[bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._popen, self._reader, self._writer = popen, reader, writer

    @classmethod
    async def start(cls) -> Child:
        """Start one, which waits for its first frame. Raises SandboxError."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                popen = _spawn(theirs)
        except OSError as error:
            ours.close()
            raise SandboxError(f"the process that runs routes did not start: {error.strerror}") from None
        reader, writer = await asyncio.open_connection(sock=ours, limit=1024 * 1024)
        return cls(popen, reader, writer)

    @classmethod
    async def prepared(cls, name: str, kind: bytes, plan: object) -> Child:
        """Start one, and wait until it is ready for what the frame asks. Raises SandboxError, which calls it `name`."""
        child = await cls.start()
        try:
            async with asyncio.timeout(START_S):
                await child.send(kind, orjson.dumps(plan))
                heard, _ = await child.hear()
            if heard != protocol.READY:
                raise ValueError(f"a frame of kind {heard!r}")
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            code = await child.end()
            raise SandboxError(f"{name} did not start: {type(error).__name__}, exit {code}") from None
        except BaseException:
            child.kill()
            raise
        return child

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def ended(self) -> bool:
        """Whether it has been seen to end."""
        return self._popen.returncode is not None

    async def send(self, kind: bytes, body: bytes) -> None:
        """Send a frame. Raises OSError when the process has ended."""
        self._writer.write(protocol.frame(kind, body))
        await self._writer.drain()

    async def hear(self) -> tuple[bytes, bytes]:
        """Kind and body of its next frame. Raises EOFError or OSError when it has ended, ValueError for nonsense."""
        length, kind = protocol.prefix(await self._reader.readexactly(protocol.PREFIX.size))
        return kind, await self._reader.readexactly(length)

    async def end(self) -> int:
        """End the process, reap it, and give its exit code (negative: the signal it died of)."""
        self._writer.close()
        try:
            return await asyncio.to_thread(self._popen.wait, 1.0)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            return await asyncio.to_thread(self._popen.wait)

    def kill(self) -> None:
        """End the process at once and reap it, which takes but a moment then; needs no running loop."""
        self._popen.kill()
        self._writer.close()
        self._popen.wait()


def _spawn(connection: socket.socket) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, *PROGRAM],
        stdin=connection.fileno(),
        stdout=subprocess.DEVNULL,
        env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ} | ALLOCATOR,
        start_new_session=True,
    )
