"""This module looks at routes: whether they compile and their examples hold."""

from __future__ import annotations

import importlib.util

from clients.aws.answers import CLIENT_ERRORS
from processors.event.errors import RouteError
from processors.routes.route import RouteTexts
from processors.routes.routes import Routes, TriedRoute
from processors.routes.target import targets_of
from settings import Settings
from streams.checks.aws import aws_failed
from streams.checks.finding import Finding
from streams.routes.folder import read_routes
from streams.routes.load import registry_schemas, wanted_schemas
from streams.routes.sandbox.child_process import SandboxError
from streams.routes.sandbox.trial import TrialLimits, TrialVerdict, try_routes

ROUTE_FIX = "fix the file, or ROUTES_DIR"

EXAMPLE_FIX = "fix the route or the example; `genesys-eventbridge routes test` shows all"


async def check_routes(settings: Settings) -> tuple[Routes | None, list[Finding]]:
    """Have every route compiled, with its schema from the registry where it asks for one, and its examples run."""
    try:
        wanted = wanted_schemas(settings.routes_dir)
        texts = read_routes(settings.routes_dir, await registry_schemas(settings, wanted, settings.routes_dir))
        _check_targets(texts)
        verdicts = await try_routes(texts, TrialLimits(settings.mapping_timeout, settings.mapping_memory_bytes))
    except RouteError as error:
        return None, [Finding("routes", False, str(error), ROUTE_FIX)]
    except SandboxError as error:
        fix = "look whether the machine lacks memory or processes"
        return None, [Finding("routes", False, str(error), fix, unreachable=True)]
    except CLIENT_ERRORS as error:
        right, missing = "schemas:DescribeSchema, or name a file in route.toml", "fix the schema's name in route.toml"
        return None, [aws_failed("schema registry", error, right, missing)]
    findings = [_finding(one, verdict) for one, verdict in zip(texts, verdicts, strict=True)]
    fit = all(finding.ok for finding in findings)
    findings.append(Finding("schema registry", True, ", ".join(wanted) or "not used"))
    tried = (
        TriedRoute(one, verdict.engine, verdict.engine_reason) for one, verdict in zip(texts, verdicts, strict=True)
    )
    return (Routes(tried) if fit else None), findings


def _check_targets(texts: list[RouteTexts]) -> None:
    """Refuse what no worker could reach. Raises RouteError."""
    ends = [one.name for one in texts if one.target and one.target.endpoint_id]
    if ends and importlib.util.find_spec("awscrt") is None:
        raise RouteError(f"{ends[0]}/route.toml: target.endpoint-id needs awscrt: pip install awscrt")
    targets_of(texts)


def _finding(texts: RouteTexts, verdict: TrialVerdict) -> Finding:
    name = f"route {texts.name}"
    if verdict.wrong:
        return Finding(name, False, verdict.wrong, EXAMPLE_FIX if verdict.failing else ROUTE_FIX)
    engine = f"runs on {verdict.engine}" + (f" ({verdict.engine_reason})" if verdict.engine_reason else "")
    found = "; ".join((f"{len(texts.examples)} examples hold, {engine}", *texts.warnings))
    return Finding(name, True, found)
