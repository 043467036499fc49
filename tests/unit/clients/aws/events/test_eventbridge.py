"""Tests of PutEvents: results by index, refusals of whole requests, and the one culprit among ten."""

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError, ReadTimeoutError

from clients.aws.answers import NoAnswerError
from clients.aws.events.eventbridge import Accepted, EventBridge, Outage, RefusedEntry, Suspect
from processors.delivery.entries import Entry

TEXT = "An error occurred (ValidationException) when calling the Operation operation: why"


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


TAKEN = {"EventId": "1"}


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"Entries": []},
        {"Entries": [TAKEN]},
        {"Entries": None},
        {"Entries": [TAKEN, {}]},
        {"Entries": [TAKEN, {"EventId": ""}]},
        {"Entries": [TAKEN, {"EventId": ["2"]}]},
        {"Entries": [TAKEN, {"EventId": True}]},
        {"Entries": [TAKEN, {"ErrorCode": 5}]},
        {"Entries": [TAKEN, None]},
        {"Entries": [TAKEN, TAKEN], "FailedEntryCount": 2},
        {"Entries": [TAKEN, {"ErrorCode": "X"}], "FailedEntryCount": "1"},
    ],
    ids=repr,
)
async def test_results_that_do_not_match_say_nothing(client, answer):
    client.answers = [answer]
    results = await EventBridge(client).put(entries("a", "b"))
    assert [type(result) for result in results] == [Outage, Outage]


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="http://x"),
        ReadTimeoutError(endpoint_url="http://x"),
        NoAnswerError("a proxy's page"),
    ],
    ids=["no connection", "no answer in time", "not AWS's answer"],
)
async def test_no_answer_is_no_refusal(client, error):
    client.answers = [error]
    results = await EventBridge(client).put(entries("a", "b"))
    assert [type(result) for result in results] == [Outage, Outage]
    assert str(error) in results[0].reason


@pytest.mark.parametrize("code", ["ExpiredTokenException", "UnrecognizedClientException", "InvalidSignatureException"])
async def test_credentials_are_no_event_s_fault(client, refusal, code):
    client.answers = [refusal(code)]
    results = await EventBridge(client).put(entries("a", "b"))
    assert [type(result) for result in results] == [Outage, Outage]
    assert code in results[0].reason
    assert ";" in results[0].reason, "with a remedy"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ThrottlingException", 400),
        ("TooManyRequestsException", 429),
        ("InternalException", 500),
        ("503", 503),
        ("AccessDeniedException", 400),
        ("ResourceNotFoundException", 400),
        ("RequestTimeout", 408),
    ],
)
@pytest.mark.parametrize("number", [1, 2])
async def test_trouble_of_the_request_is_no_entry_s(client, refusal, code, status, number):
    client.answers = [refusal(code, status)]
    results = await EventBridge(client).put(entries(*"ab"[:number]))
    assert [type(result) for result in results] == [Outage] * number
    assert code in results[0].reason
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
    (result,) = await EventBridge(client).put([Entry({"Detail": "a"}, 300_000)])
    assert (type(result), result.code) == (RefusedEntry, "EntryTooLarge")


async def test_a_413_for_what_every_eventbridge_takes_is_somebody_else_s(client, refusal):
    client.answers = [refusal("413", 413)]
    assert [type(result) for result in await EventBridge(client).put(entries("a"))] == [Outage]


async def test_a_refusal_of_every_entry_alone_may_be_about_none_of_them(client, refusal):
    client.answers = [refusal("ValidationException", message="why")] * 4
    assert await EventBridge(client).put(entries("a", "b", "c")) == [Suspect("ValidationException", TEXT)] * 3
    client.answers = [refusal("ValidationException", message="why")]
    assert await EventBridge(client).put(entries("a")) == [Suspect("ValidationException", TEXT)]


@pytest.mark.parametrize("code", ["AccessDeniedException", "AccessDenied", "InvalidAccountIdException"])
async def test_a_missing_right_is_an_entry_s_only_where_others_pass(client, code):
    refused = {"ErrorCode": code, "ErrorMessage": "m"}
    client.answers = [{"Entries": [refused, refused]}, {"Entries": [refused, {"EventId": "1"}]}]
    assert await EventBridge(client).put(entries("a", "b")) == [Suspect(code, "m")] * 2
    assert await EventBridge(client).put(entries("a", "b")) == [RefusedEntry(code, "m"), Accepted("1")]


async def test_the_right_to_put_is_tried_by_an_entry_that_no_bus_takes(client, refusal):
    client.answers = [
        {"Entries": [{"ErrorCode": "InvalidArgument"}]},
        refusal("ValidationException"),
        refusal("AccessDeniedException"),
        {"Entries": [{"ErrorCode": "AccessDeniedException"}]},
    ]
    bridge = EventBridge(client)
    await bridge.try_put("b")
    await bridge.try_put("b")
    for _ in range(2):
        with pytest.raises(ClientError, match="AccessDenied"):
            await bridge.try_put("b")
    assert all("Detail" not in call[1]["Entries"][0] for call in client.calls)


async def test_the_arn_of_a_bus(client):
    client.answers = [{"Arn": "arn:aws:events:eu-west-1:1:event-bus/b"}]
    assert await EventBridge(client).describe("b") == "arn:aws:events:eu-west-1:1:event-bus/b"
    assert client.calls == [("describe_event_bus", {"Name": "b"})]
