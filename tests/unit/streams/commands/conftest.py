"""This module runs commands in the test's own process, with an environment of their own."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

#: Begins of the names of all settings: none of the desk's own may reach a test.
FAMILIES = ("GENESYS_", "KAFKA_", "AWS_", "EVENTB", "DLQ_", "ROUTES_", "WEB_", "LOG_", "MAX_", "METRICS_")

Invoke = Callable[..., Result]


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Run a command by name: no Kafka, no Genesys, no AWS; keywords are settings."""
    for name in list(os.environ):
        if name.startswith(FAMILIES):
            monkeypatch.delenv(name)

    def invoker(name: str, *arguments: str, stdin: bytes = b"", **settings: str) -> Result:
        command = getattr(importlib.import_module(f"streams.commands.{name}"), name)
        given = {
            "GENESYS_SOURCE": "none",
            "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
            "AWS_EC2_METADATA_DISABLED": "true",
            **settings,
        }
        return CliRunner().invoke(command, list(arguments), input=stdin, env=given)

    return invoker


@pytest.fixture
def interaction_routes(tmp_path: Path) -> Path:
    """A folder with one route: takes every event, and fails when it has no `type`."""
    route = tmp_path / "routes" / "everything"
    (route / "examples").mkdir(parents=True)
    (route / "route.toml").write_text('description = "All"\nsource = "s"\ndetail-type = "t"\n')
    (route / "filter.jsonata").write_text("true")
    (route / "mapping.jsonata").write_text('{"detail": {"type": payload.type}}')
    schema = {"type": "object", "properties": {"detail": {"type": "object", "required": ["type"]}}}
    (route / "schema.json").write_bytes(orjson.dumps(schema))
    example = {"event": {"payload": {"type": "voice"}}, "expect": {"detail": {"type": "voice"}}}
    (route / "examples" / "call.json").write_bytes(orjson.dumps(example))
    return tmp_path / "routes"
