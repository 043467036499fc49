"""This module is the emulated organisation: its parts, what they are told to do, and what has happened so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from emulators.genesys.access.gate import Gate
from emulators.genesys.access.limits import RateWindow
from emulators.genesys.access.permissions import ALL_PERMISSIONS, Permissions
from emulators.genesys.access.tokens import Login, Tokens
from emulators.genesys.event_stream.api import Streaming
from emulators.genesys.event_stream.connection import StreamContext
from emulators.genesys.event_stream.events import Shares, generate
from emulators.genesys.event_stream.ledger import StreamLedger
from emulators.genesys.event_stream.lines import Composer
from emulators.genesys.event_stream.production import Production
from emulators.genesys.faults import ActiveFaults, Faults
from emulators.genesys.notifications.assembly import Notifications
from emulators.genesys.notifications.channels import ChannelLimits

CLIENT_ID = "emulated-client"
CLIENT_SECRET = "emulated-secret"


class Organisation:
    """Everything but the server. `host` and `port`: where it serves; see GenesysEmulator for the rest."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        rate: float = 50.0,
        count: int | None = None,
        seed: int = 1,
        shares: Shares | None = None,
        faults: Faults | None = None,
        client_id: str = CLIENT_ID,
        client_secret: str = CLIENT_SECRET,
        token_seconds: int = 86_400,
        token_limit: int | None = None,
        api_limit: int = 300,
        api_window_seconds: float = 60.0,
        keep_alive_seconds: float = 5.0,
        conversation_rate: float | None = None,
        pace: float = 1.0,
        heartbeat_seconds: float = 30.0,
        event_queue: str | None = None,
        channel_limits: ChannelLimits | None = None,
        permissions: Iterable[str] = ALL_PERMISSIONS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.client_id, self.client_secret = client_id, client_secret
        self.ledger = StreamLedger()
        self.tokens = Tokens(token_seconds, clock)
        self._host, self._port = host, port
        self._active = ActiveFaults(faults or Faults())
        token_window = None if token_limit is None else RateWindow(token_limit, 60.0, clock)
        self.login = Login(self.tokens, client_id, client_secret, token_window)
        self.gate = Gate(self._active, self.tokens, RateWindow(api_limit, api_window_seconds, clock))
        source = generate(None, seed, shares, clock=lambda: datetime.fromtimestamp(clock(), UTC))
        self.production = Production(source, rate, count)
        context = StreamContext(self._active, self.ledger, self.production, Composer(seed), keep_alive_seconds)
        self.streaming = Streaming(context)
        self.permissions = Permissions(permissions)
        self.notifications = Notifications(
            self._active,
            self.tokens,
            self.permissions,
            clock,
            lambda: self.socket_url,
            rate=_conversation_rate(rate) if conversation_rate is None else conversation_rate,
            pace=pace,
            heartbeat_seconds=heartbeat_seconds,
            event_queue=event_queue,
            limits=channel_limits or ChannelLimits(),
            count=count,
            seed=seed,
        )

    @property
    def url(self) -> str:
        """Base URL of API and login, without a slash at the end; the port is known once it serves."""
        return f"http://{self._host}:{self._port}"

    @property
    def socket_url(self) -> str:
        """Where the `connectUri` of channels points."""
        return f"ws://{self._host}:{self._port}"

    @property
    def faults(self) -> Faults:
        return self._active.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._active.replace(faults)

    @property
    def rate(self) -> float:
        return self.production.rate

    @rate.setter
    def rate(self, rate: float) -> None:
        """Of the stream; new conversations follow in proportion."""
        self.production.rate = rate
        self.notifications.simulator.rate = _conversation_rate(rate)

    def cut(self) -> int:
        """Cut every open stream and socket now; answers how many."""
        return self.streaming.cut() + self.notifications.cut("cut by control")

    def more(self, count: int) -> None:
        """Let production end so many events later; without effect where it has no end."""
        for part in (self.production, self.notifications.feed):
            if part.count is not None:
                part.count += count

    def finish(self) -> None:
        """Produce nothing more; what waits is still delivered and streams stay open."""
        self.production.finish()
        self.notifications.feed.finish()

    def summary(self) -> dict[str, object]:
        """What has happened so far, as the control interface shows it."""
        return {
            "url": self.url,
            "rate": self.rate,
            "count": self.production.count,
            "stream": self.streaming.as_json(),
            "notifications": self.notifications.as_json(),
            "tokens": {
                "requests": self.login.requests,
                "issued": self.tokens.issued,
                "active": self.tokens.active(),
            },
            "requests": dict(self.gate.requests),
            "faults": dict(self._active.struck),
        }


def _conversation_rate(rate: float) -> float:
    return rate / 10 if rate else 5.0
