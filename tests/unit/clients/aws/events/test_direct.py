"""Tests that the direct PutEvents means to AWS what botocore's does, and answers its caller as botocore would."""

import contextlib
import ssl
import time
from datetime import UTC, datetime, timedelta, timezone

import aioboto3
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from clients.aws.events.direct import DirectEvents, Signer
from tests.kafka.certificates import make_certificates

ENTRIES = [
    {
        "Source": "genesys.cloud",
        "DetailType": "interaction.event",
        "Detail": '{"text":"Grüße \\"x\\" \U0001f600"}',
        "EventBusName": "default",
        "Resources": ["/genesys/interactions/1"],
        "Time": datetime(2026, 11, 23, 10, 0, 0, 900_000, UTC),
    },
    {"Source": "s", "DetailType": "d", "Detail": "{}", "EventBusName": "b", "Resources": []},
]
GOOD = {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}, {"EventId": "2"}]}


class Server:
    """Remembers requests; answers with `status` and `body`, or as `drop` says with nothing."""

    def __init__(self):
        self.requests, self.status, self.body, self.headers, self.drop = [], 200, orjson.dumps(GOOD), {}, False
        self.chunked = False

    async def answer(self, request):
        self.requests.append((request, await request.read()))
        if self.drop:
            request.transport.close()
        answer = web.Response(status=self.status, body=self.body, headers=self.headers)
        if self.chunked:
            answer.enable_chunked_encoding()
        return answer


@pytest.fixture
async def server():
    handler = Server()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler.answer)
    async with TestServer(app) as served:
        handler.url = str(served.make_url("/")).rstrip("/")
        yield handler


#: One session for each kind of credentials: it reads the service's model once.
SESSIONS = {
    token: aioboto3.Session("AKID", "secret", token, region_name="eu-central-1") for token in (None, "a/session=token")
}


@contextlib.asynccontextmanager
async def opened(url, token=None, verify=None, **config):
    attempts = {"mode": "standard", "total_max_attempts": 1}
    told = {"endpoint_url": url, "config": Config(retries=attempts, **config), "verify": verify}
    async with SESSIONS[token].client("events", **told) as client:
        client.made = []
        try:
            yield client
        finally:
            for one in client.made:
                one.close()


def direct(client):
    """The direct one, whose connections are closed with the client."""
    client.made.append(DirectEvents(client))
    return client.made[-1]


@pytest.mark.parametrize("token", [None, "a/session=token"])
async def test_the_request_means_what_botocore_s_means(server, token):
    async with opened(server.url, token) as client:
        assert (await client.put_events(Entries=ENTRIES))["Entries"] == GOOD["Entries"]
        assert (await direct(client).put_events(Entries=ENTRIES))["Entries"] == GOOD["Entries"]
    (theirs, their_body), (ours, our_body) = server.requests
    assert orjson.loads(our_body) == orjson.loads(their_body)
    assert (ours.method, ours.path_qs) == (theirs.method, theirs.path_qs)
    for name in ("Content-Type", "X-Amz-Target", "X-Amz-Security-Token", "Host", "Accept-Encoding"):
        assert ours.headers.get(name) == theirs.headers.get(name), name
    scopes = [request.headers["Authorization"].split(", ")[0] for request in (ours, theirs)]
    assert scopes[0] == scopes[1]


@pytest.mark.parametrize("token", [None, "a/session=token"])
def test_the_signature_is_botocore_s(token, monkeypatch):
    credentials = ReadOnlyCredentials("AKID", "wJalr/secret+key", token)
    signer = Signer("https://events.eu-central-1.amazonaws.com/", "eu-central-1")
    for moment in (1_763_895_600, 1_763_895_600 + 86_400):
        now = time.gmtime(moment)
        ours = signer.headers(b'{"Entries":[]}', credentials, now)
        names = ("content-type", "host", "x-amz-target")
        request = AWSRequest("POST", signer.url, {name: ours[name] for name in names}, b'{"Entries":[]}')
        auth = SigV4Auth(credentials, "events", "eu-central-1")
        at = datetime.fromtimestamp(moment, UTC)
        monkeypatch.setattr("botocore.auth.get_current_datetime", lambda at=at, **_: at, raising=False)
        auth.add_auth(request)
        assert request.headers["Authorization"] == ours["authorization"]


async def test_credentials_that_renew_are_signed_with_at_once(server):
    async with opened(server.url) as client:
        one = direct(client)
        await one.put_events(Entries=ENTRIES)
        client._request_signer._credentials.access_key = "AKID2"
        client._request_signer._credentials.secret_key = "other"
        await one.put_events(Entries=ENTRIES)
    first, second = (request.headers["Authorization"] for request, _ in server.requests)
    assert "AKID/" in first
    assert "AKID2/" in second


async def test_a_time_is_the_instant_it_names_in_whole_seconds(server):
    at = datetime(2026, 11, 23, 12, 0, 0, 999_999, timezone(timedelta(hours=2)))
    async with opened(server.url) as client:
        await direct(client).put_events(Entries=[ENTRIES[0] | {"Time": at}])
    ((_, body),) = server.requests
    assert orjson.loads(body)["Entries"][0]["Time"] == 1_795_428_000


REFUSALS = [
    (400, b'{"__type":"ValidationException","message":"no"}', {}),
    (400, b'{"__type":"com.amazon#ThrottlingException","Message":"slow"}', {}),
    (403, b'{"message":"no"}', {"x-amzn-ErrorType": "AccessDeniedException:http://internal/"}),
    (413, b"", {}),
    (500, b'{"__type":"InternalException"}', {}),
    (503, b"<html>unavailable</html>", {"Content-Type": "text/html"}),
]


@pytest.mark.parametrize(("status", "body", "headers"), REFUSALS)
async def test_a_refusal_raises_what_the_whole_client_raises(server, status, body, headers):
    server.status, server.body, server.headers = status, body, headers
    errors = []
    async with opened(server.url) as client:
        for one in (client, direct(client)):
            with pytest.raises((ClientError, HTTPClientError)) as caught:
                await one.put_events(Entries=ENTRIES)
            errors.append(caught.value)
    theirs, ours = errors
    assert type(ours) is type(theirs)
    if isinstance(ours, ClientError):
        assert ours.response["Error"] == theirs.response["Error"]
        assert ours.response["ResponseMetadata"]["HTTPStatusCode"] == status


async def test_a_refusal_in_another_encoding_is_an_answer_nobody_can_read(server):
    server.status, server.body = 403, "<html>gesperrt für Sie</html>".encode("latin-1")
    async with opened(server.url) as client:
        with pytest.raises(ResponseParserError, match="403"):
            await direct(client).put_events(Entries=ENTRIES)


@pytest.mark.parametrize("body", [b"<html>welcome</html>", b"", b"[]", b"\xff\xfe", b'{"Entries":'])
async def test_a_page_instead_of_an_answer_is_an_answer_nobody_can_read(server, body):
    server.body = body
    async with opened(server.url) as client:
        with pytest.raises(ResponseParserError):
            await direct(client).put_events(Entries=ENTRIES)


async def test_no_answer_raises_what_the_whole_client_raises(server):
    server.drop = True
    async with opened(server.url, read_timeout=0.2) as client:
        with pytest.raises((ConnectionClosedError, ReadTimeoutError)):
            await direct(client).put_events(Entries=ENTRIES)
    async with opened("http://127.0.0.1:1") as client:
        with pytest.raises(EndpointConnectionError):
            await direct(client).put_events(Entries=ENTRIES)


async def test_an_answer_in_another_form_is_read_and_nothing_is_sent_twice(server):
    server.chunked = True
    async with opened(server.url) as client:
        one = direct(client)
        for _ in range(2):
            assert (await one.put_events(Entries=ENTRIES))["Entries"] == GOOD["Entries"]
    assert len(server.requests) == 2


async def test_an_answer_that_sends_elsewhere_is_not_followed(server):
    server.status, server.headers = 302, {"Location": "/elsewhere"}
    async with opened(server.url) as client:
        with pytest.raises(ClientError, match="302"):
            await direct(client).put_events(Entries=ENTRIES)
    assert len(server.requests) == 1


@pytest.fixture
async def secured(tmp_path):
    """A server with TLS; gives its URL and the file of its authority."""
    certificates, handler, app = make_certificates(tmp_path), Server(), web.Application()
    app.router.add_route("*", "/{path:.*}", handler.answer)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificates.broker_file)
    served = TestServer(app, scheme="https")
    await served.start_server(ssl=tls)
    yield str(served.make_url("/")).rstrip("/"), str(certificates.authority_file)
    await served.close()


async def test_certificates_are_looked_at_as_the_sdk_does(secured):
    url, authority = secured
    async with opened(url, verify=authority) as client:
        one = direct(client)
        for _ in range(2):
            assert (await one.put_events(Entries=ENTRIES))["Entries"] == GOOD["Entries"]
        assert one._connections is not None, "it is sent over our own"
    async with opened(url) as client:
        for one in (client, direct(client)):
            with pytest.raises(SSLError):
                await one.put_events(Entries=ENTRIES)
    async with opened(url, verify=False) as client:
        assert (await direct(client).put_events(Entries=ENTRIES))["Entries"] == GOOD["Entries"]


async def test_through_a_proxy_it_asks_the_proxy(server):
    async with opened("http://events.example.invalid", proxies={"http": server.url}) as client:
        await direct(client).put_events(Entries=ENTRIES)
    ((request, _),) = server.requests
    assert request.headers["Host"] == "events.example.invalid"


async def test_every_other_call_is_the_client_s_own(server):
    server.body = b'{"Arn":"arn:aws:events:eu-central-1:1:event-bus/default"}'
    async with opened(server.url) as client:
        answer = await direct(client).describe_event_bus(Name="default")
    assert answer["Arn"].endswith("event-bus/default")
