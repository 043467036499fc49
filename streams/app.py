"""This module makes the Faust app: one consumer group, one producer, the web server and the table manager."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable

import faust
import structlog
from faust.auth import Credentials, OAuthCredentials, SASLCredentials, SSLCredentials
from yarl import URL

from clients.kafka.login import OAuthTokens, _require_login, ssl_context
from processors.routes.routes import Routes
from settings import Settings, SettingsError, load_settings
from streams.faust_patches.apply import harden
from streams.middleware import middlewares

log = structlog.get_logger(__name__)

#: Modules that Faust imports to find agents, tables and views; so nothing here imports upwards.
DISCOVERED = [
    "streams.worker.preflight",
    "streams.worker.telemetry",
    "streams.worker.watchdog",
    "streams.worker.reload_routes",
    "streams.tables.definitions",
    "streams.views",
    "agents",
]


class PipelineApp(faust.App):
    """The app, with a step before anything is started: what is wrong by then ends the start."""

    settings: Settings
    routes: Routes
    before_start: Callable[[], Awaitable[None]] | None = None
    exit_code: int = 0

    @property
    def shutdown_grace(self) -> float:
        """Seconds that events in flight get at a stop or a rebalance (streams/faust_patches/apply.py)."""
        return self.settings.shutdown_grace

    def _on_autodiscovery_error(self, name: str) -> None:
        # Stock Faust logs a warning and runs without the agents of the module that failed.
        raise

    def end_worker(self, reason: str, exit_code: int = 2) -> None:
        """End this worker in order; by default with the exit code that says: only you can fix `reason`."""
        log.log(logging.CRITICAL if exit_code else logging.INFO, "stopping", reason=reason)
        print(f"genesys-eventbridge: {reason}", file=sys.stderr, flush=True)
        self.exit_code = exit_code
        os.kill(os.getpid(), signal.SIGTERM)

    async def on_first_start(self) -> None:
        if self.before_start is not None:
            await self.before_start()
        self.conf.datadir.mkdir(parents=True, exist_ok=True)
        await super().on_first_start()


def credentials(settings: Settings) -> Credentials | None:
    """What Faust logs in with. Raises SettingsError when a setting that the protocol needs is missing."""
    context = ssl_context(settings)
    if not settings.kafka_security_protocol.startswith("SASL"):
        return SSLCredentials(context) if context else None
    _require_login(settings)
    if settings.kafka_sasl_mechanism == "OAUTHBEARER":
        return OAuthCredentials(oauth_cb=OAuthTokens(settings), ssl_context=context)
    return SASLCredentials(
        mechanism=settings.kafka_sasl_mechanism,
        username=settings.kafka_sasl_username,
        password=settings.kafka_sasl_password.get_secret_value(),  # type: ignore[union-attr]
        ssl_context=context,
    )


def create_app(settings: Settings) -> PipelineApp:
    """Make the app. Raises SettingsError for Kafka settings that do not fit together.

    Times are chosen so that the heirs of a dead worker are at work within 15 s and a rebalance ends within 30 s.
    """
    harden()
    app = PipelineApp(
        settings.group,
        broker=[URL(f"kafka://{server}") for server in settings.kafka_bootstrap_servers.split(",")],
        broker_credentials=credentials(settings),
        broker_client_id="genesys-eventbridge",
        broker_session_timeout=8.0,
        broker_heartbeat_interval=1.0,
        broker_rebalance_timeout=30.0,
        broker_request_timeout=30.0,
        broker_commit_interval=0.5,
        broker_max_poll_interval=300.0,
        producer_acks=-1,
        producer_linger=0.005,
        producer_max_batch_size=262_144,
        producer_max_request_size=settings.kafka_max_message_bytes + 48_576,
        producer_request_timeout=30.0,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=2 * 1024 * 1024,
        stream_wait_empty=True,
        stream_recovery_delay=0.0,
        topic_allow_declare=False,  # streams/worker/preflight.py makes the topics: one place knows their settings
        topic_disable_leader=True,
        table_standby_replicas=1,
        table_cleanup_interval=30.0,
        key_serializer="json",  # topics hold bytes (streams/topics.py), tables have codecs (streams/tables/codecs.py)
        value_serializer="json",
        store="memory://",
        datadir=settings.data_dir.expanduser() / settings.group,
        web_bind=settings.web_host,
        web_host=settings.web_host,
        web_port=settings.web_port,
        web_in_thread=False,
        web_tables_enabled=False,
        web_router_enabled=False,
        web_graph_enabled=False,
        web_stats_enabled=False,
        web_metrics_enabled=False,
        web_application_options={"client_max_size": 1024 * 1024, "middlewares": middlewares(settings.web_token)},
        canonical_url=settings.web_url,
        worker_redirect_stdouts=False,
        Monitor="streams.delivery.send:Monitor",
        Worker="streams.worker.runner:Runner",  # so that `faust worker` ends as our own command does
        autodiscover=DISCOVERED,
        origin="streams",
        reply_create_topic=False,
    )
    app.settings = settings
    return app


def _create_or_exit() -> PipelineApp:
    try:
        return create_app(load_settings())
    except (SettingsError, RuntimeError) as error:
        print(f"genesys-eventbridge: {error}", file=sys.stderr)
        sys.exit(2)


app = _create_or_exit()
settings = app.settings
