"""This module holds the settings of the Kafka side: brokers, credentials, topics and the group."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from settings.fields import Brokers, WholeURL

#: What Kafka takes in the name of a topic; changelogs are named by the group.
KAFKA_NAME = r"^[A-Za-z0-9._-]*$"


class KafkaSettings(BaseSettings):
    """Which brokers, how to reach them, and what the worker owns there."""

    kafka_bootstrap_servers: Brokers = Field("127.0.0.1:9092", description="Brokers as `host:port`, comma separated.")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How to talk to the brokers."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "AWS_MSK_IAM"] = Field(
        "PLAIN",
        description="SASL mechanism, for the SASL_* protocols; `AWS_MSK_IAM`: AWS's own credentials, for MSK "
        "(`pip install 'genesys-eventbridge[msk-iam]'`).",
    )
    kafka_sasl_username: str | None = Field(None, description="User for PLAIN and SCRAM.")
    kafka_sasl_password: SecretStr | None = Field(None, description="Password for PLAIN and SCRAM.")
    kafka_sasl_oauth_token_url: WholeURL | None = Field(None, description="Token endpoint for OAUTHBEARER.")
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

    @cached_property
    def group(self) -> str:
        """Consumer group, which is Faust's app id: pipelines with other topics are other groups."""
        return self.kafka_group or f"{self.kafka_topic_prefix}eventbridge"

    def topic(self, name: str) -> str:
        """Full name of the topic called `name` in the flow."""
        return f"{self.kafka_topic_prefix}{name}"
