"""Tests of PutEvents: results by index, refusals of whole requests, and the one culprit among ten."""

import pytest
from botocore.exceptions import EndpointConnectionError, ParamValidationError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from clients.aws.eventbridge import Accepted, EventBridge, RefusedEntry, Unanswered
from processors.delivery.entries import Entry


def entries(*names):
    return [Entry({"Detail": name}, 1) for name in names]


def details(call):
    return [entry["Detail"] for entry in call[1]["Entries"]]


async def test_results_stand_in_the_order_of_the_entries(client):
    client.answers = [
        {
            "FailedEntryCount": 2,
            "Entries": [
                {"EventId": "1"},
                {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow"},
                {"EventId": "3"},
                {"ErrorCode": "X"},
            ],
        }
    ]
    assert await EventBridge(client).put(entries("a", "b", "c", "d")) == [
        Accepted("1"),
        RefusedEntry("ThrottlingException", "slow"),
        Accepted("3"),
        RefusedEntry("X", ""),
    ]
    assert details(client.calls[0]) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("answer", [{}, {"Entries": []}, {"Entries": [{"EventId": "1"}]}, {"Entries": None}])
async def test_results_that_do_not_match_say_nothing(client, answer):
    client.answers = [answer]
    results = await EventBridge(client).put(entries("a", "b"))
    assert [type(result) for result in results] == [Unanswered, Unanswered]


async def test_an_entry_with_neither_id_nor_code_is_refused_as_unknown(client):
    client.answers = [{"Entries": [{}]}]
    assert await EventBridge(client).put(entries("a")) == [RefusedEntry("Unknown", "")]


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="http://x"),
        ReadTimeoutError(endpoint_url="http://x"),
        ResponseParserError("a proxy's page"),
    ],
    ids=["no connection", "no answer in time", "not AWS's answer"],
)
async def test_no_answer_is_no_refusal(client, error):
    client.answers = [error]
    results = await EventBridge(client).put(entries("a", "b"))
    assert results == [Unanswered(type(error).__name__)] * 2


@pytest.mark.parametrize("code", ["ExpiredTokenException", "UnrecognizedClientException", "InvalidSignatureException"])
async def test_credentials_are_no_event_s_fault(client, refusal, code):
    client.answers = [refusal(code)]
    assert await EventBridge(client).put(entries("a", "b")) == [Unanswered(code)] * 2


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ThrottlingException", 400),
        ("TooManyRequestsException", 429),
        ("InternalException", 500),
        ("503", 503),
        ("AccessDeniedException", 400),
    ],
)
async def test_trouble_of_the_request_is_every_entry_s(client, refusal, code, status):
    client.answers = [refusal(code, status)]
    results = await EventBridge(client).put(entries("a", "b"))
    assert [result.code for result in results] == [code, code]
    assert len(client.calls) == 1


@pytest.mark.parametrize("error", ["ValidationException", "param"], ids=["of AWS", "of the SDK"])
async def test_of_ten_entries_only_the_culprit_is_refused(client, refusal, error):
    raised = ParamValidationError(report="x") if error == "param" else refusal(error)

    def answer(arguments):
        names = [entry["Detail"] for entry in arguments["Entries"]]
        if "culprit" in names:
            raise raised
        return {"Entries": [{"EventId": name} for name in names]}

    client.answers = [answer] * 11
    results = await EventBridge(client).put(entries(*"abcd", "culprit", *"efghi"))
    assert [type(result) for result in results] == [Accepted] * 4 + [RefusedEntry] + [Accepted] * 5
    assert results[4].code == type(raised).__name__ if error == "param" else error
    assert [result.id for result in results if isinstance(result, Accepted)] == [*"abcdefghi"]


async def test_an_entry_alone_that_is_too_large_is_named_so(client, refusal):
    client.answers = [refusal("413", 413)]
    assert [result.code for result in await EventBridge(client).put(entries("a"))] == ["EntryTooLarge"]


async def test_the_arn_of_a_bus(client):
    client.answers = [{"Arn": "arn:aws:events:eu-west-1:1:event-bus/b"}]
    assert await EventBridge(client).describe("b") == "arn:aws:events:eu-west-1:1:event-bus/b"
    assert client.calls == [("describe_event_bus", {"Name": "b"})]
