"""This module holds the settings of the web views."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

from settings.fields import URL, CommaList

#: The name that WEB_TOKEN goes by in the record of actions.
ONE_TOKEN = "token"


@dataclass(frozen=True, slots=True)
class WebToken:
    """Who may ask, and whether for changes too."""

    name: str
    may_act: bool
    secret: SecretStr


def _parsed(text: str) -> tuple[WebToken, ...]:
    """Read `name:read|act:secret`, several with commas between. Raises ValueError, which tells no secret."""
    found = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, right, secret = (*part.split(":", 2), "", "")[:3]
        if not name or right not in ("read", "act") or not secret:
            raise ValueError("must be name:read:secret or name:act:secret, several with commas between")
        found.append(WebToken(name, right == "act", SecretStr(secret)))
    if len({one.name for one in found} | {ONE_TOKEN}) != len(found) + 1:
        raise ValueError(f"must give each token a name of its own, and none the name {ONE_TOKEN} (WEB_TOKEN has it)")
    return tuple(found)


class WebSettings(BaseSettings):
    """Where the views listen, and who may see them."""

    web_host: str = Field("127.0.0.1", description="Address that the web views listen on.")
    web_port: int = Field(6066, ge=1, le=65535, description="Port of the web views.")
    web_token: SecretStr | None = Field(None, description="Bearer token that every page but health asks for.")
    web_tokens: SecretStr | None = Field(
        None,
        description="More tokens, as `name:read:secret` or `name:act:secret` with commas between: `act` may pause, "
        "resume and redrive, and the name stands in the record of it.",
    )
    web_advertised_url: URL | None = Field(
        None, description="URL at which the other workers reach this one's web views; unset: host and port."
    )
    web_allowed_hosts: CommaList = Field(
        (),
        description="Further names by which the web views may be asked, such as that of a Service or a proxy, comma "
        "separated. Loopback, `WEB_HOST`, the host of `WEB_ADVERTISED_URL` and the address connected to always may.",
    )

    @field_validator("web_tokens")
    @classmethod
    def _tokens(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            _parsed(value.get_secret_value())
        return value

    @cached_property
    def tokens(self) -> tuple[WebToken, ...]:
        """All tokens; none: everybody who reaches the port may do everything."""
        one = (WebToken(ONE_TOKEN, True, self.web_token),) if self.web_token is not None else ()
        return (*one, *(_parsed(self.web_tokens.get_secret_value()) if self.web_tokens is not None else ()))

    @property
    def web_url(self) -> str:
        """URL of the web views: the one advertised, else that of host and port, on loopback for every address."""
        host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.web_host, self.web_host)
        return self.web_advertised_url or f"http://{f'[{host}]' if ':' in host else host}:{self.web_port}"
