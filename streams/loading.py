"""This module loads a folder of routes: tried in a process of their own for workers, compiled here for the desk."""

from __future__ import annotations

from pathlib import Path

from clients.aws import AWS_ERRORS, AwsConfigurationError, error_code, open_client
from clients.schema_registry import fetch_schemas
from processors.errors import RouteError
from processors.event import JsonObject
from processors.route import Route, Routes, RouteTexts, TriedRoute, compile_route
from streams.checks import Finding, aws_failed, misconfigured
from streams.routes import read_routes, registry_names
from streams.sandbox.process import SandboxError
from streams.sandbox.trial import Bounds, Verdict, try_routes
from streams.settings import Settings

ROUTE_FIX = "mend the file, or ROUTES_DIR"
EXAMPLE_FIX = "mend the route or the example; `genesys-eventbridge routes test` shows all"


async def check_routes(settings: Settings) -> tuple[Routes | None, list[Finding]]:
    """Have every route compiled, with its schema from the registry where it asks for one, and its examples run."""
    try:
        wanted = _wanted(settings.routes_dir)
        texts = read_routes(settings.routes_dir, await _registry(settings, wanted))
        verdicts = await try_routes(texts, Bounds(settings.mapping_timeout, settings.mapping_memory_bytes))
    except RouteError as error:
        return None, [Finding("routes", False, str(error), ROUTE_FIX)]
    except SandboxError as error:
        fix = "look whether the machine lacks memory or processes"
        return None, [Finding("routes", False, str(error), fix, away=True)]
    except AWS_ERRORS as error:
        remedy = "allow schemas:DescribeSchema, or name a file in route.toml"
        return None, [aws_failed("schema registry", error, remedy)]
    except AwsConfigurationError as error:
        return None, [misconfigured("schema registry", error)]
    findings = [_finding(one, verdict) for one, verdict in zip(texts, verdicts, strict=True)]
    fit = all(finding.ok for finding in findings)
    findings.append(Finding("schema registry", True, ", ".join(wanted) or "not used"))
    tried = (
        TriedRoute(one, verdict.engine, verdict.engine_reason) for one, verdict in zip(texts, verdicts, strict=True)
    )
    return (Routes(tried) if fit else None), findings


async def compiled_routes(settings: Settings, folder: Path | None = None) -> tuple[Route, ...]:
    """Every route of `folder` (by default of the settings), in name order, though examples of it fail.

    AWS is asked only when a route's schema is in the registry. Raises RouteError.
    """
    folder = folder or settings.routes_dir
    names = _wanted(folder)
    try:
        schemas = await _registry(settings, names)
    except AwsConfigurationError as error:
        raise RouteError(f"schema registry ({', '.join(names)}): {error}") from None
    except AWS_ERRORS as error:
        raise RouteError(f"schema registry ({', '.join(names)}): AWS answered {error_code(error)}") from None
    return tuple(compile_route(texts) for texts in read_routes(folder, schemas))


def _finding(texts: RouteTexts, verdict: Verdict) -> Finding:
    name = f"route {texts.name}"
    if verdict.wrong:
        return Finding(name, False, verdict.wrong, EXAMPLE_FIX if verdict.failing else ROUTE_FIX)
    engine = f"{verdict.engine} engine" + (f" ({verdict.engine_reason})" if verdict.engine_reason else "")
    return Finding(name, True, f"{len(texts.examples)} examples hold, {engine}")


def _wanted(folder: Path) -> list[str]:
    return registry_names(folder) if folder.is_dir() else []


async def _registry(settings: Settings, names: list[str]) -> dict[str, JsonObject]:
    if not names:
        return {}
    async with open_client(settings, "schemas") as client:
        return await fetch_schemas(client, names)
