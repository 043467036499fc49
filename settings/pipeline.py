"""This module holds the settings of the worker itself: routes, mapping, stages, reports, logs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings

from processors.event.redaction import objection, redactor
from processors.event.trace_context import least_sampled
from settings.fields import URL, CommaList

#: Every role a worker can have, in the order the events flow.
ROLES = ("source", "process", "sink", "failures", "metrics")

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class PipelineSettings(BaseSettings):
    """What happens to an event between the two clouds, and what a worker says of it."""

    routes_dir: Path = Field(Path(__file__).resolve().parents[1] / "schemas", description="Folder of routes.")
    redact_fields: CommaList = Field(
        (),
        description="Fields masked before anything is written to Kafka, comma separated: "
        "`eventBody.ani`, `payload.customer.*`.",
    )
    schema_registry_refresh: float = Field(
        300.0, gt=0, description="Seconds between two looks for a new version of a registry schema."
    )
    mapping_timeout: float = Field(
        1.0, gt=0, le=60, description="Seconds that one route may take over one event before it is a failure."
    )
    mapping_memory_bytes: int = Field(
        512 * 1024 * 1024,
        ge=64 * 1024 * 1024,
        description="Memory that the mapping process may take beyond what it has at its start.",
    )
    deduplication_window: float = Field(
        600.0,
        ge=0,
        le=86_400,
        description="Seconds for which an event that comes again, with the same id, is dropped; 0 turns that off. "
        "Its changelog keeps as long: a start raises `retention.ms` of an older one (`KAFKA_CREATE_TOPICS`).",
    )
    flood_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Share of failing events above which the process stage pauses, and of entries refused for good the "
        "sink; 1 turns that off.",
    )
    flood_min: int = Field(
        100, ge=1, description="Events that routes took, or entries answered, before the share counts."
    )
    flood_window: float = Field(60.0, gt=0, description="Seconds over which the share is taken.")
    worker_roles: CommaList = Field(ROLES, description="Stages this worker runs; `worker --role` sets it.")
    report_interval: float = Field(
        60.0,
        gt=0,
        description="Seconds between two [Pipeline Report] log lines, and between two sendings to CloudWatch.",
    )
    metrics_retention: float = Field(
        24 * 3600.0,
        ge=300,
        description="Seconds that one-minute windows stay in the tables; their changelogs as `DEDUPLICATION_WINDOW`'s.",
    )
    shutdown_grace: float = Field(
        8.0, gt=0, description="Seconds that work in flight gets to end at a stop or a rebalance."
    )
    data_dir: Path = Field(Path("~/.cache/genesys-eventbridge"), description="Folder for local state of Faust.")
    trace_events: bool = Field(
        True,
        description="Begin a W3C trace for each event that brings none (`traceparent` in its records' headers, "
        "`TraceHeader` of its entry).",
    )
    trace_sample: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Share of the traces begun here that are sampled, so that their events have spans.",
    )
    otel_exporter_otlp_endpoint: URL | None = Field(
        None,
        description="OTLP receiver (HTTP) of the spans of sampled traces (`pip install 'genesys-eventbridge[otel]'`); "
        "unset: none are made. Further `OTEL_*` are the SDK's.",
    )
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="`console`, `json`, or by whether the output is a terminal."
    )
    log_level: str = Field("INFO", description="Least level that is logged.")

    @property
    def sampled_from(self) -> str | None:
        """From which trace ids on traces are sampled that are begun here; None: none is begun.

        None is sampled without a receiver of spans: `Sampled=1` has consumers record what nobody began to.
        """
        share = self.trace_sample if self.otel_exporter_otlp_endpoint is not None else 0.0
        return least_sampled(share) if self.trace_events else None

    @field_validator("redact_fields")
    @classmethod
    def _paths(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        redactor(value)
        source = str(info.data.get("genesys_source", "notifications"))
        from_genesys = not source.startswith("file:") and source != "none"
        for path in value:
            if reason := objection(path, from_genesys=from_genesys):
                raise ValueError(reason)
        return value

    @field_validator("worker_roles")
    @classmethod
    def _known_roles(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or any(role not in ROLES for role in value):
            raise ValueError(f"must name some of {', '.join(ROLES)}, comma separated")
        return value

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.upper() not in LOG_LEVELS:
            raise ValueError(f"must be one of {', '.join(LOG_LEVELS)}")
        return value.upper()
