"""This module holds the settings of the Genesys Cloud side: hosts, credentials, what is listened to."""

from __future__ import annotations

import re
from functools import cached_property

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

from settings.errors import SettingsError
from settings.fields import URL, CommaList, CommaSeconds, NameList

#: API hosts by AWS region name (Genesys SDK 269).
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

#: A queue by its URL, which has a path, and no parameters.
_QUEUE = re.compile(r"sqs:https?://[^/\s?#]+(?:/[^/\s?#]+)+")


class GenesysSettings(BaseSettings):
    """Which events come from which Genesys organisation, and how."""

    genesys_region: str | None = Field(
        None, description="AWS region name of the Genesys organisation (`eu-west-1`); sets the API host."
    )
    genesys_base_url: URL = Field("https://api.mypurecloud.com", description="API host; wins over the region.")
    genesys_login_url: URL | None = Field(
        None, description="Login host; derived from the API host (`//api.` becomes `//login.`) when unset."
    )
    genesys_client_id: str | None = Field(None, description="OAuth client id (client-credentials grant).")
    genesys_client_secret: SecretStr | None = Field(None, description="OAuth client secret.")
    genesys_source: str = Field(
        "notifications",
        description="Where events come from: `notifications`, `stream`, `sqs:QUEUE_URL` (Genesys' own EventBridge "
        "integration), `file:PATH` or `none`.",
    )
    genesys_events: CommaList = Field(
        ("snapshots", "steps"),
        description="What the notification source makes of conversations: `snapshots` as they come, `steps` derived "
        "from them (`user.start`, `hold`, `wrapup`, …), or both, comma separated. Other topics come either way.",
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
    genesys_queues: NameList = Field(
        ("*",),
        description="Queues to listen to: ids, names or patterns (`Priority*`), with commas between or as a JSON "
        "array. What is a queue's name means that queue; `=` before it: always a name, `~`: always a pattern.",
    )
    genesys_users: NameList = Field(
        (), description="Users whose topics are listened to: ids, names or patterns, as for queues."
    )
    genesys_topics: CommaList = Field(
        ("v2.routing.queues.{queue}.conversations",),
        description="Topic templates; `{queue}`, `{user}` and `{conversation}` are filled in (Genesys' own `{id}` "
        "is read as the one that fits), others are taken as they are.",
    )
    genesys_conversation_linger: float = Field(
        300.0,
        ge=0,
        description="Seconds after a conversation's end for which its own topics (`{conversation}`) are kept.",
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
    genesys_backfill_delays: CommaSeconds = Field(
        (6.0, 60.0),
        description="Seconds after a gap's end at which the analytics query is asked, comma separated.",
    )
    genesys_backfill_max_age: float = Field(
        6 * 3600.0, gt=0, description="Age in seconds at which an unhealed gap is given up and reported."
    )
    genesys_max_line_bytes: int = Field(
        900_000,
        ge=1_000,
        le=10_000_000,
        description="A longer line or frame is a failure record, as is what KAFKA_MAX_MESSAGE_BYTES has no room for.",
    )
    genesys_shards: int = Field(
        1,
        ge=1,
        le=20,
        description="Least number of notification channels that the workers share; 1,000 topics need one more each.",
    )

    @field_validator("genesys_backfill_delays")
    @classmethod
    def _rising(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if value[0] < 0 or list(value) != sorted(value):
            raise ValueError("must be seconds, none below zero, each at least the one before")
        return value

    @field_validator("genesys_events")
    @classmethod
    def _known_events(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or not set(value) <= {"snapshots", "steps"}:
            raise ValueError("must be snapshots, steps or both")
        return value

    @field_validator("genesys_source")
    @classmethod
    def _known_source(cls, value: str) -> str:
        if value in ("notifications", "stream", "none") or (value.startswith("file:") and len(value) > 5):
            return value
        if _QUEUE.fullmatch(value):
            return value
        raise ValueError(
            "must be notifications, stream, sqs:QUEUE_URL (sqs:https://sqs.REGION.amazonaws.com/ACCOUNT/NAME), "
            "file:PATH or none"
        )

    @field_validator("genesys_region")
    @classmethod
    def _known_region(cls, value: str | None) -> str | None:
        region = value.strip().lower() if value is not None else None
        if region is not None and region not in REGION_DOMAINS:
            raise ValueError(f"unknown region; known are {', '.join(sorted(REGION_DOMAINS))}")
        return region

    @cached_property
    def api_url(self) -> str:
        """API host: `GENESYS_BASE_URL` when set, else the region's host."""
        if self.genesys_region and "genesys_base_url" not in self.model_fields_set:
            return f"https://api.{REGION_DOMAINS[self.genesys_region]}"
        return self.genesys_base_url

    @property
    def source_queue_url(self) -> str | None:
        """URL of the queue that events come from; None for another source."""
        return self.genesys_source.removeprefix("sqs:") if self.genesys_source.startswith("sqs:") else None

    @cached_property
    def login_url(self) -> str:
        """Login host; a host without `api.` is its own login host."""
        return self.genesys_login_url or self.api_url.replace("//api.", "//login.", 1)

    def require_genesys(
        self, otherwise: str = ", or set GENESYS_SOURCE to sqs:QUEUE_URL, file:PATH or none, which need neither"
    ) -> None:
        """Raise SettingsError without the credentials that `GENESYS_SOURCE` needs; `otherwise` says what else helps."""
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
                f"in Genesys Cloud and set both{otherwise}"
            )
