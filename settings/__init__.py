"""This package reads the environment: one field is one setting, and required means no default.

The fields stand by family, one a file. Their names are part of the outside contract (docs/settings.md lists
them; a test keeps the page true).
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from processors.event.headers import ENVELOPE_BYTES
from settings.aws import AWSSettings
from settings.errors import EXIT_USAGE, SettingsError, settings_error
from settings.fields import CommaList
from settings.files import FilesSource
from settings.genesys import REGION_DOMAINS, GenesysSettings
from settings.kafka import KAFKA_NAME, KafkaSettings
from settings.pipeline import LOG_LEVELS, ROLES, PipelineSettings
from settings.web import WebSettings

__all__ = [
    "EXIT_USAGE",
    "KAFKA_NAME",
    "LOG_LEVELS",
    "REGION_DOMAINS",
    "ROLES",
    "CommaList",
    "Settings",
    "SettingsError",
    "load_settings",
]


# pydantic takes the fields of the last base first: bottom up is the order of docs/settings.md and of the errors.
class Settings(WebSettings, PipelineSettings, AWSSettings, KafkaSettings, GenesysSettings):
    """All that can be set from outside. Times are seconds and sizes bytes unless a name says otherwise."""

    model_config = SettingsConfigDict(
        frozen=True, env_ignore_empty=True, extra="ignore", populate_by_name=True, allow_inf_nan=False
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, FilesSource(settings_cls), env_settings

    @property
    def max_line_bytes(self) -> int:
        """Bytes of the longest event taken in: GENESYS_MAX_LINE_BYTES, or less where a Kafka message has less room."""
        return min(self.genesys_max_line_bytes, self.kafka_max_message_bytes - ENVELOPE_BYTES)


def load_settings(**overrides: Any) -> Settings:
    """Read the environment. Raises SettingsError with one line for each wrong setting, never its value."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise settings_error(error) from None
