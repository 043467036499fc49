"""A run full of trouble, at debug level, leaves no secret in anything that it writes."""

from __future__ import annotations

import asyncio
import base64
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import httpx
import orjson
import pytest

from emulators.genesys.emulator import GenesysEmulator
from emulators.genesys.faults import AnswerFault, Faults
from emulators.kafka import PARTITIONS
from settings import Settings, load_settings
from streams.topology import needed_topics
from tests import forked, http
from tests.kafka.pipeline import Pipeline, Worker, wait_until

SECRETS = {
    "GENESYS_CLIENT_SECRET": "hidden+genesys/client-secret",
    "WEB_TOKEN": "hidden+web/token",
    "KAFKA_SASL_PASSWORD": "hidden+kafka/password",
    "KAFKA_SASL_OAUTH_CLIENT_SECRET": "hidden+kafka/oauth-secret",
    "KAFKA_SSL_KEY_PASSWORD": "hidden+kafka/key-password",
    "AWS_SECRET_ACCESS_KEY": "hidden+aws/secret-key",
    "AWS_SESSION_TOKEN": "hidden+aws/session-token",
}
WRONG_SECRET = "hidden+wrong/client-secret"

PAGES = ("/", "/api/report/", "/api/tables/", "/health/live", "/health/ready", "/metrics", "/simulate", "/nowhere")

Read = Callable[[str], Awaitable[list]]


@dataclass
class Scene:
    """What runs, what was written by name, and what must be found nowhere."""

    pipeline: Pipeline
    genesys: GenesysEmulator
    written: dict[str, str] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=lambda: {*SECRETS.values(), WRONG_SECRET})

    def note_issued(self) -> None:
        """Remember the tokens and channels that Genesys has given out."""
        self.hidden |= {token.value for token in self.genesys.tokens._live.values()}
        self.hidden |= {channel.id for channel in self.genesys.notifications.channels}

    def run(self, name: str, *arguments: str, **more: str) -> int | None:
        """Run a command to its end, and keep what it wrote."""
        ended = forked.run(arguments, self.pipeline.environment(**more))
        self.written[f"{name}: stdout"], self.written[f"{name}: stderr"] = ended.out, ended.err
        return ended.code

    def leaks(self) -> list[tuple[str, str]]:
        """Which secret stands where, as it is or in a coat."""
        return [
            (secret, place)
            for secret in self.hidden
            for place, text in self.written.items()
            if any(form in text for form in _coats(secret))
        ]


def _coats(secret: str) -> set[str]:
    encoded = {base64.b64encode(f"{start}{secret}".encode()).decode() for start in ("", "client:", ":")}
    return {secret, quote(secret, safe=""), repr(secret)[1:-1], *encoded}


@pytest.fixture
async def scene(broker: str, tmp_path: Path) -> AsyncIterator[Scene]:
    secret = SECRETS["GENESYS_CLIENT_SECRET"]
    async with GenesysEmulator(client_id="client", client_secret=secret, conversation_rate=5.0) as genesys:
        settings = {
            **SECRETS,
            "KAFKA_CREATE_TOPICS": "false",
            "KAFKA_TOPIC_PARTITIONS": str(PARTITIONS),
            "GENESYS_SOURCE": "notifications",
            "GENESYS_BASE_URL": genesys.url,
            "GENESYS_CLIENT_ID": "client",
            "LOG_LEVEL": "debug",
            "REPORT_INTERVAL": "1",
        }
        with Pipeline(broker, tmp_path, settings) as pipeline:
            yield Scene(pipeline, genesys)


async def _trouble(scene: Scene) -> None:
    """Genesys forgets its tokens, answers 500 and cuts; AWS is down; frames and events are broken."""
    published = await asyncio.to_thread(scene.pipeline.on_bus)
    scene.note_issued()
    scene.genesys.faults = Faults(answers=(AnswerFault(path="/", status=500, times=4),))
    requests = [{"service": service, "kind": "unavailable", "times": 4} for service in ("events", "sqs")]
    requests.append({"service": "events", "kind": "expired", "times": 2})
    await asyncio.to_thread(scene.pipeline.aws_faults, {"requests": requests})
    scene.genesys.tokens.revoke_all()
    scene.genesys.cut()
    await asyncio.to_thread(wait_until, "the flow after the trouble", lambda: scene.pipeline.on_bus() > published + 5)
    await asyncio.to_thread(wait_until, "an open socket", lambda: _emit(scene, "{broken"))
    await asyncio.to_thread(wait_until, "the failures' mirror", scene.pipeline.queue, 60.0)
    scene.note_issued()


def _emit(scene: Scene, frame: str) -> int:
    """Send a frame to every socket; gives how many there are."""
    answer = http.post(f"{scene.genesys.url}/_emulator/emit", json={"frame": frame})
    return int(answer.raise_for_status().json()["receivers"])


def _ask_pages(scene: Scene, worker: Worker) -> None:
    token = SECRETS["WEB_TOKEN"]
    with httpx.Client(base_url=worker.url, timeout=60) as client:
        tables = client.get("/api/tables/", headers={"Authorization": f"Bearer {token}"}).json()
        for path in (*PAGES, *(table["url"] for table in tables)):
            for credentials in ({}, {"Authorization": f"Bearer {token}"}, {"Authorization": "Bearer no"}):
                for method, body in (("GET", b""), ("POST", b'{"type": 5}'), ("POST", b"{")):
                    answer = client.request(method, path, content=body, headers=credentials)
                    name = f"{method} {path} {len(scene.written)}"
                    scene.written[name] = f"{answer.headers.raw!r} {answer.text}"


def _run_commands(scene: Scene) -> None:
    assert scene.run("check", "check") in (0, 1)
    assert scene.run("unknown bus", "worker", EVENTBUS_NAME="nowhere", WEB_PORT="1") == 2
    assert scene.run("half a SASL", "worker", KAFKA_SECURITY_PROTOCOL="SASL_SSL") == 2
    assert scene.run("wrong setting", "worker", WEB_PORT=SECRETS["WEB_TOKEN"]) == 2
    assert scene.run("wrong secret", "check", GENESYS_CLIENT_SECRET=WRONG_SECRET) == 1


async def _collect(scene: Scene, read: Read) -> None:
    prefix = scene.pipeline.prefix
    for topic in needed_topics(Settings(kafka_topic_prefix=prefix)):
        for number, record in enumerate(await read(topic)):
            parts = [record.key or b"", record.value or b"", *(value for _, value in record.headers)]
            scene.written[f"{topic} {number}"] = b"\n".join(parts).decode("utf-8", "backslashreplace")
    scene.written["queue"] = "\n".join(await asyncio.to_thread(scene.pipeline.queue))
    bus = await asyncio.to_thread(scene.pipeline.inspect, "events")
    scene.written["bus"] = orjson.dumps(bus).decode()
    for log in scene.pipeline.folder.glob("worker-*.log"):
        scene.written[log.name] = log.read_text("utf-8", "replace")


async def test_no_secret_stands_in_anything_that_is_written(scene: Scene, read: Read):
    worker = await asyncio.to_thread(scene.pipeline.start)
    await asyncio.to_thread(wait_until, "the flow", lambda: scene.pipeline.on_bus() > 5)
    await _trouble(scene)
    await asyncio.to_thread(_ask_pages, scene, worker)
    await asyncio.to_thread(_run_commands, scene)
    scene.note_issued()
    worker.signal(signal.SIGTERM)
    assert await asyncio.to_thread(worker.wait) == 0, worker.tail()
    await _collect(scene, read)
    assert len(scene.hidden) > len(SECRETS) + 3  # tokens of before and after, and channels
    assert "genesys.token.renewed" in scene.written["worker-0.log"]
    assert '"level": "debug"' in scene.written["worker-0.log"]
    assert scene.leaks() == []
    assert "eventBody" not in scene.written["worker-0.log"]  # nor does the log hold an event


def _shown(settings: Settings) -> Iterator[str]:
    yield from (repr(settings), str(settings), settings.model_dump_json(), repr(settings.model_dump()))


def test_settings_show_no_secret():
    named = {name.lower(): value for name, value in SECRETS.items() if not name.startswith("AWS_")}
    for shown in _shown(load_settings(**named)):
        for secret in SECRETS.values():
            assert secret not in shown
