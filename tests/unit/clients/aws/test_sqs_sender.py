"""Tests of the dead-letter queue: partial failures by id, FIFO attributes, sizes, foreign characters."""

import asyncio
import json

import pytest
from botocore.exceptions import EndpointConnectionError

from clients.aws.answers import NoAnswerError
from clients.aws.sqs_sender import MAX_BYTES, QueueMessage, QueueSender

URL = "https://sqs.eu-west-1.amazonaws.com/1/failures"


@pytest.fixture
def queue(client):
    troubles = []
    made = QueueSender(client, URL, on_trouble=troubles.append, chance=lambda: 0.0)
    made.troubles = troubles
    return made


def message(body="{}", group="g", deduplication="d"):
    return QueueMessage(body, group, deduplication)


def taken(arguments):
    return {"Successful": [{"Id": entry["Id"]} for entry in arguments["Entries"]]}


def sent(client):
    return [[entry["MessageBody"] for entry in arguments["Entries"]] for _, arguments in client.calls]


async def test_messages_go_in_batches_of_ten(client, queue):
    client.answers = [taken] * 3
    assert await queue.send([message(str(number)) for number in range(23)]) == [None] * 23
    assert [len(batch) for batch in sent(client)] == [10, 10, 3]
    assert queue.troubles == [None] * 3


async def test_failures_are_matched_by_id_and_only_they_are_sent_again(client, queue):
    client.answers = [
        {
            "Failed": [{"Id": "2", "Code": "InternalError", "SenderFault": False}],
            "Successful": [{"Id": "1"}, {"Id": "0"}],
        },
        taken,
    ]
    assert await queue.send([message("a"), message("b"), message("c")]) == [None] * 3
    assert sent(client) == [["a", "b", "c"], ["c"]]
    assert queue.troubles == ["takes nothing: InternalError", None]


async def test_a_message_that_is_to_blame_is_given_up_and_named(client, queue):
    client.answers = [
        {
            "Failed": [
                {"Id": "0", "Code": "InvalidMessageContents", "SenderFault": True},
                {"Id": "1", "Code": "X"},
            ]
        },
        taken,
    ]
    assert await queue.send([message("a"), message("b")]) == ["InvalidMessageContents", None]
    assert sent(client) == [["a", "b"], ["b"]]


@pytest.mark.parametrize("code", ["AWS.SimpleQueueService.MessageTooLong", "InvalidParameterValueException"])
async def test_a_refusal_of_the_message_is_known_by_any_of_its_names(client, queue, code):
    client.answers = [{"Failed": [{"Id": "0", "Code": code, "SenderFault": True}]}]
    assert await queue.send([message()]) == [code]


@pytest.mark.parametrize("code", ["RequestThrottled", "KMS.ThrottlingException", "KmsAccessDenied", "Unheard", None])
async def test_a_fault_of_the_sender_that_is_not_the_message_s_is_sent_again(client, queue, code):
    client.answers = [{"Failed": [{"Id": "0", "Code": code, "SenderFault": True}]}, taken]
    assert await queue.send([message("a")]) == [None]
    assert sent(client) == [["a"], ["a"]]
    assert queue.troubles == [f"takes nothing: {code or 'Unknown'}", None]


async def test_a_message_without_a_result_is_sent_again(client, queue):
    client.answers = [{"Successful": [{"Id": "0"}]}, taken]
    assert await queue.send([message("a"), message("b")]) == [None, None]
    assert sent(client) == [["a", "b"], ["b"]]


async def test_a_queue_that_is_away_is_waited_for(client, queue, refusal):
    client.answers = [
        EndpointConnectionError(endpoint_url="x"),
        refusal("AWS.SimpleQueueService.NonExistentQueue"),
        refusal("RequestThrottled"),
        refusal("AccessDenied", 403),
        taken,
    ]
    assert await queue.send([message()]) == [None]
    assert queue.troubles[1] == (
        "takes nothing: AWS.SimpleQueueService.NonExistentQueue; create the queue, or fix DLQ_QUEUE_URL"
    )
    assert queue.troubles[-1] is None


@pytest.mark.parametrize(("suffix", "has"), [("", False), (".fifo", True)])
async def test_group_and_deduplication_go_to_fifo_queues_alone(client, suffix, has):
    client.answers = [taken]
    queue = QueueSender(client, URL + suffix, on_trouble=lambda _: None)
    await queue.send([message(group="i-1", deduplication="e:validate:r")])
    entry = client.calls[0][1]["Entries"][0]
    assert ("MessageGroupId" in entry, "MessageDeduplicationId" in entry) == (has, has)
    if has:
        assert (entry["MessageGroupId"], entry["MessageDeduplicationId"]) == ("i-1", "e:validate:r")


@pytest.mark.parametrize("group", ["", "x" * 129, "with space", "\N{GRINNING FACE}", "a\n", "\ud800"])
async def test_identifiers_that_sqs_does_not_take_are_replaced_by_a_digest(client, group):
    client.answers = [taken, taken]
    queue = QueueSender(client, URL + ".fifo", on_trouble=lambda _: None)
    for _ in range(2):
        await queue.send([message(group=group)])
    first, second = (arguments["Entries"][0]["MessageGroupId"] for _, arguments in client.calls)
    assert first == second
    assert len(first) == 64
    assert first.isalnum()


async def test_a_batch_stays_within_its_bytes(client, queue):
    client.answers = [taken] * 3
    third = "\N{GRINNING FACE}" * (MAX_BYTES // 12)
    assert await queue.send([message(third)] * 7) == [None] * 7
    assert [len(batch) for batch in sent(client)] == [3, 3, 1]


async def test_a_message_that_no_batch_can_hold_is_given_up(client, queue):
    client.answers = [taken]
    async with asyncio.timeout(60):
        assert await queue.send([message("a" * (MAX_BYTES + 1)), message("b")]) == ["MessageTooLong", None]
    assert sent(client) == [["b"]]


async def test_characters_that_sqs_does_not_take_are_escaped(client, queue):
    client.answers = [taken]
    body = json.dumps({"a": "x\ufffe\uffff"}, ensure_ascii=False)
    await queue.send([message(body)])
    assert sent(client) == [['{"a": "x\\ufffe\\uffff"}']]
    assert json.loads(sent(client)[0][0]) == json.loads(body)


async def test_escapes_count_in_a_batch_s_bytes(client, queue):
    client.answers = [taken] * 2
    body = "\uffff" * (MAX_BYTES // 12 + 1)  # 3 bytes each as they are, 6 as sent
    await queue.send([message(body)] * 2)
    assert [len(batch) for batch in sent(client)] == [1, 1]


async def test_attributes_of_the_queue(client, queue):
    client.answers = [{"Attributes": {"ApproximateNumberOfMessages": "7"}}, {}]
    assert await queue.describe() == {"ApproximateNumberOfMessages": "7"}
    with pytest.raises(NoAnswerError):
        await queue.describe()


def refuses(name, error):
    """An answer that refuses a whole request when this body is in it."""

    def answer(arguments):
        if any(entry["MessageBody"] == name for entry in arguments["Entries"]):
            raise error
        return taken(arguments)

    return answer


@pytest.mark.parametrize("code", ["InvalidParameterValue", "AWS.SimpleQueueService.BatchRequestTooLong"])
async def test_a_batch_that_is_refused_as_a_whole_is_split_down_to_the_culprit(client, queue, refusal, code):
    client.answers = [refuses("bad", refusal(code, int(code) if code.isdecimal() else 400))] * 6
    assert await queue.send([message(body) for body in ("a", "b", "bad", "c", "d")]) == [None, None, code, None, None]
    assert sent(client)[0] == ["a", "b", "bad", "c", "d"]
    assert [batch[0] for batch in sent(client)[1:]] == ["a", "b", "bad", "c", "d"]


async def test_a_record_that_something_on_the_way_finds_too_large_holds_up_no_other(client, queue, refusal):
    client.answers = [refuses("bad", refusal("413", 413))] * 20
    async with asyncio.timeout(60):
        refused = await queue.send([message("a"), message("bad")])
    assert refused == [None, "413: look at the limit of what is between here and AWS"]


async def test_results_for_other_records_say_nothing(client, queue):
    client.answers = [{"Successful": [{"Id": "x"}, {"Id": "7"}], "Failed": [{"Id": ""}]}, taken]
    assert await queue.send([message("a")]) == [None]
    assert len(client.calls) == 2


async def test_a_record_that_nobody_understands_holds_up_no_other_for_ever(client, queue, refusal):
    client.answers = [refuses("bad", refusal("NeverHeardOf"))] * 20
    async with asyncio.timeout(60):
        assert await queue.send([message("a"), message("bad")]) == [None, "NeverHeardOf"]


async def test_a_refusal_of_all_that_nobody_understands_is_waited_out(client, queue, refusal):
    client.answers = [refusal("NeverHeardOf")] * 30 + [taken]
    assert await queue.send([message("a"), message("b")]) == [None, None]
    assert queue.troubles[-1] is None


async def test_the_queue_s_own_limit_is_read_and_kept(client, queue):
    client.answers = [{"Attributes": {"MaximumMessageSize": "1024"}}, taken]
    await queue.describe()
    assert queue.max_bytes == 1024
    assert await queue.send([message("a" * 1_025), message("b")]) == ["MessageTooLong", None]


async def test_attributes_go_beside_the_body_and_count(client, queue):
    client.answers = [taken]
    one = QueueMessage("{}", "g", "d", {"stage": "publish"})
    assert one.size == 2 + len("stage") + len("String") + len("publish")
    await queue.send([one])
    entry = client.calls[0][1]["Entries"][0]
    assert entry["MessageAttributes"] == {"stage": {"DataType": "String", "StringValue": "publish"}}
