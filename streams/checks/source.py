"""This module looks at where events come from, as `GENESYS_SOURCE` says: Genesys Cloud, or a file."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from clients.genesys.analytics import ConversationQuery
from clients.genesys.notifications.channel_api import RejectedTopic
from clients.genesys.notifications.topic_probe import tried
from clients.genesys.rest.client import GenesysRest
from clients.genesys.rest.errors import GenesysError, PermissionMissingError
from clients.genesys.rest.observer import Observer
from clients.genesys.topic_resolver import TopicResolver
from processors.genesys.interval import Interval
from processors.genesys.topics.plan import TopicPlan
from settings import Settings, SettingsError
from streams.checks.aws import check_source_queue
from streams.checks.finding import Finding

#: Seconds that Genesys gets; its client would wait out an outage for ever.
GENESYS_S = 12.0


async def check_source(settings: Settings, patience_s: float = GENESYS_S) -> list[Finding]:
    """Fetch a token and, for notifications, look which topics the client may listen to; or look at file or queue."""
    if settings.genesys_source.startswith("file:"):
        return [check_file(settings.genesys_source[5:])]
    if settings.source_queue_url is not None:
        return await check_source_queue(settings, settings.source_queue_url, tries=True)
    if settings.genesys_source == "none":
        return [Finding("genesys", True, "not used: GENESYS_SOURCE=none")]
    findings: list[Finding] = []
    reasons: list[str] = []  # the client's own are gone when the time is over: it forgets what it waits for
    observer = Observer(lambda reason: reasons.append(reason) if reason else None)
    try:
        async with asyncio.timeout(patience_s), GenesysRest.from_settings(settings, observer) as rest:
            await rest.token()
            findings.append(Finding("genesys", True, f"token from {settings.login_url}"))
            if settings.genesys_source == "notifications":
                await _check_notifications(settings, rest, findings)
    except TimeoutError:
        reason = reasons[-1] if reasons else f"no answer within {patience_s:g} s"
        fix = "fix the network, GENESYS_BASE_URL or GENESYS_LOGIN_URL"
        findings.append(Finding(_part(findings), False, reason, fix, unreachable=True))
    except (SettingsError, GenesysError) as error:
        findings.append(_refused(_part(findings), error))
    return findings


async def _check_notifications(settings: Settings, rest: GenesysRest, findings: list[Finding]) -> None:
    """Adds to the findings one by one: the first stay when a later look fails."""
    plan = await TopicResolver(rest, settings).resolve()
    rejected = await tried(rest, plan.shares()) if plan.topics else ()
    findings.append(_topics_found(plan, rejected))
    if settings.genesys_backfill:
        findings.append(await _backfill_found(rest))


def check_file(name: str) -> Finding:
    """Whether the file of `GENESYS_SOURCE=file:` can be read."""
    path, fix = Path(name), "fix GENESYS_SOURCE=file:PATH, or the rights of the file"
    if path.is_dir():
        return Finding("source file", False, f"{path} is a folder", fix)
    if not os.access(path, os.R_OK):
        return Finding("source file", False, f"{path} cannot be read", fix)
    return Finding("source file", True, f"{path}, {path.stat().st_size} bytes")


def _part(findings: list[Finding]) -> str:
    return "genesys topics" if findings else "genesys"


def _refused(name: str, error: SettingsError | GenesysError) -> Finding:
    """The refusal, with the remedy that its text ends with."""
    detail, _, fix = str(error).rpartition(": " if isinstance(error, SettingsError) else "; ")
    if not detail:
        detail, fix = fix, "fix GENESYS_BASE_URL or GENESYS_LOGIN_URL, or ask Genesys what this refusal means"
    return Finding(name, False, detail, fix)


async def _backfill_found(rest: GenesysRest) -> Finding:
    """Whether the query that heals gaps may be asked: without it each of them is lost."""
    name, now_ms = "genesys backfill", rest.clock.wall_ms()
    try:
        async with aclosing(ConversationQuery(rest, page_size=1).during(Interval(now_ms - 1_000, now_ms))) as found:
            async for _ in found:
                break
    except PermissionMissingError as error:
        finding = _refused(name, error)
        return replace(finding, fix=f"{finding.fix}, or set GENESYS_BACKFILL=false and lose what gaps hide")
    return Finding(name, True, "gaps can be filled from the analytics query")


def _topics_found(plan: TopicPlan, rejected: Sequence[RejectedTopic] | None) -> Finding:
    name = "genesys topics"
    refused = "; ".join(f"{one.topic} {one.reason}" for one in plan.refused[:3])
    if not plan.topics:
        fix = "fix GENESYS_TOPICS, GENESYS_QUEUES or GENESYS_USERS"
        return Finding(name, False, f"nothing to listen to: {refused or 'no queue or user matches'}", fix)
    needed = sorted({one for ones in (plan.permissions or {}).values() for one in ones})
    if rejected:
        wanted = sorted({one for topic in rejected for one in topic.permissions})
        detail = f"{len(rejected)} of {len(plan.topics)} rejected, {rejected[0].topic} first: {rejected[0].reason}"
        remedy = f"give the OAuth client a role with {', '.join(wanted)}" if wanted else "see them all by `topics`"
        return Finding(name, False, detail, remedy)
    each = f", and {len(plan.conversation)} for each conversation that comes" if plan.conversation else ""
    detail = f"{len(plan.topics)} to listen to{each}" + (f", with permission {', '.join(needed)}" if needed else "")
    untried = "" if rejected is not None else "not tried: all 20 channels of the OAuth client are in use"
    left_out = f"left out: {refused}" if refused else ""
    return Finding(name, True, detail, "; ".join(one for one in (left_out, untried) if one))
