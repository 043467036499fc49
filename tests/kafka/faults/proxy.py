"""This module puts a loopback proxy before each broker, through which nothing passes on request."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterable
from types import TracebackType
from typing import Any, Self

CHUNK = 65_536


class Proxies:
    """A context manager; `ports` leads from a broker's port to its proxy's.

    `cut` is a network that swallows packets: connections stay open, new ones are taken, nothing arrives.
    `restore` lets all of it arrive, late. `slow` is a link on which each piece takes its time.
    """

    def __init__(self, targets: Iterable[int]) -> None:
        self.ports: dict[int, int] = {}
        self._targets = tuple(targets)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxies", daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()
        self._delay_s = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Nothing passes from now on."""
        self._loop.call_soon_threadsafe(self._passes.clear)

    def restore(self) -> None:
        """What was held up passes, and all that follows."""
        self._loop.call_soon_threadsafe(self._passes.set)

    def slow(self, seconds: float) -> None:
        """Each piece takes so long from now on; 0 is a good link again."""
        self._delay_s = seconds

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _open(self) -> None:
        self._passes = asyncio.Event()
        self._passes.set()
        self._servers = []
        for target in self._targets:
            server = await asyncio.start_server(self._serve(target), "127.0.0.1", 0)
            self._servers.append(server)
            self.ports[target] = server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _serve(self, target: int) -> Any:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None  # a handler runs in one
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            try:
                await self._join(target, reader, writer)
            except OSError:
                pass  # the broker is down: its proxy refuses as well, by closing
            finally:
                writer.close()

        return serve

    async def _join(self, target: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
        ways = [
            asyncio.create_task(self._pass(reader, far_writer)),
            asyncio.create_task(self._pass(far_reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            far_writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(CHUNK):
            await self._passes.wait()
            if self._delay_s:
                await asyncio.sleep(self._delay_s)
            writer.write(chunk)
            await writer.drain()
        await self._passes.wait()
