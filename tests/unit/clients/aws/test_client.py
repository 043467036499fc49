"""Tests of what an AWS error means, and of clients that cannot be opened."""

import pytest
from botocore import exceptions

from clients.aws.answers import AWS_ERRORS, AwsConfigurationError, error_code, http_status, is_unanswered
from clients.aws.client import open_client
from processors.delivery.refusals import CREDENTIALS
from settings import load_settings


@pytest.mark.parametrize(
    "error",
    [
        exceptions.EndpointConnectionError(endpoint_url="x"),
        exceptions.ConnectTimeoutError(endpoint_url="x"),
        exceptions.ConnectionClosedError(endpoint_url="x"),
        exceptions.ReadTimeoutError(endpoint_url="x"),
        exceptions.SSLError(endpoint_url="x", error="y"),
        exceptions.ProxyConnectionError(proxy_url="x"),
        exceptions.HTTPClientError(error="x"),
        exceptions.NoCredentialsError(),
        exceptions.CredentialRetrievalError(provider="x", error_msg="y"),
        exceptions.TokenRetrievalError(provider="x", error_msg="y"),
        exceptions.UnauthorizedSSOTokenError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_answer(error):
    assert is_unanswered(error)
    assert isinstance(error, AWS_ERRORS)
    assert (error_code(error), http_status(error)) == (type(error).__name__, None)


@pytest.mark.parametrize("code", sorted(CREDENTIALS))
def test_an_answer_about_credentials_is_none_about_the_events(refusal, code):
    assert is_unanswered(refusal(code, 403))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ThrottlingException", 400),
        ("InternalException", 500),
        ("AccessDeniedException", 400),
        ("ValidationException", 400),
    ],
)
def test_an_answer(refusal, code, expected):
    error = refusal(code, expected)
    assert not is_unanswered(error)
    assert (error_code(error), http_status(error)) == (code, expected)


def test_what_the_sdk_itself_refuses_is_no_silence():
    assert not is_unanswered(exceptions.ParamValidationError(report="x"))


def test_an_answer_without_code_or_status():
    error = exceptions.ClientError({}, "PutEvents")
    assert (error_code(error), http_status(error)) == ("Unknown", None)


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({}, "set AWS_REGION"),
        ({"AWS_REGION": "eu west"}, "fix AWS_REGION"),
        ({"AWS_PROFILE": "nobody", "AWS_REGION": "eu-west-1"}, "profile"),
    ],
)
async def test_what_is_set_wrong_is_one_clear_line(monkeypatch, tmp_path, environment, reason):
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(AwsConfigurationError, match=reason):
        async with open_client(load_settings(), "events"):
            pass


async def test_a_client_makes_one_attempt_with_our_timeouts():
    settings = load_settings(eventbridge_timeout=3, aws_endpoint_url="http://127.0.0.1:1")
    async with open_client(settings, "events") as client:
        config = client._client.meta.config
        assert config.retries["total_max_attempts"] == 1
        assert (config.read_timeout, config.connect_timeout) == (3, 3)
        with pytest.raises(exceptions.EndpointConnectionError):
            await client.describe_event_bus(Name="b")
