"""This module reads the environment: one field is one setting, and required means no default.

The names are part of the outside contract (docs/settings.md lists them; a test keeps the page true).
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from processors.redaction import redactor

#: Every role a worker can have, in the order the events flow.
ROLES = ("source", "process", "sink", "failures", "metrics")

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

#: API hosts by AWS region name (Genesys SDK 269, purecloud_region_hosts.py).
REGION_DOMAINS = {
    "us-east-1": "mypurecloud.com",
    "eu-west-1": "mypurecloud.ie",
    "ap-southeast-2": "mypurecloud.com.au",
    "ap-northeast-1": "mypurecloud.jp",
    "eu-central-1": "mypurecloud.de",
    "us-west-2": "usw2.pure.cloud",
    "ca-central-1": "cac1.pure.cloud",
    "ap-northeast-2": "apne2.pure.cloud",
    "eu-west-2": "euw2.pure.cloud",
    "ap-south-1": "aps1.pure.cloud",
    "us-east-2": "use2.us-gov-pure.cloud",
    "sa-east-1": "sae1.pure.cloud",
    "me-central-1": "mec1.pure.cloud",
    "ap-northeast-3": "apne3.pure.cloud",
    "eu-central-2": "euc2.pure.cloud",
    "mx-central-1": "mxc1.pure.cloud",
    "ap-southeast-1": "apse1.pure.cloud",
    "eusc-de-east-1": "edee1.eusc-pure.cloud",
}

#: What Kafka takes in the name of a topic; changelogs are named by the group.
KAFKA_NAME = r"^[A-Za-z0-9._-]*$"

CommaList = Annotated[tuple[str, ...], NoDecode]


class SettingsError(Exception):
    """A setting is missing or wrong; the text says which and how to mend it, one line a setting."""


class Settings(BaseSettings):
    """All that can be set from outside. Times are seconds and sizes bytes unless a name says otherwise."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="ignore", populate_by_name=True)

    # Genesys Cloud
    genesys_region: str | None = Field(
        None, description="AWS region name of the Genesys organisation (`eu-west-1`); sets the API host."
    )
    genesys_base_url: str = Field("https://api.mypurecloud.com", description="API host; wins over the region.")
    genesys_login_url: str | None = Field(
        None, description="Login host; derived from the API host (`//api.` becomes `//login.`) when unset."
    )
    genesys_client_id: str | None = Field(None, description="OAuth client id (client-credentials grant).")
    genesys_client_secret: SecretStr | None = Field(None, description="OAuth client secret.")
    genesys_source: str = Field(
        "notifications",
        description="Where events come from: `notifications`, `stream`, `file:PATH` or `none`.",
    )
    genesys_subscription_name: str = Field(
        "genesys-eventbridge",
        description="Name of the event subscription (`stream` source); its id follows from it.",
    )
    genesys_resource_types: CommaList = Field(
        ("interaction",), description="`resourceTypes` of the subscription, comma separated."
    )
    genesys_event_types: CommaList = Field(
        ("created", "updated", "ended"), description="`eventTypes` of the subscription, comma separated."
    )
    genesys_idle_timeout: float = Field(
        90.0, gt=0, description="Seconds without a byte after which the event stream is opened again."
    )
    genesys_queues: CommaList = Field(
        ("*",), description="Queues to listen to: ids or name patterns (`Priority*`), comma separated."
    )
    genesys_users: CommaList = Field((), description="Users whose conversations are listened to: ids or name patterns.")
    genesys_topics: CommaList = Field(
        ("v2.routing.queues.{queue}.conversations",),
        description="Topic templates; `{queue}` and `{user}` are filled in, others are taken as they are.",
    )
    genesys_queue_refresh: float = Field(300.0, gt=0, description="Seconds between two looks for new queues.")
    genesys_heartbeat_timeout: float = Field(
        35.0, gt=0, description="Seconds of silence after which a notification socket is taken for dead."
    )
    genesys_channel_rotate: float = Field(
        23 * 3600.0,
        gt=0,
        description="Age in seconds at which a channel is replaced (Genesys ends it at 24 h).",
    )
    genesys_channel_overlap: float = Field(
        45.0, ge=0, description="Seconds that the old and the new channel run side by side."
    )
    genesys_drop_unchanged: bool = Field(
        True, description="Drop conversation snapshots that repeat the state last seen, and count them."
    )
    genesys_backfill: bool = Field(True, description="Fill gaps in the notifications from the analytics query.")
    genesys_backfill_delays: Annotated[tuple[float, ...], NoDecode] = Field(
        (6.0, 60.0),
        min_length=1,
        description="Seconds after a gap's end at which the analytics query is asked, comma separated.",
    )
    genesys_backfill_max_age: float = Field(
        6 * 3600.0, gt=0, description="Age in seconds at which an unhealed gap is given up and reported."
    )
    genesys_max_line_bytes: int = Field(
        900_000, ge=1_000, le=10_000_000, description="A longer line or frame becomes a failure record."
    )
    genesys_shards: int = Field(
        1,
        ge=1,
        le=20,
        description="Least number of notification channels that the workers share; 1,000 topics need one more each.",
    )

    # Kafka
    kafka_bootstrap_servers: str = Field("127.0.0.1:9092", description="Brokers, comma separated.")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How to talk to the brokers."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] = Field(
        "PLAIN", description="SASL mechanism, for the SASL_* protocols."
    )
    kafka_sasl_username: str | None = Field(None, description="User for PLAIN and SCRAM.")
    kafka_sasl_password: SecretStr | None = Field(None, description="Password for PLAIN and SCRAM.")
    kafka_sasl_oauth_token_url: str | None = Field(None, description="Token endpoint for OAUTHBEARER.")
    kafka_sasl_oauth_client_id: str | None = Field(None, description="Client id for OAUTHBEARER.")
    kafka_sasl_oauth_client_secret: SecretStr | None = Field(None, description="Client secret for OAUTHBEARER.")
    kafka_sasl_oauth_scope: str | None = Field(None, description="Scope asked for with OAUTHBEARER.")
    kafka_ssl_cafile: Path | None = Field(None, description="CA certificates that the brokers are checked with.")
    kafka_ssl_certfile: Path | None = Field(None, description="Client certificate, for mTLS.")
    kafka_ssl_keyfile: Path | None = Field(None, description="Key of the client certificate.")
    kafka_ssl_key_password: SecretStr | None = Field(None, description="Password of the client key.")
    kafka_ssl_check_hostname: bool = Field(True, description="Check that the certificate names the broker.")
    kafka_topic_prefix: str = Field("genesys.", pattern=KAFKA_NAME, description="Put before every topic name.")
    kafka_topic_partitions: int = Field(4, ge=1, description="Partitions of the topics that the worker creates.")
    kafka_replication_factor: int | None = Field(
        None,
        ge=1,
        description="Replicas of the topics that the worker creates; unset: 3, or as many as brokers.",
    )
    kafka_create_topics: bool = Field(True, description="Create missing topics at start.")
    kafka_group: str | None = Field(
        None,
        pattern=KAFKA_NAME,
        description="Consumer group, which names the changelogs too; unset: the prefix + `eventbridge`.",
    )
    kafka_max_message_bytes: int = Field(
        1_000_000,
        ge=100_000,
        description="Largest message sent; keep it below the brokers' message.max.bytes.",
    )

    # AWS
    aws_region: str | None = Field(None, description="Region; unset: AWS's own chain (AWS_DEFAULT_REGION, profile).")
    aws_endpoint_url: str | None = Field(None, description="One endpoint for all AWS clients: an emulator.")
    eventbus_name: str = Field("default", description="Name or ARN of the event bus.")
    dlq_queue_url: str | None = Field(
        None, description="SQS dead-letter queue, standard or FIFO; unset: failures stay in Kafka only."
    )
    max_retries: int = Field(5, ge=0, description="Further attempts for a retryable entry before it is a failure.")
    eventbridge_request_bytes: int = Field(
        999_999,
        ge=1_000,
        description="Limit of one PutEvents request, counted as AWS counts it (less than 1 MB).",
    )
    eventbridge_linger_ms: int = Field(50, ge=0, description="How long a request waits to be filled.")
    eventbridge_in_flight: int = Field(8, ge=1, le=64, description="PutEvents requests at the same time.")
    eventbridge_timeout: float = Field(10.0, gt=0, description="Read timeout of one AWS request, in seconds.")
    metrics_namespace: str = Field("GenesysEventPipeline", description="CloudWatch namespace.")
    cloudwatch_enabled: bool = Field(True, description="Send metrics to CloudWatch each minute.")

    # The pipeline
    routes_dir: Path = Field(Path(__file__).resolve().parent.parent / "schemas", description="Folder of routes.")
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
        description="Seconds for which an event that comes again, with the same id, is dropped; 0 turns that off.",
    )
    flood_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Share of failing events above which the process stage pauses; 1 turns that off.",
    )
    flood_min: int = Field(100, ge=1, description="Events that routes must have taken before the share counts.")
    flood_window: float = Field(60.0, gt=0, description="Seconds over which the share is taken.")
    worker_roles: CommaList = Field(ROLES, description="Stages this worker runs; `worker --role` sets it.")
    report_interval: float = Field(60.0, gt=0, description="Seconds between two [Pipeline Report] log lines.")
    metrics_retention: float = Field(
        24 * 3600.0, ge=300, description="Seconds that one-minute windows stay in the tables."
    )
    shutdown_grace: float = Field(
        8.0, gt=0, description="Seconds that work in flight gets to end at a stop or a rebalance."
    )
    data_dir: Path = Field(Path("~/.cache/genesys-eventbridge"), description="Folder for local state of Faust.")
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="`console`, `json`, or by whether the output is a terminal."
    )
    log_level: str = Field("INFO", description="Least level that is logged.")

    # Web
    web_host: str = Field("127.0.0.1", description="Address that the web views listen on.")
    web_port: int = Field(6066, ge=1, le=65535, description="Port of the web views.")
    web_token: SecretStr | None = Field(None, description="Bearer token that every page but health asks for.")
    web_advertised_url: str | None = Field(
        None, description="URL at which the other workers reach this one's web views; unset: host and port."
    )

    @field_validator(
        "genesys_resource_types", "genesys_event_types", "genesys_queues", "genesys_users", "genesys_topics",
        "genesys_backfill_delays", "redact_fields", "worker_roles", mode="before",
    )  # fmt: skip
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("genesys_backfill_delays")
    @classmethod
    def _rising(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if value[0] < 0 or list(value) != sorted(value):
            raise ValueError("must be seconds, none below zero, each at least the one before")
        return value

    @field_validator("redact_fields")
    @classmethod
    def _paths(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        redactor(value)
        for path in value:
            # JSONPath or JSONata would be taken for a name that no event has, and would mask nothing.
            if path.startswith("$") or any(sign in path for sign in "[]/"):
                raise ValueError(f"{path}: a path is field names between dots, such as eventBody.ani; "
                                 "lists need no step")  # fmt: skip
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

    @field_validator("genesys_source")
    @classmethod
    def _known_source(cls, value: str) -> str:
        if value in ("notifications", "stream", "none") or (value.startswith("file:") and len(value) > 5):
            return value
        raise ValueError("must be notifications, stream, file:PATH or none")

    @field_validator("genesys_region")
    @classmethod
    def _known_region(cls, value: str | None) -> str | None:
        region = value.strip().lower() if value is not None else None
        if region is not None and region not in REGION_DOMAINS:
            raise ValueError(f"unknown region; known are {', '.join(sorted(REGION_DOMAINS))}")
        return region

    @field_validator("genesys_base_url", "genesys_login_url", "aws_endpoint_url", "web_advertised_url")
    @classmethod
    def _http_url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/") if value is not None else None

    @field_validator("dlq_queue_url")
    @classmethod
    def _queue_url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError(
                "must be the queue's URL (https://sqs.REGION.amazonaws.com/ACCOUNT/NAME), not its name or ARN"
            )
        return value

    @cached_property
    def api_url(self) -> str:
        """API host: `GENESYS_BASE_URL` when set, else the region's host."""
        if self.genesys_region and "genesys_base_url" not in self.model_fields_set:
            return f"https://api.{REGION_DOMAINS[self.genesys_region]}"
        return self.genesys_base_url

    @cached_property
    def login_url(self) -> str:
        """Login host; a host without `api.` is its own login host (DESIGN of the outside contract)."""
        return self.genesys_login_url or self.api_url.replace("//api.", "//login.", 1)

    @cached_property
    def group(self) -> str:
        """Consumer group, which is Faust's app id: pipelines with other topics are other groups."""
        return self.kafka_group or f"{self.kafka_topic_prefix}eventbridge"

    def topic(self, name: str) -> str:
        """Full name of the topic called `name` in the flow."""
        return f"{self.kafka_topic_prefix}{name}"

    def require_genesys(self) -> None:
        """Raise SettingsError unless the credentials that `GENESYS_SOURCE` needs are there."""
        if self.genesys_source not in ("notifications", "stream"):
            return
        missing = [
            name
            for name, value in (
                ("GENESYS_CLIENT_ID", self.genesys_client_id),
                ("GENESYS_CLIENT_SECRET", self.genesys_client_secret),
            )
            if value is None
        ]
        if missing:
            raise SettingsError(
                f"{' and '.join(missing)} not set: create an OAuth client with the client-credentials grant "
                "in Genesys Cloud and set both, or set GENESYS_SOURCE=none or file:PATH to do without"
            )


def load_settings(**overrides: Any) -> Settings:
    """Read the environment. Raises SettingsError with one line for each wrong setting, never its value."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        lines = [_line(problem) for problem in error.errors(include_input=False, include_url=False)]
        raise SettingsError("; ".join(lines)) from None


def _line(problem: ErrorDetails) -> str:
    name = ".".join(str(part) for part in problem["loc"]).upper()
    return f"{name}: {problem['msg'].removeprefix('Value error, ')}"
