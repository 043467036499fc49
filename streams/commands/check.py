"""This module is the command `check`: looks at everything a worker needs, and says how to fix it."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Awaitable

import click
from rich.text import Text

from clients.network import Reached, probe_url
from processors.event.errors import RouteError
from processors.event.strict_json import JsonObject
from processors.routes.target import Offload, Target, targets_of
from settings import Settings, SettingsError, load_settings
from streams.checks.aws import buses_of, check_buses, check_cloudwatch, check_queue
from streams.checks.buckets import check_buckets
from streams.checks.endpoints import check_endpoints
from streams.checks.environment import check_environment
from streams.checks.finding import Finding
from streams.checks.kafka import check_group, check_kafka, check_replicas
from streams.checks.lag import check_lag
from streams.checks.machine import check_folder, check_port, check_spans, check_web
from streams.checks.routes import check_routes
from streams.checks.source import check_source
from streams.checks.topics import check_topics
from streams.commands.terminal.options import EXIT_STOPPED, json_option, quiet_logs
from streams.commands.terminal.screen import console, print_json, table
from streams.routes.load import wanted_schemas
from streams.topology import needed_topics

EPILOG = """\b
Examples:
  genesys-eventbridge check
  genesys-eventbridge check --json

Exit codes: 0 nothing failed (there may be warnings), 1 something failed.
"""

#: Seconds that each part gets; all parts are looked at side by side.
PATIENCE_S = 15.0

AWS_FIX = "fix the network, AWS_REGION or AWS_ENDPOINT_URL"

STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red"}


@click.command(epilog=EPILOG)
@json_option
def check(as_json: bool) -> None:
    """Look at settings, routes, Kafka, Genesys, event bus and queue, and say how to fix what is wrong.

    Rights are asked for by requests that must be refused: nothing is written to Kafka or AWS. Of Genesys Cloud, where
    notifications are the source, a channel of its own is asked for, which nobody opens. Parts that do not answer are
    given up after 15 s.
    """
    quiet_logs()
    try:
        settings = load_settings()
    except SettingsError as error:
        lines = re.split(r"; (?=[A-Z_]+: )", str(error))
        findings = [Finding("settings", False, line, "see docs/settings.md") for line in lines]
        findings += check_environment(os.environ)
        findings.append(Finding("everything else", False, "not looked at", "fix the settings first"))
    else:
        findings = [_settings(settings), *check_environment(os.environ), *asyncio.run(_findings(settings))]
    if as_json:
        print_json({"ok": all(one.ok for one in findings), "checks": [_as_json(one) for one in findings]})
    else:
        _show(findings)
    sys.exit(0 if all(one.ok for one in findings) else EXIT_STOPPED)


def _settings(settings: Settings) -> Finding:
    given = len(settings.model_fields_set)
    return Finding("settings", True, f"{given} set, the others by default")


async def _findings(settings: Settings) -> list[Finding]:
    groups = await asyncio.gather(
        _machine(settings),
        _routes_and_buses(settings),
        _within("kafka", _kafka(settings), "start Kafka, or fix KAFKA_BOOTSTRAP_SERVERS"),
        _within("genesys", check_source(settings), "fix the network or GENESYS_BASE_URL"),
        _within("queue", check_queue(settings, tries=True), AWS_FIX),
        _within("CloudWatch", check_cloudwatch(settings), AWS_FIX),
        _within("endpoints", check_endpoints(settings, _services(settings)), "fix the network"),
    )
    return [finding for group in groups for finding in group]


def _services(settings: Settings) -> list[str]:
    """The services of AWS that the settings need, by the SDK's names."""
    try:
        wanted = wanted_schemas(settings.routes_dir)
    except RouteError:  # the finding of the routes says so
        wanted = []
    return ["events", *(["cloudwatch"] if settings.cloudwatch_enabled else []), *(["schemas"] if wanted else [])]


async def _machine(settings: Settings) -> list[Finding]:
    found = check_port(settings.web_host, settings.web_port)
    if not found.ok and await _is_a_worker(settings):
        detail = f"{settings.web_host}:{settings.web_port} is taken, by what answers as a worker does"
        found = Finding(found.name, True, detail, "another worker on this machine needs a WEB_PORT of its own")
    folder = check_folder(settings, settings.data_dir.expanduser() / settings.group)
    return [folder, found, check_web(settings), *check_spans(settings)]


async def _is_a_worker(settings: Settings) -> bool:
    found = await probe_url(f"{settings.web_url}/health/live")
    return isinstance(found, Reached) and found.status in (200, 503)


async def _routes_and_buses(settings: Settings) -> list[Finding]:
    """The routes name the buses; where they cannot be read, the bus of the settings is looked at."""
    buses, targets, offloads = [settings.eventbus_name], dict[str, Target](), list[Offload]()

    async def routes() -> list[Finding]:
        nonlocal buses, targets, offloads
        found, findings = await check_routes(settings)
        if found is not None:
            buses, targets = buses_of(settings, found), targets_of(found)
            offloads = [route.texts.offload for route in found if route.texts.offload]
        return findings

    slow = f"look with `routes test` for examples that take long; {AWS_FIX}"
    findings = await _within("routes", routes(), slow)
    findings += await _within("event bus", check_buses(settings, buses, targets, tries=True), AWS_FIX)
    return findings + await _within("buckets", check_buckets(settings, offloads), AWS_FIX)


async def _kafka(settings: Settings) -> list[Finding]:
    needed = needed_topics(settings)
    try:
        cluster, findings = await check_kafka(settings, needed)
    except SettingsError as error:
        return [Finding("kafka", False, str(error), "fix the KAFKA_* settings named, see docs/settings.md")]
    if cluster is not None:
        findings += await check_group(settings)
        existing = [name for name in needed if name in cluster.partitions]
        findings += await check_replicas(settings, existing, cluster.brokers) if existing else []
        findings += await check_lag(settings, existing)
        findings += await check_topics(settings, cluster)
    return findings


async def _within(name: str, look: Awaitable[list[Finding]], fix: str) -> list[Finding]:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await look
    except TimeoutError:
        return [Finding(name, False, f"no answer within {PATIENCE_S:g} s", fix)]


def status(finding: Finding) -> str:
    """`ok`, `warning` (nothing failed, but there is something to do) or `failed`."""
    return "failed" if not finding.ok else "warning" if finding.fix else "ok"


def _as_json(finding: Finding) -> JsonObject:
    return {"name": finding.name, "status": status(finding), "detail": finding.detail, "fix": finding.fix}


def _show(findings: list[Finding]) -> None:
    rows: list[list[str | Text]] = [
        [one.name, Text(status(one), style=STYLES[status(one)]), one.detail, one.fix] for one in findings
    ]
    screen = console()
    screen.print(table("genesys-eventbridge check", ["what", "", "found", "to do"], rows))
    failed = sum(not one.ok for one in findings)
    screen.print(f"{failed} of {len(findings)} failed" if failed else "nothing failed", markup=False)
