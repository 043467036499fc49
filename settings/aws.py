"""This module holds the settings of the AWS side: EventBridge, the SQS dead letters, CloudWatch."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from settings.fields import URL


class AWSSettings(BaseSettings):
    """Where events go, how hard it is tried, and where those end that cannot."""

    aws_region: str | None = Field(None, description="Region; unset: AWS's own chain (AWS_DEFAULT_REGION, profile).")
    aws_endpoint_url: URL | None = Field(None, description="One endpoint for all AWS clients: an emulator.")
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
    eventbridge_linger_ms: int = Field(
        50, ge=0, description="How long a request waits to be filled while others are under way."
    )
    eventbridge_in_flight: int = Field(32, ge=1, le=64, description="PutEvents requests at the same time.")
    put_events_rate: float | None = Field(
        None, gt=0, description="PutEvents requests a second, at most, of this worker; unset: as many as are answered."
    )
    eventbridge_client: Literal["direct", "aioboto3"] = Field(
        "direct", description="direct: PutEvents at a quarter of the SDK's CPU; aioboto3: the whole SDK for it."
    )
    eventbridge_timeout: float = Field(10.0, gt=0, description="Read timeout of one AWS request, in seconds.")
    metrics_namespace: str = Field("GenesysEventPipeline", description="CloudWatch namespace.")
    cloudwatch_enabled: bool = Field(True, description="Send metrics to CloudWatch, each REPORT_INTERVAL.")

    @field_validator("dlq_queue_url")
    @classmethod
    def _queue_url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError(
                "must be the queue's URL (https://sqs.REGION.amazonaws.com/ACCOUNT/NAME), not its name or ARN"
            )
        return value
