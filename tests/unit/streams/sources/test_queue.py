"""Tests of the queue as a source: what kept credentials away is waited out, whatever AWS's config file says by then."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from clients.aws import outage
from clients.aws.answers import AwsConfigurationError, NoAnswerError
from settings import load_settings
from streams.sources import queue

URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/events"


@pytest.mark.parametrize(
    "error",
    [NoAnswerError("no AWS credentials within 5 s"), AwsConfigurationError("the config profile could not be found")],
    ids=["an outage", "a setting that was right"],
)
async def test_a_client_that_cannot_be_opened_is_waited_for_and_told(monkeypatch, error):
    answers, troubles = [error, error, "client"], []

    @asynccontextmanager
    async def open_client(settings, service, **_):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        yield answer

    monkeypatch.setattr(queue, "open_client", open_client)
    monkeypatch.setattr(outage, "outage_backoff", lambda attempt, chance: 0.0)
    source = queue.QueueSource(load_settings(), URL, troubles.append)
    async with asyncio.timeout(60), source.open(0, lambda gap: None):
        assert troubles == [str(error), str(error), None]
