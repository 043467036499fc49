"""Tests of who answered, against an emulator in whose place somebody else answers: every page, on every service."""

import asyncio
import gzip
import re
import zlib

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from clients.aws.answer_shapes import MAX_BODY, unpacked
from clients.aws.answers import (
    AWS_ERRORS,
    AwsConfigurationError,
    NoAnswerError,
    NoCredentialsGivenError,
    ask,
    note_sent,
    reason,
)
from clients.aws.client import open_client
from clients.aws.events.direct import open_events
from clients.aws.events.eventbridge import Accepted, EventBridge, Outage
from clients.aws.sqs_sender import Blame, QueueMessage, QueueSender
from emulators.aws import AWSEmulator, Faults, RequestFault
from emulators.aws.calls import SERVICES
from emulators.pages import PAGES
from processors.delivery.entries import Entry
from settings import load_settings

#: Successes that no service gives.
FOREIGN = ("empty", "html", "latin-1", "list", "other")


@pytest.fixture
async def aws():
    async with AWSEmulator(queues=["failures"]) as emulator:
        yield emulator


@pytest.fixture
def open_(aws, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    def opened(service, **changes):
        return open_client(load_settings(aws_endpoint_url=aws.url, aws_region="eu-west-1", **changes), service)

    return opened


def answered_by_a_proxy(aws, page, status):
    aws.faults = Faults(
        requests=tuple(RequestFault(service=one, kind="page", page=page, status=status) for one in SERVICES)
    )


@pytest.mark.parametrize("status", [200, 403, 407, 502])
@pytest.mark.parametrize("client_name", ["direct", "aioboto3"])
async def test_a_page_is_no_answer_about_any_event(aws, open_, client_name, status):
    settings = load_settings(aws_endpoint_url=aws.url, aws_region="eu-west-1", eventbridge_client=client_name)
    async with open_events(settings) as client:
        for page in PAGES:
            answered_by_a_proxy(aws, page, status)
            results = await EventBridge(client).put([Entry({"Detail": "{}"}, 2)] * 2)
            assert [type(result) for result in results] == [Outage, Outage], page


@pytest.mark.parametrize("status", [200, 403, 407, 502])
async def test_a_page_is_no_answer_about_any_record(aws, open_, status):
    async with open_("sqs") as client:
        queue = QueueSender(client, f"{aws.url}/123456789012/failures", on_trouble=lambda _: None)
        for page in PAGES:
            answered_by_a_proxy(aws, page, status)
            failed = await queue._attempt([QueueMessage("{}", "g", "d")] * 2, [0, 1])
            assert {blame for _, blame in failed.values()} == {Blame.OUTAGE}, page


@pytest.mark.parametrize("status", [403, 407])
@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("events", "describe_event_bus", {"Name": "b"}),
        ("sqs", "get_queue_attributes", {"QueueUrl": "http://x/1/q"}),
        ("cloudwatch", "put_metric_data", {"Namespace": "n", "MetricData": [{"MetricName": "m", "Value": 1}]}),
        ("schemas", "describe_schema", {"RegistryName": "r", "SchemaName": "s"}),
    ],
)
async def test_no_call_raises_anything_else_over_a_page(aws, open_, service, operation, parameters, status):
    async with open_(service) as client:
        for page in PAGES:
            answered_by_a_proxy(aws, page, status)
            with pytest.raises(AWS_ERRORS) as caught:
                await getattr(client, operation)(**parameters)
            assert "Traceback" not in reason(caught.value), page


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "pages"),
    [
        ("events", "describe_event_bus", {"Name": "b"}, FOREIGN),
        ("sqs", "receive_message", {"QueueUrl": "http://x/1/q"}, FOREIGN),
        (
            "sqs",
            "delete_message",
            {"QueueUrl": "http://x/1/q", "ReceiptHandle": "r"},
            FOREIGN[1:],
        ),  # says nothing itself
        ("schemas", "describe_schema", {"RegistryName": "r", "SchemaName": "s"}, FOREIGN),
        ("cloudwatch", "put_metric_data", {"Namespace": "n", "MetricData": [{"MetricName": "m", "Value": 1}]}, FOREIGN),
    ],
)
async def test_a_success_that_is_none_of_that_service_is_no_answer(aws, open_, service, operation, parameters, pages):
    async with open_(service) as client:
        for page in pages:
            answered_by_a_proxy(aws, page, 200)
            with pytest.raises(NoAnswerError, match="status 200 that is not from AWS"):
                await getattr(client, operation)(**parameters)


@pytest.mark.parametrize("packing", ["gzip", "deflate"])
@pytest.mark.parametrize("client_name", ["direct", "aioboto3"])
async def test_an_answer_that_was_packed_on_the_way_is_read(open_, client_name, packing):
    """Its entries are on the bus: who did not read it would put them again and again."""

    async def packed(request):
        answer = web.Response(
            body=b'{"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}', content_type="application/x-amz-json-1.1"
        )
        answer.enable_compression(web.ContentCoding(packing), strategy=None)
        return answer

    server = TestServer(web.Application())
    server.app.router.add_post("/", packed)
    async with server:
        settings = load_settings(
            aws_endpoint_url=str(server.make_url("")), aws_region="eu-west-1", eventbridge_client=client_name
        )
        async with open_events(settings) as client:
            assert await EventBridge(client).put([Entry({"Detail": "{}"}, 2)]) == [Accepted("1")]


@pytest.mark.parametrize("body", [zlib.compress(b"x")[:-1], b"no gzip", gzip.compress(b" " * (MAX_BODY + 1))])
def test_what_cannot_be_unpacked_is_no_answer(body):
    with pytest.raises(ResponseParserError):
        unpacked({"Content-Encoding": "gzip"}, body)


@pytest.mark.parametrize("size", [100, 300_000])
async def test_a_413_is_about_a_message_that_is_large(aws, open_, size):
    answered_by_a_proxy(aws, "html", 413)
    async with open_("sqs") as client:
        queue = QueueSender(client, f"{aws.url}/123456789012/failures", on_trouble=lambda _: None)
        failed = await queue._attempt([QueueMessage("x" * size, "g", "d")], [0])
    assert failed[0][1] is (Blame.MESSAGE if size > 250_000 else Blame.UNKNOWN)


async def test_the_reason_names_the_proxy(aws, open_):
    answered_by_a_proxy(aws, "html", 403)
    async with open_("events") as client:
        with pytest.raises(NoAnswerError) as caught:
            await client.describe_event_bus(Name="b")
    assert re.search(
        "status 403 that is not from AWS .*squid.*via: 1.1 proxy.example.*look at the proxy", str(caught.value)
    )


@pytest.mark.parametrize("code", ["AccessDeniedException", "ValidationException"])
async def test_what_aws_itself_refuses_stays_its_answer(aws, open_, code):
    aws.faults = Faults(requests=(RequestFault(kind="answer", status=400, code=code),))
    async with open_("events") as client:
        with pytest.raises(ClientError, match=code):
            await client.describe_event_bus(Name="b")


async def test_a_call_ends_in_time_whatever_the_library_does():
    async def call():
        note_sent()
        await asyncio.Event().wait()

    with pytest.raises(NoAnswerError, match=r"no answer within 0.01 s"):
        await ask(call(), 0.01)
    with pytest.raises(NoCredentialsGivenError, match=r"no AWS credentials within 0.01 s"):
        await ask(asyncio.Event().wait(), 0.01)


async def test_a_proxy_that_falls_silent_is_no_answer_in_time(monkeypatch, open_):
    async def fall_silent(reader, writer):
        await reader.read()  # until the client goes
        writer.close()

    silent = await asyncio.start_server(fall_silent, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    try:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        settings = load_settings(aws_region="eu-west-1", eventbridge_timeout=0.2)
        async with open_client(settings, "events") as client:
            with pytest.raises(AWS_ERRORS):
                await client.describe_event_bus(Name="b")
    finally:
        silent.close()
        await silent.wait_closed()


CONFIG = """
[profile process]
credential_process = {process}
[profile loop]
role_arn = arn:aws:iam::1:role/x
source_profile = nobody
[profile sso]
sso_session = s
sso_account_id = 1
sso_role_name = r
[sso-session s]
sso_region = eu-west-1
sso_start_url = https://example.invalid/start
"""
EXPIRED = '{{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "b", "SessionToken": "c", "Expiration": "{0}"}}'


@pytest.fixture
def profile(tmp_path, monkeypatch):
    """Choose a profile, whose credential_process runs a script of this text."""

    def choose(name, script=None):
        program = tmp_path / "give"
        if script is not None:
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(0o755)
        (tmp_path / "config").write_text(CONFIG.format(process=program))
        for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("AWS_PROFILE", name)

    return choose


async def put_once(aws):
    settings = load_settings(aws_endpoint_url=aws.url, aws_region="eu-west-1")
    async with open_events(settings) as client:
        return (await EventBridge(client).put([Entry({"Source": "s", "DetailType": "d", "Detail": "{}"}, 2)]))[0]


async def outage(aws):
    """Why nothing was put: known when the client is opened, or when it is used."""
    try:
        result = await put_once(aws)
    except NoAnswerError as error:
        return str(error)
    assert isinstance(result, Outage)
    return result.reason


@pytest.mark.parametrize(
    "script",
    [
        "exit 3",
        "echo garbage",
        "printf '\\377\\376'",
        "echo '[]'",
        "echo '{\"Version\": 1}'",
        "echo '" + EXPIRED.format("2001-01-01T00:00:00Z") + "'",
        "echo '" + EXPIRED.format("never") + "'",
    ],
    ids=["fails", "garbage", "no text", "a list", "no key", "expired", "no time"],
)
async def test_credentials_that_cannot_be_had_just_now_are_an_outage(aws, profile, script):
    profile("process", script)
    assert "redential" in await outage(aws)


@pytest.mark.parametrize(("name", "words"), [("process", "needs .*No such file"), ("loop", "source_profile")])
async def test_credentials_that_are_set_wrong_are_one_line(aws, profile, name, words):
    profile(name)
    with pytest.raises(AwsConfigurationError, match=words):
        await put_once(aws)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://10.1.2.3/", "Unsupported host '10.1.2.3'"),
        ("AWS_STS_REGIONAL_ENDPOINTS", "here", "regional endpoints option here is invalid"),
        ("AWS_CA_BUNDLE", "/nowhere/ca.pem", "^AWS_CA_BUNDLE /nowhere/ca.pem: No such file or directory: fix it$"),
        ("AWS_CA_BUNDLE", __file__, "AWS_CA_BUNDLE .*no certificate or crl found"),
    ],
)
async def test_settings_of_aws_s_own_that_are_wrong_are_one_line(aws, profile, monkeypatch, name, value, words):
    profile("default")
    monkeypatch.delenv("AWS_PROFILE")
    monkeypatch.setenv(name, value)
    with pytest.raises(AwsConfigurationError, match=words):
        await put_once(aws)


async def test_an_sso_login_that_was_never_made_is_an_outage(aws, profile, caplog):
    profile("sso")
    assert "SSO" in await outage(aws)
    assert "Traceback" not in caplog.text


async def test_a_container_endpoint_that_is_away_is_an_outage(aws, profile, monkeypatch):
    profile("default")
    monkeypatch.delenv("AWS_PROFILE")
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9/")
    monkeypatch.setenv("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "1")
    with pytest.raises(NoAnswerError, match="credentials"):
        await put_once(aws)
