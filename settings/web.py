"""This module holds the settings of the web views."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from settings.fields import URL


class WebSettings(BaseSettings):
    """Where the views listen, and who may see them."""

    web_host: str = Field("127.0.0.1", description="Address that the web views listen on.")
    web_port: int = Field(6066, ge=1, le=65535, description="Port of the web views.")
    web_token: SecretStr | None = Field(None, description="Bearer token that every page but health asks for.")
    web_advertised_url: URL | None = Field(
        None, description="URL at which the other workers reach this one's web views; unset: host and port."
    )

    @property
    def web_url(self) -> str:
        """URL of the web views: the one advertised, else that of host and port, on loopback for every address."""
        host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.web_host, self.web_host)
        return self.web_advertised_url or f"http://{f'[{host}]' if ':' in host else host}:{self.web_port}"
