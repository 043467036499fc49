"""This module makes the Faust app: one consumer group, one producer, the web server and the table manager."""

from __future__ import annotations

import sys
from typing import Any

from faust.auth import Credentials, OAuthCredentials, SASLCredentials, SSLCredentials
from yarl import URL

from clients.kafka.configs import BATCH_BYTES
from clients.kafka.login import require_login, ssl_context, token_provider
from settings import Settings, SettingsError, load_settings
from streams.faust_patches.apply import harden
from streams.pipeline import PipelineApp
from streams.web.allowed_hosts import Hosts
from streams.web.middleware import middlewares

#: Modules that Faust imports to find agents and views; so nothing here imports upwards.
DISCOVERED = ["streams.views", "agents"]


def credentials(settings: Settings) -> Credentials | None:
    """What Faust logs in with. Raises SettingsError when a setting that the protocol needs is missing."""
    context = ssl_context(settings)
    if not settings.kafka_security_protocol.startswith("SASL"):
        return SSLCredentials(context) if context else None
    require_login(settings)
    if provider := token_provider(settings):
        return OAuthCredentials(oauth_cb=provider, ssl_context=context)
    return SASLCredentials(
        mechanism=settings.kafka_sasl_mechanism,
        username=settings.kafka_sasl_username,
        password=settings.kafka_sasl_password.get_secret_value(),  # type: ignore[union-attr]
        ssl_context=context,
    )


def _kafka(settings: Settings) -> dict[str, Any]:
    """Times are chosen so that the heirs of a dead worker are at work within 15 s and a rebalance ends within 30 s."""
    return dict(
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
        producer_max_batch_size=min(BATCH_BYTES, settings.kafka_max_message_bytes),
        producer_max_request_size=settings.kafka_max_message_bytes + 48_576,
        producer_request_timeout=30.0,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=2 * 1024 * 1024,
    )


def _streaming(settings: Settings) -> dict[str, Any]:
    """Topics, tables, and what stands in for parts of Faust."""
    return dict(
        stream_wait_empty=True,
        stream_recovery_delay=0.0,
        topic_allow_declare=False,  # streams/worker/topic_creation.py makes the topics: one place knows their settings
        topic_disable_leader=True,
        table_standby_replicas=1,
        table_cleanup_interval=30.0,
        key_serializer="json",  # topics hold bytes (streams/delivery/topics.py), tables have streams/tables/codecs.py
        value_serializer="json",
        store="memory://",
        datadir=settings.data_dir.expanduser() / settings.group,
        worker_redirect_stdouts=False,
        Monitor="streams.delivery.send:Monitor",
        Worker="streams.worker.runner:Runner",  # so that `faust worker` ends as our own command does
        autodiscover=DISCOVERED,
        origin="streams",
        reply_create_topic=False,
    )


def _guards(settings: Settings) -> list[Any]:
    """What stands before every view."""
    return middlewares(settings.tokens, Hosts.of(settings))


def _web(settings: Settings) -> dict[str, Any]:
    """One port a worker: its own views (streams/views/), none of Faust's."""
    return dict(
        web_bind=settings.web_host,
        web_host=settings.web_host,
        web_port=settings.web_port,
        web_in_thread=False,
        web_tables_enabled=False,
        web_router_enabled=False,
        web_graph_enabled=False,
        web_stats_enabled=False,
        web_metrics_enabled=False,
        web_application_options={"client_max_size": 1024 * 1024, "middlewares": _guards(settings)},
        canonical_url=settings.web_url,
    )


def create_app(settings: Settings) -> PipelineApp:
    """Make the app. Raises SettingsError for Kafka settings that do not fit together."""
    harden()
    app = PipelineApp(settings.group, **_kafka(settings), **_streaming(settings), **_web(settings))
    app.assemble(settings)
    return app


def _create_or_exit() -> PipelineApp:
    try:
        return create_app(load_settings())
    except (SettingsError, RuntimeError) as error:
        print(f"genesys-eventbridge: {error}", file=sys.stderr)
        sys.exit(2)


app = _create_or_exit()
