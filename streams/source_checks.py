"""This module looks at where events come from, as `GENESYS_SOURCE` says: Genesys Cloud, or a file."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from clients.genesys.errors import GenesysError
from clients.genesys.listening import TopicResolver
from clients.genesys.observer import Observer
from clients.genesys.rest import GenesysRest
from clients.genesys.topics import TopicPlan
from streams.checks import Finding
from streams.settings import Settings, SettingsError

#: Seconds that Genesys gets; its client would wait out an outage for ever.
GENESYS_S = 12.0


async def check_source(settings: Settings) -> list[Finding]:
    """Fetch a token and, for notifications, look which topics the OAuth client may listen to; or look at the file."""
    if settings.genesys_source.startswith("file:"):
        return [check_file(settings.genesys_source[5:])]
    if settings.genesys_source == "none":
        return [Finding("genesys", True, "not used: GENESYS_SOURCE=none")]
    findings: list[Finding] = []
    reasons: list[str] = []  # the client's own are gone when the time is over: it forgets what it waits for
    observer = Observer(lambda reason: reasons.append(reason) if reason else None)
    try:
        async with asyncio.timeout(GENESYS_S), GenesysRest.from_settings(settings, observer) as rest:
            await rest.token()
            findings.append(Finding("genesys", True, f"token from {settings.login_url}"))
            if settings.genesys_source == "notifications":
                findings.append(_topics_found(await TopicResolver(rest, settings).resolve()))
    except TimeoutError:
        reason = reasons[-1] if reasons else f"no answer within {GENESYS_S:g} s"
        fix = "mend the network, GENESYS_BASE_URL or GENESYS_LOGIN_URL"
        findings.append(Finding(_part(findings), False, reason, fix, away=True))
    except (SettingsError, GenesysError) as error:
        findings.append(_refused(_part(findings), error))
    return findings


def check_file(name: str) -> Finding:
    """Whether the file of `GENESYS_SOURCE=file:` can be read."""
    path, fix = Path(name), "mend GENESYS_SOURCE=file:PATH, or the rights of the file"
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
        detail, fix = fix, "mend GENESYS_BASE_URL or GENESYS_LOGIN_URL, or ask Genesys what this refusal means"
    return Finding(name, False, detail, fix)


def _topics_found(plan: TopicPlan) -> Finding:
    name = "genesys topics"
    refused = "; ".join(f"{one.topic} {one.reason}" for one in plan.refused[:3])
    if not plan.topics:
        fix = "mend GENESYS_TOPICS, GENESYS_QUEUES or GENESYS_USERS"
        return Finding(name, False, f"nothing to listen to: {refused or 'no queue or user matches'}", fix)
    needed = sorted({one for ones in (plan.permissions or {}).values() for one in ones})
    detail = f"{len(plan.topics)} to listen to" + (f", with permission {', '.join(needed)}" if needed else "")
    return Finding(name, True, detail, f"left out: {refused}" if refused else "")
