"""A whole worker behind a proxy that falls silent: told within the time-out, waited out, nothing lost or failed."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import orjson
import pytest

from emulators.kafka import EmbeddedKafka
from tests.kafka.certificates import make_certificates
from tests.kafka.pipeline import Pipeline, Worker, wait_until

pytestmark = pytest.mark.integration


class Proxy:
    """A context manager: answers CONNECT, and speaks TLS in place of what lies behind, which `target` serves in plain.

    While it is `silent` it takes connections and says nothing.
    """

    def __init__(self, target: int, certificate: Path) -> None:
        self._target = target
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificate)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_silent = False
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def fall_silent(self) -> None:
        """Cut what is open, and say nothing from now on."""
        self._is_silent = True
        self._do(self._cut())

    def speak(self) -> None:
        """Let through again what comes now."""
        self._is_silent = False
        self._do(self._cut())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        await self._cut()

    async def _cut(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # a handler runs in one
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await reader.readuntil(b"\r\n\r\n")
                if self._is_silent:
                    await asyncio.Event().wait()
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await writer.start_tls(self._context)
                await self._join(reader, writer)
        finally:
            writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        ways = [asyncio.create_task(_pass(reader, far_writer)), asyncio.create_task(_pass(far_reader, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            far_writer.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65_536):
        writer.write(chunk)
        await writer.drain()


def troubles(worker: Worker) -> set[str]:
    """What the worker says is in trouble."""
    answer = worker.get("/health/ready")
    return set(answer.json()["troubles"]) if answer is not None and answer.status_code == 503 else set()


def test_a_proxy_that_falls_silent_is_told_and_waited_out(tmp_path: Path):
    certificates = make_certificates(tmp_path)
    settings = {"EVENTBRIDGE_TIMEOUT": "2", "CLOUDWATCH_ENABLED": "false"}
    with (
        EmbeddedKafka() as kafka,
        Pipeline(kafka.bootstrap_servers, tmp_path, {**kafka.environment, **settings}) as pipeline,
        Proxy(urlsplit(pipeline.aws).port or 0, certificates.broker_file) as proxy,
    ):
        worker = pipeline.start(
            AWS_ENDPOINT_URL="https://127.0.0.1:4566",
            HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}",
            AWS_CA_BUNDLE=str(certificates.authority_file),
        )
        pipeline.feed(range(50))
        assert pipeline.settled(50).clean
        proxy.fall_silent()
        pipeline.feed(range(50, 150))
        wait_until("health to name both", lambda: {"eventbridge", "sqs"} <= troubles(worker))
        proxy.speak()
        account = pipeline.settled(150)
        assert account.clean, account
        assert all(orjson.loads(value)["stage"] == "validate" for value in pipeline.read("failures"))
        wait_until("the worker to be ready", worker.ready)
